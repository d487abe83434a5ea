"""Content encryption: what goes in comes out, and what is not ours is named."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alipay.fakes import ENCRYPT_KEY
from daozhang.alipay import cipher
from daozhang.alipay.errors import KeyProblem


@given(st.binary(max_size=200))
def test_what_was_encrypted_decrypts(text: bytes) -> None:
    assert cipher.decrypt(cipher.encrypt(text, ENCRYPT_KEY), ENCRYPT_KEY) == text
    assert cipher.decrypt_v2(cipher.encrypt_v2(text, ENCRYPT_KEY), ENCRYPT_KEY) == text


def test_with_an_iv_of_its_own_no_two_are_equal() -> None:
    assert cipher.encrypt_v2(b"x", ENCRYPT_KEY) != cipher.encrypt_v2(b"x", ENCRYPT_KEY)
    assert cipher.encrypt(b"x", ENCRYPT_KEY) == cipher.encrypt(b"x", ENCRYPT_KEY)


@pytest.mark.parametrize("text", ["", "AAAA", "not base64!", "QUJD" * 4, "é"])
def test_what_is_no_ciphertext_is_named(text: str) -> None:
    with pytest.raises(cipher.CipherTextInvalid):
        cipher.decrypt(text, ENCRYPT_KEY)
    with pytest.raises(cipher.CipherTextInvalid):
        cipher.decrypt_v2(text, ENCRYPT_KEY)


@pytest.mark.parametrize("key", ["", "short", base64.b64encode(b"x" * 15).decode(), "!" * 24])
def test_what_is_no_key_is_named_and_never_shown(key: str) -> None:
    with pytest.raises(KeyProblem, match="encrypt_key") as problem:
        cipher.encrypt(b"x", key)
    assert not key or key not in str(problem.value)
