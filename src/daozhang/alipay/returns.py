"""The return page's query: signed by Alipay, and never a proof of payment (protocol.md §7)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl

from daozhang.alipay.config import VerifyingKeys
from daozhang.alipay.errors import Untrusted, UntrustedReason
from daozhang.alipay.form import BODY_BYTES_MAX
from daozhang.alipay.keys import PublicKey
from daozhang.alipay.signing import V1, signed_text
from daozhang.clock import from_beijing_text
from daozhang.money import Money, MoneyError


@dataclass(frozen=True, slots=True)
class ReturnPage:
    """What Alipay says in the address to which it sends the buyer back.

    It can be replayed, missed, and come before the money: show "confirming" and ask.
    """

    out_trade_no: str
    trade_no: str
    total_amount: Money
    seller_id: str | None
    app_id: str | None
    timestamp: datetime | None


def verify_return(
    query: str | bytes, keys: VerifyingKeys | PublicKey, *, own_parameters: Collection[str] = ()
) -> ReturnPage:
    """What ``query`` (raw, as it stands behind the ``?``) says, once its signature was checked.

    ``own_parameters`` are yours, in the ``return_url`` that you gave; Alipay does not sign them.
    Raises `Untrusted` with a reason otherwise.
    """
    if isinstance(keys, PublicKey):
        keys = VerifyingKeys((keys,))
    params = _params(query)
    for name in own_parameters:
        params.pop(name, None)
    sign = params.get("sign")
    if not sign:
        raise Untrusted(UntrustedReason.MISSING_SIGN, "There is no sign in the address.")
    signed = signed_text(params, V1).encode(_charset(params))
    if not any(key.verify(signed, sign, keys.sign_type) for key in keys.keys):
        if " " in sign:
            raise Untrusted(
                UntrustedReason.SIGN_DECODED_TWICE,
                "sign contains spaces: a proxy turned %2B into + in the address.",
            )
        raise Untrusted(
            UntrustedReason.BAD_SIGNATURE, "The signature is not Alipay's for this address."
        )
    return _read(params)


def _params(query: str | bytes) -> dict[str, str]:
    if len(query) > BODY_BYTES_MAX:
        raise Untrusted(UntrustedReason.TOO_LARGE, f"More than {BODY_BYTES_MAX} bytes.")
    try:
        text = query.decode("ascii") if isinstance(query, bytes) else query
        raw = parse_qsl(text, encoding="latin-1", keep_blank_values=True, max_num_fields=100)
        charset = _charset(dict(raw))
        pairs = [
            (name.encode("latin-1").decode(charset), value.encode("latin-1").decode(charset))
            for name, value in raw
        ]
    except (UnicodeError, ValueError):
        raise Untrusted(UntrustedReason.BAD_TEXT, "The address cannot be decoded.") from None
    params = dict(pairs)
    if len(params) != len(pairs):
        raise Untrusted(UntrustedReason.DUPLICATE_KEY, "A parameter is there twice.")
    return params


def _charset(params: dict[str, str]) -> str:
    named = params.get("charset", "utf-8").lower()
    if named not in ("utf-8", "utf8", "gbk", "gb2312", "gb18030"):
        raise Untrusted(UntrustedReason.UNKNOWN_CHARSET, f"charset {named[:20]!r} is not known.")
    return "utf-8" if named.startswith("utf") else "gb18030"


def _read(params: dict[str, str]) -> ReturnPage:
    timestamp = params.get("timestamp")
    try:
        return ReturnPage(
            out_trade_no=params["out_trade_no"],
            trade_no=params["trade_no"],
            total_amount=Money.parse(params["total_amount"]),
            seller_id=params.get("seller_id"),
            app_id=params.get("app_id"),
            timestamp=from_beijing_text(timestamp) if timestamp else None,
        )
    except (KeyError, ValueError, MoneyError) as error:
        raise Untrusted(
            UntrustedReason.BAD_FIELD, f"The address lacks or spoils {error}."
        ) from None
