"""What Alipay tells, as types: one class for each kind of notification (protocol.md §6.4 to §6.8).

Only `daozhang.alipay.notify.verify` makes them: whoever holds one holds something that Alipay
signed. Amounts were converted when it was made, and times checked: those are converted when they
are read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, ClassVar, Final

import msgspec

from daozhang.clock import from_beijing_text
from daozhang.money import Money

CURRENCY: Final = "CNY"
"""Trade notifications carry yuan; foreign currencies have fields of their own."""


VERIFIED: Final = object()
"""What `daozhang.alipay.notify.verify` shows to make a notification; nobody else has a reason to."""

read_fund_bills: Final = msgspec.json.Decoder(list[dict[str, Any]], float_hook=str).decode
"""Reads ``fund_bill_list``. An amount that Alipay writes without quotes stays text, never a float."""


class Notification:
    """Something that Alipay signed. ``fields`` holds all of it, also what is not known here.

    An empty field is not signed, so it counts as absent.
    """

    kind: ClassVar[str] = "notification"
    __slots__ = ("_signed", "_texts", "fields")

    def __init__(self, fields: dict[str, str], signed: bytes, proof: object = None) -> None:
        """For `verify` only. ``signed`` is the text that the signature covers."""
        if proof is not VERIFIED:
            raise TypeError("Only daozhang.alipay.verify makes notifications, from signed bytes.")
        self._texts = fields
        self.fields: Mapping[str, str] = MappingProxyType(fields)
        self._signed = signed

    @property
    def notify_id(self) -> str | None:
        """Alipay's number for this notification; the same in every retry."""
        return self._texts.get("notify_id")

    @property
    def app_id(self) -> str | None:
        """The app that is told."""
        return self._texts.get("app_id")

    @property
    def auth_app_id(self) -> str | None:
        """The app that authorised the teller; another than `app_id` in ISV mode only."""
        return self._texts.get("auth_app_id")

    @property
    def seller_id(self) -> str | None:
        """Whose money it is: 2088..."""
        return self._texts.get("seller_id")

    @property
    def notify_time(self) -> datetime | None:
        """When this attempt was sent. Changes with each retry."""
        return self._moment("notify_time")

    @property
    def content_hash(self) -> str:
        """SHA-256 (hex) over everything signed but the time of sending.

        The same for every retry, another for other content under the same `notify_id`.
        """
        sent_at = b"notify_time=" + self._texts.get("notify_time", "").encode()
        # It stands between others, once: then this is the same in a third of the time.
        kept = self._signed.replace(b"&%b&" % sent_at, b"&", 1)
        if sent_at in kept:
            kept = b"&".join(part for part in self._signed.split(b"&") if part != sent_at)
        return hashlib.sha256(kept).hexdigest()

    def _moment(self, name: str) -> datetime | None:
        text = self._texts.get(name)
        return from_beijing_text(text) if text else None

    def __repr__(self) -> str:
        return f"{type(self).__name__}(notify_id={self.notify_id!r})"


class TradeNotification(Notification):
    """About one trade (``notify_type=trade_status_sync``)."""

    kind = "trade"
    __slots__ = ("_amounts",)

    def __init__(
        self,
        fields: dict[str, str],
        signed: bytes,
        proof: object = None,
        amounts: Mapping[str, Money] = MappingProxyType({}),
    ) -> None:
        """For `verify` only. ``amounts`` are those among ``fields``, converted."""
        super().__init__(fields, signed, proof)
        self._amounts = amounts

    @property
    def out_trade_no(self) -> str | None:
        """The merchant's number of the order."""
        return self._texts.get("out_trade_no")

    @property
    def trade_no(self) -> str | None:
        """Alipay's number of the trade."""
        return self._texts.get("trade_no")

    @property
    def trade_status(self) -> str | None:
        """WAIT_BUYER_PAY, TRADE_SUCCESS, TRADE_FINISHED or TRADE_CLOSED."""
        return self._texts.get("trade_status")

    @property
    def total_amount(self) -> Money | None:
        """What the order costs. Compare this one, never what was received: discounts lower that."""
        return self._amounts.get("total_amount")

    @property
    def refund_fee(self) -> Money | None:
        """All that has gone back so far: a running total, never one refund."""
        return self._amounts.get("refund_fee")

    @property
    def receipt_amount(self) -> Money | None:
        """What the merchant received. On payments only."""
        return self._amounts.get("receipt_amount")

    @property
    def buyer_pay_amount(self) -> Money | None:
        """What the buyer paid. On payments only."""
        return self._amounts.get("buyer_pay_amount")

    @property
    def invoice_amount(self) -> Money | None:
        """What an invoice may be made out for. On payments only."""
        return self._amounts.get("invoice_amount")

    @property
    def point_amount(self) -> Money | None:
        """What was paid in points. On payments only."""
        return self._amounts.get("point_amount")

    @property
    def gmt_create(self) -> datetime | None:
        """When the trade was created."""
        return self._moment("gmt_create")

    @property
    def gmt_payment(self) -> datetime | None:
        """When it was paid."""
        return self._moment("gmt_payment")

    @property
    def gmt_refund(self) -> datetime | None:
        """When the latest refund was made; to the millisecond."""
        return self._moment("gmt_refund")

    @property
    def gmt_close(self) -> datetime | None:
        """When the trade was closed or finished."""
        return self._moment("gmt_close")

    @property
    def out_biz_no(self) -> str | None:
        """The number of the refund that this tells of: its `out_request_no`."""
        return self._texts.get("out_biz_no") or self._texts.get("out_request_no")

    @property
    def buyer_id(self) -> str | None:
        """The buyer's user id; newer apps get `buyer_open_id` in its place."""
        return self._texts.get("buyer_id")

    @property
    def buyer_open_id(self) -> str | None:
        """The buyer's open id, good for this app only."""
        return self._texts.get("buyer_open_id")

    @property
    def buyer_logon_id(self) -> str | None:
        """The buyer's account, masked."""
        return self._texts.get("buyer_logon_id")

    @property
    def passback_params(self) -> str | None:
        """What the merchant sent along, as it was sent: still encoded if it was encoded."""
        return self._texts.get("passback_params")

    @property
    def fund_bills(self) -> tuple[Mapping[str, Any], ...]:
        """What the payment was made of: ``amount`` (text) and ``fundChannel`` of each part."""
        text = self._texts.get("fund_bill_list")
        return tuple(read_fund_bills(text)) if text else ()


class Paid(TradeNotification):
    """The buyer has paid; nothing has been refunded."""

    kind = "paid"
    __slots__ = ()


class PartlyRefunded(TradeNotification):
    """Part of a payment has gone back. It says TRADE_SUCCESS, and is no payment."""

    kind = "partly_refunded"
    __slots__ = ()


class FullyRefunded(TradeNotification):
    """All of a payment has gone back. It says TRADE_CLOSED, and is no unpaid order."""

    kind = "fully_refunded"
    __slots__ = ()


class Closed(TradeNotification):
    """Closed without a payment."""

    kind = "closed"
    __slots__ = ()


class ClosedUnclear(TradeNotification):
    """Closed, with signs of a payment and without proof that all of it has gone back: ask."""

    kind = "closed_unclear"
    __slots__ = ()


class Finished(TradeNotification):
    """Paid, and no longer refundable. Can follow refunds: it proves no fresh payment."""

    kind = "finished"
    __slots__ = ()


class Waiting(TradeNotification):
    """A trade has been created and waits for the buyer."""

    kind = "waiting"
    __slots__ = ()


class Message(Notification):
    """A message to the app gateway, "From Ant" (``msg_method``), or to the service window."""

    kind = "message"
    __slots__ = ("content",)

    def __init__(
        self,
        fields: dict[str, str],
        signed: bytes,
        proof: object = None,
        content: str | None = None,
    ) -> None:
        """For `verify` only."""
        super().__init__(fields, signed, proof)
        self.content: str | None = content
        """``biz_content``, decrypted if it came encrypted and a key was given."""

    @property
    def content_hash(self) -> str:
        """SHA-256 (hex) over everything signed but the times of sending, of which it has another name."""
        sent_at = (b"notify_time=", b"utc_timestamp=")
        kept = [part for part in self._signed.split(b"&") if not part.startswith(sent_at)]
        return hashlib.sha256(b"&".join(kept)).hexdigest()

    @property
    def msg_method(self) -> str | None:
        """Which message: alipay.trade.refund.depositback.completed, ..."""
        return self._texts.get("msg_method") or self._texts.get("service")


class UnknownNotification(Notification):
    """Signed by Alipay, of a kind that is not known here: keep it, and do not act on it."""

    kind = "unknown"
    __slots__ = ()


AnyTradeNotification = (
    Paid | PartlyRefunded | FullyRefunded | Closed | ClosedUnclear | Finished | Waiting
)
"""Every kind of trade notification."""
