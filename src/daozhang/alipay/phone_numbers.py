"""The phone number that a buyer lets a mini program have: verified, then decrypted (protocol.md §4.3).

``my.getPhoneNumber`` hands the mini program an encrypted text, which only the server can read. It is
signed like an answer of the gateway: over the text in quotes where it is encrypted, else over the
object itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

import msgspec

from daozhang.alipay import cipher
from daozhang.alipay.config import VerifyingKeys
from daozhang.alipay.errors import Rejected, Untrusted, UntrustedReason
from daozhang.alipay.form import BODY_BYTES_MAX
from daozhang.alipay.keys import PublicKey

METHOD: Final = "my.getPhoneNumber"
_PLAIN_STARTS: Final = ("{",)


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A number that Alipay says is the buyer's. It is personal: keep it sealed, show it masked."""

    mobile: str = field(repr=False)


def decrypt_phone(
    answer: str | Mapping[str, Any], keys: VerifyingKeys | PublicKey, encrypt_key: str
) -> PhoneNumber:
    """The number in what ``my.getPhoneNumber`` gave (its whole answer, as text or object).

    Verified first, decrypted afterwards. Raises `Untrusted` if it is not Alipay's or cannot be
    read, `Rejected` if Alipay itself says no (the app has no permission, for example).
    """
    given = _object(answer)
    response, sign = given.get("response"), given.get("sign")
    if not isinstance(response, str) or not response:
        raise Untrusted(UntrustedReason.MALFORMED, "The answer holds no response.")
    if not isinstance(sign, str) or not sign:
        raise Untrusted(UntrustedReason.MISSING_SIGN, "The answer carries no sign.")
    plain = response.lstrip().startswith(_PLAIN_STARTS)
    signed = response if plain else f'"{response}"'
    pinned = VerifyingKeys((keys,)) if isinstance(keys, PublicKey) else keys
    if not any(key.verify(signed.encode(), sign, pinned.sign_type) for key in pinned.keys):
        raise Untrusted(
            UntrustedReason.BAD_SIGNATURE,
            "The signature is not Alipay's for this response: it was changed on the way, or the key is "
            "another app's.",
        )
    return _number_in(response if plain else _decrypted(response, encrypt_key))


def _object(answer: str | Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(answer, Mapping):
        return answer
    if len(answer) > BODY_BYTES_MAX:
        raise Untrusted(UntrustedReason.TOO_LARGE, f"More than {BODY_BYTES_MAX} characters.")
    try:
        read = msgspec.json.decode(answer)
    except (msgspec.DecodeError, UnicodeEncodeError):
        read = None
    if not isinstance(read, dict):
        raise Untrusted(UntrustedReason.MALFORMED, "The answer is no JSON object.")
    return cast("Mapping[str, Any]", read)


def _decrypted(response: str, encrypt_key: str) -> str:
    try:
        return cipher.decrypt(response, encrypt_key).decode("utf-8")
    except (cipher.CipherTextInvalid, UnicodeDecodeError):
        raise Untrusted(
            UntrustedReason.BAD_FIELD,
            "response is signed, but does not decrypt with this encrypt_key: it is another app's, or was "
            "changed in the console.",
        ) from None


def _number_in(text: str) -> PhoneNumber:
    content = _object(text)
    code = str(content.get("code") or "")
    if code != "10000":
        sub_code = content.get("subCode") or content.get("sub_code")
        message = content.get("subMsg") or content.get("sub_msg") or content.get("msg") or ""
        raise Rejected(code, None if not sub_code else str(sub_code), str(message), method=METHOD)
    mobile = content.get("mobile")
    if not isinstance(mobile, str) or not mobile.strip() or not mobile.lstrip("+").isdigit():
        raise Untrusted(
            UntrustedReason.BAD_FIELD, "response is signed, but holds no mobile number."
        )
    return PhoneNumber(mobile)
