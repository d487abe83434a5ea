"""Seal: how secrets rest in the database, and how tokens for a page are signed.

A sealed value is AES-256-GCM with the place where it belongs bound in, so a value that is moved
to another row does not open. It names the key that sealed it: keys can be added in front, and
`Sealer.needs_reseal` finds what the older ones still hold.
"""

from __future__ import annotations

import base64
import hmac
import json
import os
import re
import secrets
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VERSION: Final = 1
KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}", re.ASCII)


class SealBroken(Exception):
    """A sealed value does not open: another place, another key, or changed bytes."""


class SealingKeysInvalid(ValueError):
    """The sealing keys cannot be used. The message says what to change, never the key."""


class TokenRefused(Exception):
    """A token is not one of ours, is for something else, or has expired.

    ``expired`` tells the last from the others; only a genuine token can be expired.
    """

    def __init__(self, *, expired: bool = False) -> None:
        self.expired = expired
        super().__init__("The token has expired." if expired else "The token is not genuine.")


@dataclass(frozen=True, slots=True)
class _Ring:
    """Keys in use together; replaced as one."""

    current_key_id: str
    ciphers: Mapping[str, AESGCM]
    signing_keys: tuple[bytes, ...]

    @classmethod
    def of(cls, keys: Mapping[str, bytes]) -> _Ring:
        if not keys:
            raise SealingKeysInvalid("There is no sealing key 没有封存密钥.")
        for key_id, key in keys.items():
            _check_key(key_id, key)
        return cls(
            next(iter(keys)),
            {key_id: AESGCM(key) for key_id, key in keys.items()},
            tuple(hmac.digest(key, b"daozhang token signing", "sha256") for key in keys.values()),
        )


class Sealer:
    """Seals, opens, and signs tokens, with keys of 32 bytes by id; the first one is current."""

    def __init__(self, keys: Mapping[str, bytes], key_file: Path | None = None) -> None:
        """Raises `SealingKeysInvalid` without a key, or if one has another length or a bad id.

        ``key_file`` is read again when something is sealed with a key that is not known yet:
        another process has put a new one in front.
        """
        self._ring = _Ring.of(keys)
        self._key_file = key_file

    @property
    def current_key_id(self) -> str:
        """The key that seals."""
        return self._ring.current_key_id

    def __repr__(self) -> str:
        return f"Sealer(current_key_id={self.current_key_id!r})"

    def seal(self, plaintext: bytes, bound_to: str) -> bytes:
        """``plaintext`` sealed with the current key, to be opened only as ``bound_to``."""
        ring = self._ring
        key_id = ring.current_key_id.encode()
        header = bytes([VERSION, len(key_id)]) + key_id
        nonce = os.urandom(_NONCE_BYTES)
        sealed = ring.ciphers[ring.current_key_id].encrypt(
            nonce, plaintext, header + bound_to.encode()
        )
        return header + nonce + sealed

    def open(self, blob: bytes, bound_to: str) -> bytes:
        """What was sealed as ``bound_to``. Raises `SealBroken` if it does not open."""
        header, key_id = _read_header(blob)
        cipher = self._ring.ciphers.get(key_id) or self._read_again().ciphers.get(key_id)
        if cipher is None:
            raise SealBroken(
                f"{bound_to} is sealed with key {key_id!r}, which is not here; put it back into "
                "DAOZHANG_SEALING_KEYS or the file sealing.keys 请把该封存密钥放回配置."
            )
        nonce = blob[len(header) : len(header) + _NONCE_BYTES]
        sealed = blob[len(header) + _NONCE_BYTES :]
        try:
            return cipher.decrypt(nonce, sealed, header + bound_to.encode())
        except (InvalidTag, ValueError):
            raise SealBroken(
                f"{bound_to} does not open: the bytes were changed or moved, or the key "
                f"{key_id!r} is another one than the one that sealed it 封存内容无法打开."
            ) from None

    def needs_reseal(self, blob: bytes) -> bool:
        """Whether an older key than the current one holds ``blob``."""
        return _read_header(blob)[1] != self.current_key_id

    def sign_token(self, purpose: str, payload: Mapping[str, Any], expires_at: datetime) -> str:
        """A URL-safe token that carries ``payload`` (readable by whoever holds it) until then.

        ``purpose`` is bound in: a token for watching is none for paying.
        """
        content = {"p": dict(payload), "e": int(expires_at.timestamp())}
        text = _encode(json.dumps(content, separators=(",", ":"), sort_keys=True).encode())
        return f"{text}.{_encode(_mac(self._ring.signing_keys[0], purpose, text))}"

    def read_token(self, purpose: str, token: str, now: datetime) -> dict[str, Any]:
        """The payload of a token of ours for ``purpose``; raises `TokenRefused` otherwise."""
        text, _, signature = token.partition(".")
        given = _decode(signature)
        keys = self._ring.signing_keys
        genuine = [hmac.compare_digest(_mac(key, purpose, text), given) for key in keys]
        if not any(genuine):
            raise TokenRefused
        content = json.loads(_decode(text))
        if now.timestamp() >= content["e"]:
            raise TokenRefused(expired=True)
        return cast("dict[str, Any]", content["p"])

    def _read_again(self) -> _Ring:
        if self._key_file is not None:
            self._ring = _Ring.of(parse_keys(_read_private(self._key_file)))
        return self._ring


def parse_keys(text: str) -> dict[str, bytes]:
    """Keys written as ``id:base64``, parted by commas or line ends; the first one is current."""
    keys: dict[str, bytes] = {}
    for number, part in enumerate(re.split(r"[,\n]", text), 1):
        if not (entry := part.strip()) or entry.startswith("#"):
            continue
        key_id, colon, encoded = entry.partition(":")
        try:
            key = base64.b64decode(encoded.strip(), validate=True)
        except ValueError:
            key = b""
        if not colon or len(key) != KEY_BYTES or not _KEY_ID.fullmatch(key_id):
            raise SealingKeysInvalid(
                f"Sealing key number {number} is not id:base64 of {KEY_BYTES} bytes; make one "
                f"with: openssl rand -base64 {KEY_BYTES} 封存密钥格式应为 id:base64(32字节)."
            )
        if key_id in keys:
            raise SealingKeysInvalid(
                f"The sealing key id {key_id!r} is there twice 重复的密钥编号."
            )
        keys[key_id] = key
    return keys


def open_sealer(keys_text: str | None, key_file: Path) -> Sealer:
    """The sealer of ``keys_text``, else of ``key_file``, which is made (0600) if there is none."""
    if keys_text is not None:
        return Sealer(parse_keys(keys_text))
    if not key_file.exists():
        _create(key_file, new_key_line("k1"))
    return Sealer(parse_keys(_read_private(key_file)), key_file)


def add_key(key_file: Path) -> str:
    """Puts a new key in front of those in ``key_file``; returns its id."""
    text = _read_private(key_file)
    taken = parse_keys(text)
    key_id = next(
        f"k{n}" for n in range(len(taken) + 1, 2 * len(taken) + 2) if f"k{n}" not in taken
    )
    temporary = _write_temporary(key_file, f"{new_key_line(key_id)}{text}")
    temporary.replace(key_file)
    return key_id


def new_key_line(key_id: str) -> str:
    """A line with a new random key."""
    return f"{key_id}:{base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}\n"


def _create(key_file: Path, text: str) -> None:
    key_file.parent.mkdir(parents=True, exist_ok=True)
    temporary = _write_temporary(key_file, text)
    try:
        # A link never replaces: of two processes at their first start, one makes the key.
        os.link(temporary, key_file)
    except FileExistsError:
        return
    finally:
        temporary.unlink()


def _write_temporary(key_file: Path, text: str) -> Path:
    descriptor, name = tempfile.mkstemp(dir=key_file.parent, prefix=f".{key_file.name}.")
    with os.fdopen(descriptor, "w", encoding="ascii") as file:  # mkstemp makes it 0600
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return Path(name)


def _read_private(key_file: Path) -> str:
    # systemd lets a credential's user in by an access list, which shows as the group's right to read;
    # its directory keeps everybody else out.
    is_credential = str(key_file.parent) == os.environ.get("CREDENTIALS_DIRECTORY")
    others = 0o037 if is_credential else 0o077
    if os.name == "posix" and stat.S_IMODE(key_file.stat().st_mode) & others:
        raise SealingKeysInvalid(
            f"Others can read {key_file}; run: chmod 600 {key_file} 该文件可被他人读取, 请收紧权限."
        )
    return key_file.read_text(encoding="ascii")


def _check_key(key_id: str, key: bytes) -> None:
    if not _KEY_ID.fullmatch(key_id):
        raise SealingKeysInvalid(f"{key_id!r} is not a key id: letters, digits, _ and -, 1 to 32.")
    if len(key) != KEY_BYTES:
        raise SealingKeysInvalid(f"Sealing key {key_id!r} must have {KEY_BYTES} bytes.")


def _read_header(blob: bytes) -> tuple[bytes, str]:
    if len(blob) < 2 or blob[0] != VERSION or len(blob) < 2 + blob[1] + _NONCE_BYTES:
        raise SealBroken("This is not a value sealed by this version.")
    header = blob[: 2 + blob[1]]
    return header, header[2:].decode("ascii", "replace")


def _mac(key: bytes, purpose: str, text: str) -> bytes:
    return hmac.digest(key, f"{purpose}\n{text}".encode(), "sha256")


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return b""
