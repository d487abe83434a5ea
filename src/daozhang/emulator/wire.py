"""The wire format of Alipay's gateways, read the emulator's own way.

Forms are kept as bytes until the signature is checked, because what is signed is bytes; text is
decoded afterwards by the request's ``charset``. Nothing here knows trades or HTTP frameworks.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.parse import quote_plus, unquote_to_bytes

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

CODECS: Final = {"utf-8": "utf-8", "utf8": "utf-8", "gbk": "gb18030", "gb2312": "gb18030"}
"""Charset names of the protocol and the codec that reads them; GB 18030 contains the older two."""

HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "RSA2": hashes.SHA256(),
    "RSA": hashes.SHA1(),  # noqa: S303 - what Alipay calls RSA
}
_BLOCK_BITS: Final = 128
_DISPOSITION_NAME = re.compile(rb';\s*name="?([^";]*)"?', re.IGNORECASE)
_DISPOSITION_FILE = re.compile(rb";\s*filename\*?=", re.IGNORECASE)


class Unreadable(ValueError):
    """Bytes that are not what their place in the protocol asks for; the text says why."""


@dataclass(frozen=True, slots=True)
class Form:
    """Parameters as they travelled: percent-decoded bytes, in order, names not repeated."""

    pairs: tuple[tuple[bytes, bytes], ...]

    def text(self) -> dict[str, str]:
        """Every parameter as text, by the form's own ``charset``.

        Raises `Unreadable` for an unknown charset and for bytes that are not in it.
        """
        codec = self.codec()
        try:
            return {name.decode(codec): value.decode(codec) for name, value in self.pairs}
        except UnicodeDecodeError as problem:
            raise Unreadable(f"bytes that are not {codec}: {problem.reason}") from problem

    def charset(self) -> str:
        """The charset as it was written, ``utf-8`` where none was."""
        return dict(self.pairs).get(b"charset", b"utf-8").decode("latin-1") or "utf-8"

    def codec(self) -> str:
        """The codec of the form's charset; raises `Unreadable` for one that is not known."""
        codec = CODECS.get(self.charset().lower())
        if codec is None:
            raise Unreadable(f"charset {self.charset()[:20]!r} is not utf-8, gbk or gb2312")
        return codec


def split_pairs(data: bytes) -> list[tuple[bytes, bytes]]:
    """The parameters of a query string or a urlencoded body; ``+`` is a space."""
    pairs: list[tuple[bytes, bytes]] = []
    for piece in data.split(b"&"):
        if not piece:
            continue
        name, _, value = piece.partition(b"=")
        pairs.append((_decoded(name), _decoded(value)))
    return pairs


def _decoded(piece: bytes) -> bytes:
    return unquote_to_bytes(piece.replace(b"+", b" "))


def merge(groups: Iterable[Iterable[tuple[bytes, bytes]]]) -> Form:
    """One form of query and body. A name given twice with the same value counts once.

    Raises `Unreadable` where two values differ: which one Alipay would take is not documented.
    """
    merged: dict[bytes, bytes] = {}
    for group in groups:
        for name, value in group:
            if merged.setdefault(name, value) != value:
                shown = name.decode("utf-8", "replace")[:60]
                raise Unreadable(f"parameter {shown!r} is given twice with different values")
    return Form(tuple(merged.items()))


def split_multipart(body: bytes, content_type: bytes) -> list[tuple[bytes, bytes]]:
    """The text parts of a multipart body; file parts are dropped, because they are not signed.

    Lenient where the official SDKs are sloppy: a line break before the first boundary, no space
    after the colons of part headers, no content type. Raises `Unreadable` without a boundary.
    """
    found = re.search(rb'boundary="?([^";,\s]+)', content_type, re.IGNORECASE)
    if found is None:
        raise Unreadable("a multipart body whose Content-Type names no boundary")
    pairs: list[tuple[bytes, bytes]] = []
    for part in (b"\r\n" + body).split(b"\r\n--" + found.group(1))[1:]:
        if part.startswith(b"--"):
            break
        head, gap, value = part.partition(b"\r\n\r\n")
        name = _DISPOSITION_NAME.search(head)
        if not gap or name is None:
            raise Unreadable("a multipart part without a name")
        if not _DISPOSITION_FILE.search(head):
            pairs.append((name.group(1), value))
    return pairs


def sign_string(
    pairs: Iterable[tuple[bytes, bytes]], without: tuple[bytes, ...], *, keep_empty: bool = False
) -> bytes:
    """What is signed of ``pairs``: sorted by name, ``name=value`` joined by ``&``, raw values."""
    kept = [
        (name, value)
        for name, value in pairs
        if name and name not in without and (value or keep_empty)
    ]
    return b"&".join(name + b"=" + value for name, value in sorted(kept))


def sign(key: RSAPrivateKey, data: bytes, sign_type: str = "RSA2") -> str:
    """The signature in base64, PKCS#1 v1.5 with the hash that ``sign_type`` names."""
    signature = key.sign(data, rsa_padding.PKCS1v15(), HASHES[sign_type])
    return base64.b64encode(signature).decode("ascii")


def verify(key: RSAPublicKey, data: bytes, signature: bytes | str, sign_type: str = "RSA2") -> bool:
    """Whether ``signature`` (base64) over ``data`` is of ``key``; never raises."""
    try:
        raw = base64.b64decode(signature, validate=True)
        key.verify(raw, data, rsa_padding.PKCS1v15(), HASHES[sign_type])
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def encrypt(text: bytes, key: bytes) -> str:
    """AES-128-CBC with a zero IV and PKCS#7, in base64: content encryption of the gateway."""
    padder = padding.PKCS7(_BLOCK_BITS).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(bytes(16))).encryptor()
    padded = padder.update(text) + padder.finalize()
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode("ascii")


def decrypt(text: bytes | str, key: bytes) -> bytes:
    """The reverse of `encrypt`; raises `Unreadable` for what is not such a text."""
    try:
        decryptor = Cipher(algorithms.AES(key), modes.CBC(bytes(16))).decryptor()
        padded = decryptor.update(base64.b64decode(text, validate=True)) + decryptor.finalize()
        unpadder = padding.PKCS7(_BLOCK_BITS).unpadder()
        return unpadder.update(padded) + unpadder.finalize()
    except (binascii.Error, ValueError) as problem:
        raise Unreadable(f"not decryptable: {problem}") from problem


def read_json_object(text: str | bytes) -> dict[str, Any]:
    """The object that ``text`` is; names repeated within one object are refused.

    Numbers with a fraction stay text, so that no amount passes through a float. Raises
    `Unreadable`.
    """
    try:
        found: object = json.loads(
            text,
            parse_float=str,
            parse_constant=_refuse_constant,
            object_pairs_hook=_object_without_repeats,
        )
    except (ValueError, RecursionError) as problem:
        raise Unreadable(f"not JSON: {problem}") from problem
    if not isinstance(found, dict):
        raise Unreadable("not a JSON object")
    return cast("dict[str, Any]", found)


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON value")


def _object_without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a name is repeated within one object")
    return result


def compact_json(value: object, *, escape_slashes: bool = False) -> str:
    """JSON as the gateway writes it: no spaces, Chinese as it is, ``\\/`` on demand."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("/", "\\/") if escape_slashes else text


def encode_form(fields: Mapping[str, str], codec: str) -> bytes:
    """A urlencoded body of ``fields`` in ``codec``; spaces are ``+``."""
    return b"&".join(
        f"{quote_plus(name.encode(codec))}={quote_plus(value.encode(codec))}".encode("ascii")
        for name, value in fields.items()
    )


def random_hex(length: int = 32) -> str:
    """A nonce or trace id of ``length`` hexadecimal digits."""
    return os.urandom((length + 1) // 2).hex()[:length]
