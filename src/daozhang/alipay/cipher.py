"""Content encryption: AES-128-CBC with Alipay's zero IV, PKCS#7 padding, base64 (protocol.md §4).

The zero IV is Alipay's, not a choice; authenticity comes from the signature, so verify first and
decrypt afterwards.
"""

from __future__ import annotations

import base64
import binascii
import os
from typing import Final

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from daozhang.alipay.errors import KeyProblem

_ZERO_IV: Final = bytes(16)
_BLOCK_BITS: Final = 128
_KEY_SIZES: Final = (16, 24, 32)


class CipherTextInvalid(ValueError):
    """The text is not what this key encrypted."""


def encrypt(text: bytes, key_base64: str) -> str:
    """``text`` encrypted, base64."""
    return base64.b64encode(_encrypt(text, load_key(key_base64), _ZERO_IV)).decode()


def decrypt(text: str | bytes, key_base64: str) -> bytes:
    """What was encrypted. Raises `CipherTextInvalid`."""
    return _decrypt(_decode(text), load_key(key_base64), _ZERO_IV)


def encrypt_v2(text: bytes, key_base64: str) -> str:
    """``AES_V2``: a random IV stands in front of the cipher text."""
    iv = os.urandom(16)
    return base64.b64encode(iv + _encrypt(text, load_key(key_base64), iv)).decode()


def decrypt_v2(text: str | bytes, key_base64: str) -> bytes:
    """What ``AES_V2`` encrypted. Raises `CipherTextInvalid`."""
    raw = _decode(text)
    return _decrypt(raw[16:], load_key(key_base64), raw[:16])


def load_key(key_base64: str) -> bytes:
    """The AES key that the console shows as base64. Raises `KeyProblem` if it is none."""
    try:
        key = base64.b64decode("".join(key_base64.split()), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) not in _KEY_SIZES:
        raise KeyProblem(
            "encrypt_key must be the base64 text of 16 bytes that the console shows under 接口内容"
            "加密方式; this is not 内容加密密钥应为控制台给出的 base64 文本。"
        )
    return key


def _encrypt(text: bytes, key: bytes, iv: bytes) -> bytes:
    padder = padding.PKCS7(_BLOCK_BITS).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return encryptor.update(padder.update(text) + padder.finalize()) + encryptor.finalize()


def _decrypt(raw: bytes, key: bytes, iv: bytes) -> bytes:
    try:
        decryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
        padded = decryptor.update(raw) + decryptor.finalize()
        unpadder = padding.PKCS7(_BLOCK_BITS).unpadder()
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError:
        raise CipherTextInvalid("The text does not decrypt with this key.") from None


def _decode(text: str | bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise CipherTextInvalid("The cipher text is not base64.") from None
