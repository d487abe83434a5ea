"""Why bytes were not believed, in words, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from daozhang.console.words import word


@dataclass(frozen=True, slots=True)
class Advice:
    """A reason in words, and what to do."""

    why: str
    todo: str


_CHANGED: Final = word(
    "Something between Alipay and here changes the body. Let the notify address pass without being "
    "parsed or rewritten: look at proxies, gateways and firewalls."
)
_STRANGER: Final = word(
    "Probably a stranger or a scanner. Nothing was booked, and nothing is to be done unless it goes on."
)
_KEY: Final = word(
    "If your own payments are refused: compare the Alipay public key of this app with Alipay's console "
    "(not the app's own public key, nor the sandbox's), and run the checks under System health."
)

REASONS: Final[Mapping[str, Advice]] = {
    "bad_signature": Advice(word("The signature is not Alipay's for these bytes"), _KEY),
    "missing_sign": Advice(word("It carries no signature"), _STRANGER),
    "sign_malformed": Advice(word("The signature is no base64"), _STRANGER),
    "sign_decoded_twice": Advice(word("The body was decoded twice on its way"), _CHANGED),
    "sign_type_differs": Advice(
        word("It is signed by another method than the one that is set up"),
        word("In Alipay's console, change the app's way of signing to RSA2."),
    ),
    "duplicate_key": Advice(word("A field is there twice"), _CHANGED),
    "ambiguous": Advice(
        word("What is signed can be read in two ways"),
        word("A field holds the text of another one. Do not let buyers choose subjects like that."),
    ),
    "unknown_charset": Advice(word("It names a charset that Alipay does not use"), _STRANGER),
    "bad_text": Advice(word("The text is not in the charset that it names"), _CHANGED),
    "bad_field": Advice(
        word("A signed field is not what it should be"),
        word(
            "Tell the makers of this software: Alipay has signed something that is not understood."
        ),
    ),
    "bad_percent": Advice(word("The form is encoded wrongly"), _CHANGED),
    "null_byte": Advice(word("It holds control characters"), _STRANGER),
    "empty": Advice(word("It is empty"), _CHANGED),
    "too_large": Advice(word("It is too large"), _STRANGER),
    "malformed": Advice(word("It is no form that could be read"), _STRANGER),
}
