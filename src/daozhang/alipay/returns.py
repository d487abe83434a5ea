"""The return page's query: signed by Alipay, and never a proof of payment (protocol.md §7)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from daozhang.alipay.config import VerifyingKeys
from daozhang.alipay.errors import Untrusted, UntrustedReason
from daozhang.alipay.form import BODY_BYTES_MAX
from daozhang.alipay.keys import PublicKey
from daozhang.alipay.notify import read_signed
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
    query: str | bytes, keys: VerifyingKeys | PublicKey, own_parameters: Collection[str] = ()
) -> ReturnPage:
    """What ``query`` (raw, as it stands behind the ``?``) says, once its signature was checked.

    ``own_parameters`` are yours, in the ``return_url`` that you gave; Alipay does not sign them.
    Raises `Untrusted` with a reason otherwise.
    """
    raw = query.encode("utf-8", "surrogatepass") if isinstance(query, str) else query
    if len(raw) > BODY_BYTES_MAX:
        raise Untrusted(UntrustedReason.TOO_LARGE, f"More than {BODY_BYTES_MAX} bytes.")
    fields, _ = read_signed(raw.removeprefix(b"?"), keys, own_names=own_parameters)
    return _read(fields)


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
