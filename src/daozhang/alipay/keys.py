"""Keys: one loader for every form in which people have them, and key objects that are kept.

Alipay hands keys out as bare base64, tools make PEM and DER in PKCS#1, PKCS#8, SPKI and X.509,
and on the way they gain byte order marks, CRLF, spaces, literal ``\\n`` and wrong headers. All of
it is read; what cannot be is named, with the way to convert it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal, Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from daozhang.alipay.errors import KeyProblem

SignType = Literal["RSA2", "RSA"]
"""``RSA2`` is SHA-256, ``RSA`` is SHA-1; both RSASSA-PKCS1-v1_5 (protocol.md §1.3)."""

KeySource = str | bytes | Path
"""Where a key comes from: its text, its bytes, or (as a `Path` only) its file."""

_HASHES: Final = {"RSA2": hashes.SHA256(), "RSA": hashes.SHA1()}  # noqa: S303 - Alipay's own RSA
_PADDING: Final = padding.PKCS1v15()
_ARMOUR = re.compile(rb"-{3,}\s*(BEGIN|END)\s+([A-Z0-9 ]+?)\s*-{3,}")
# Byte order mark, zero-width space, no-break space.
_INVISIBLE = re.compile(b"\xef\xbb\xbf|\xe2\x80\x8b|\xc2\xa0")
_KEY_BYTES_MAX: Final = 64 * 1024


class PublicKey:
    """A public RSA key that verifies. Immutable; safe in any number of threads."""

    __slots__ = ("_der", "_key", "fingerprint")

    def __init__(self, key: rsa.RSAPublicKey) -> None:
        self._key = key
        self._der = key.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.fingerprint: str = hashlib.sha256(self._der).hexdigest()

    @classmethod
    def load(cls, source: KeySource) -> Self:
        """The public key in ``source``: SPKI, PKCS#1 or a certificate, in any wrapping.

        Raises `KeyProblem`, which says what it looks like instead.
        """
        der, label = _der_of(source, "public key")
        for parse in _PUBLIC_PARSERS:
            key = _try(parse, der)
            if isinstance(key, rsa.RSAPublicKey):
                return cls(key)
        raise _not_a_public_key(der, label)

    def verify(self, data: bytes, signature: str | bytes, sign_type: SignType = "RSA2") -> bool:
        """Whether ``signature`` (strict base64) is this key's over ``data``. Never raises for it."""
        try:
            raw = base64.b64decode(signature, validate=True)
            self._key.verify(raw, data, _PADDING, _HASHES[sign_type])
        except (InvalidSignature, ValueError):
            return False
        return True

    def base64(self) -> str:
        """The key as Alipay's console shows it: SPKI, bare base64."""
        return base64.b64encode(self._der).decode()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKey) and self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __repr__(self) -> str:
        return f"PublicKey(fingerprint={self.fingerprint[:16]!r})"


class PrivateKey:
    """A private RSA key that signs. Immutable; safe in any number of threads."""

    __slots__ = ("_key", "public")

    def __init__(self, key: rsa.RSAPrivateKey) -> None:
        self._key = key
        self.public = PublicKey(key.public_key())

    @classmethod
    def load(cls, source: KeySource) -> Self:
        """The private key in ``source``: PKCS#8 or PKCS#1, in any wrapping, not encrypted.

        Raises `KeyProblem`, which says what it looks like instead.
        """
        der, label = _der_of(source, "private key")
        for parse in _PRIVATE_PARSERS:
            key = _try(parse, der)
            if isinstance(key, rsa.RSAPrivateKey):
                return cls(key)
        raise _not_a_private_key(der, label)

    @property
    def fingerprint(self) -> str:
        """The fingerprint of its public half: SHA-256 of the SPKI, hex."""
        return self.public.fingerprint

    def sign(self, data: bytes, sign_type: SignType = "RSA2") -> str:
        """The signature over ``data``, base64 without line breaks. The same for the same data."""
        return base64.b64encode(self._key.sign(data, _PADDING, _HASHES[sign_type])).decode()

    def pkcs1_base64(self) -> str:
        """The key as PKCS#1, bare base64: what the official Python and PHP SDKs take."""
        return self._export(serialization.PrivateFormat.TraditionalOpenSSL)

    def pkcs8_base64(self) -> str:
        """The key as PKCS#8, bare base64: what the official Java SDK takes."""
        return self._export(serialization.PrivateFormat.PKCS8)

    def _export(self, form: serialization.PrivateFormat) -> str:
        der = self._key.private_bytes(
            serialization.Encoding.DER, form, serialization.NoEncryption()
        )
        return base64.b64encode(der).decode()

    def __repr__(self) -> str:
        return f"PrivateKey(fingerprint={self.fingerprint[:16]!r})"


def _public_of_certificate(der: bytes) -> object:
    from cryptography import x509  # a third of the library's import, and rarely needed

    return x509.load_der_x509_certificate(der).public_key()


def _pkcs8(der: bytes) -> object:
    return serialization.load_der_private_key(der, None)


def _wrap_pkcs1_public(der: bytes) -> object:
    return serialization.load_der_public_key(der)


_PUBLIC_PARSERS: Final[tuple[Callable[[bytes], object], ...]] = (
    _wrap_pkcs1_public,
    _public_of_certificate,
)
_PRIVATE_PARSERS: Final[tuple[Callable[[bytes], object], ...]] = (_pkcs8,)


def _try(parse: Callable[[bytes], object], der: bytes) -> object | None:
    try:
        return parse(der)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None


def _der_of(source: KeySource, wanted: str) -> tuple[bytes, str]:
    """The DER bytes in ``source``, and the words of its armour, if it has one."""
    raw = _bytes_of(source, wanted)
    if raw[:1] == b"\x30" and not _ARMOUR.search(raw):
        return raw, ""
    text = _INVISIBLE.sub(b"", raw).replace(b"\\r", b"").replace(b"\\n", b"\n")
    label = ""
    if found := _ARMOUR.search(text):
        label = found.group(2).decode()
        if "ENCRYPTED" in label or b"4,ENCRYPTED" in text:
            raise _encrypted(wanted)
        body = text[found.end() :]
        ends = _ARMOUR.search(body)
        text = body[: ends.start()] if ends else body
    packed = re.sub(rb"[\s\"']+", b"", text).strip(b"-")
    try:
        return base64.b64decode(packed + b"=" * (-len(packed) % 4), validate=True), label
    except binascii.Error:
        raise _not_base64(packed, wanted) from None


def _encrypted(wanted: str) -> KeyProblem:
    if wanted == "public key":
        return _private_where_public()
    return KeyProblem(
        "This private key is encrypted with a password. Convert it: "
        "openssl pkey -in key.pem -out plain.pem 该私钥已加密，请先去除密码。"
    )


def _bytes_of(source: KeySource, wanted: str) -> bytes:
    if isinstance(source, Path):
        try:
            raw = source.read_bytes()
        except OSError as error:
            raise KeyProblem(f"The {wanted} file {source} cannot be read: {error}") from None
    else:
        raw = source.encode("utf-8") if isinstance(source, str) else bytes(source)
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raw = raw.decode("utf-16").encode()
    if not raw.strip():
        raise KeyProblem(f"The {wanted} is empty 密钥为空。")
    if len(raw) > _KEY_BYTES_MAX:
        raise KeyProblem(f"The {wanted} has {len(raw)} bytes: that is no key.")
    return raw


def _not_base64(packed: bytes, wanted: str) -> KeyProblem:
    text = packed[:60].decode("utf-8", "replace")
    if re.search(r"\.(pem|key|crt|cer|txt|der)$|^[/~.]", packed.decode("utf-8", "replace")):
        return KeyProblem(
            f"The {wanted} looks like a file name: pass pathlib.Path({text!r}) to read that file "
            "这看起来是文件路径，请传入 pathlib.Path。"
        )
    return KeyProblem(
        f"The {wanted} is neither PEM, DER nor base64: it begins with {text[:12]!r}. Copy it again "
        "from the key tool, whole 密钥既不是 PEM、DER，也不是 base64，请重新完整复制。"
    )


def _not_a_private_key(der: bytes, label: str) -> KeyProblem:
    if any(_try(parse, der) for parse in _PUBLIC_PARSERS):
        return KeyProblem(
            "This is a public key or certificate; the app's private key is wanted here. It stays "
            "with you, in the file that the key tool calls “应用私钥” 这是公钥或证书，此处需要应用私钥。"
        )
    return _wrong(der, label, "private key", _try(_pkcs8, der))


def _private_where_public() -> KeyProblem:
    return KeyProblem(
        "This is a private key; a public key is wanted here. Keep private keys out of this "
        "field; the Alipay public key is on the app's page in Alipay's console "
        "这是私钥，此处需要支付宝公钥。"
    )


def _not_a_public_key(der: bytes, label: str) -> KeyProblem:
    if _try(_pkcs8, der) is not None:
        return _private_where_public()
    found = next((key for parse in _PUBLIC_PARSERS if (key := _try(parse, der))), None)
    return _wrong(der, label, "public key", found)


def _wrong(der: bytes, label: str, wanted: str, found: object | None) -> KeyProblem:
    if found is not None:
        return KeyProblem(
            f"This is a {type(found).__name__.lstrip('_')}; Alipay's RSA2 needs an RSA {wanted} "
            "需要 RSA 密钥。"
        )
    if len(der) in (16, 24, 32):
        return KeyProblem(
            f"{len(der)} bytes: this looks like an AES content key, not a {wanted}. It belongs "
            "into encrypt_key 这看起来是 AES 密钥，应填入 encrypt_key。"
        )
    named = f" (its header says {label})" if label else ""
    return KeyProblem(
        f"The {wanted} decodes to {len(der)} bytes that are no key{named}: it may be cut off. "
        f"Copy it again, whole 密钥内容不完整或已损坏，请重新完整复制。"
    )
