"""Switches: what differs between merchants, products and years, or is disputed. One set per app.

The defaults are the documented ones; each field says what it decides.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

from daozhang.emulator.ledger import Product

_AMOUNT: Final = r"^[0-9]{1,10}(\.[0-9]{1,2})?$"
_DAY: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"


class Triggers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which changes of a trade are notified. A payment always is."""

    created: bool = False
    """The trade waits for the buyer (WAIT_BUYER_PAY)."""
    closed: bool = False
    """The trade was closed unpaid: by time, by close or by cancel."""
    finished: bool = False
    """The refund window is over (TRADE_FINISHED)."""
    partial_refund: bool = True
    """Some of it went back (TRADE_SUCCESS with refund_fee)."""
    full_refund: bool = True
    """All of it went back (TRADE_CLOSED with refund_fee)."""


class Switches(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How Alipay behaves towards one app."""

    content_type: Literal["captured", "plain"] = "captured"
    """Header of notifications: ``captured`` is the malformed one that Alipay was seen to send."""
    notify_charset: Literal["request", "utf-8", "gbk"] = "request"
    """Charset of notifications: that of the payment's request, or always the same."""
    page: Triggers = Triggers()
    wap: Triggers = Triggers(closed=True, finished=True)
    app: Triggers = Triggers(closed=True, finished=True)
    qr: Triggers = Triggers(closed=True)
    barcode: Triggers = Triggers()
    mini: Triggers = Triggers(closed=True)
    agreement: Triggers = Triggers(closed=True)
    hold: Triggers = Triggers(closed=True)
    hold_days: int = 365
    """How long money stays frozen; then what is left is let go (by contract, unverified)."""
    hold_rest_notified: bool = True
    """What Alipay lets go by itself is notified as ``fund_auth_unfreeze`` (unverified)."""
    hold_cancel_notified: bool = True
    """A cancelled freeze is notified as ``fund_auth_operation_cancel`` (unverified)."""
    voucher_opens_hold: bool = False
    """A QR code makes its hold at once, not when somebody scans it (unverified)."""
    refund_window_days: int = 365
    """How long a payment can be refunded; then the trade is finished."""
    deduct_window_days: int = 5
    """How many days before its planned day a deduction is taken; older documents say 3."""
    royalty_percent: Annotated[int, msgspec.Meta(ge=0, le=100)] = 30
    """How many percent of a trade may be passed on, by the seller's agreement."""
    share_seconds: Annotated[int, msgspec.Meta(ge=0, le=86400)] = 3
    """How long a share takes that was only accepted (``royalty_mode`` async)."""
    thaw_notified: bool = True
    """A freeze for sharing that ends by itself is told to the gateway (unverified)."""
    direct_pay: bool = False
    """A merchant of 直付通: a payment stays unsettled, and nothing is passed on of it, until its settlement
    is confirmed."""
    settlement_suspended: bool = False
    """Risk control lets no settlement be confirmed."""
    opening_balance: Annotated[str, msgspec.Meta(pattern=_AMOUNT)] = "1000000.00"
    """What the seller's account holds before its first movement, in yuan."""
    fee_basis_points: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 60
    """The service fee of a payment, in hundredths of a percent."""
    fee_returned: bool = True
    """A refund brings its part of the service fee back."""
    settlement_days: Annotated[int, msgspec.Meta(ge=0, le=90)] = 0
    """After how many working days a payment becomes available; until then it is unsettled."""
    holidays: tuple[Annotated[str, msgspec.Meta(pattern=_DAY)], ...] = ()
    """Days (``yyyy-MM-dd``) that are no working days, beside Saturdays and Sundays."""
    empty_bill_has_file: bool = False
    """A day on which nothing happened has a bill without lines; else there is NO_BILL_DATA."""
    registered_on: Annotated[str, msgspec.Meta(pattern=rf"{_DAY}|^$")] = ""
    """The day (``yyyy-MM-dd``) on which the seller came to Alipay; no bill is older."""
    receipt_seconds: Annotated[int, msgspec.Meta(ge=0, le=86400)] = 0
    """How long Alipay takes to write a receipt."""
    transfer_single_max: Annotated[str, msgspec.Meta(pattern=_AMOUNT)] = "50000.00"
    """The most that one transfer may send, in yuan."""
    transfer_daily_max: Annotated[str, msgspec.Meta(pattern=_AMOUNT)] = "1000000.00"
    """The most that the transfers of a day in Beijing may send together."""
    transfer_notified: bool = True
    """A transfer to an account is told to the gateway too, not only one to a card (unverified)."""
    card_transfer_seconds: Annotated[int, msgspec.Meta(ge=0, le=30 * 86400)] = 7200
    """After how long a bank takes a transfer to a card, which is DEALING until then."""
    finished_at_once: bool = False
    """A product without refunds: a payment is TRADE_FINISHED from the start."""
    buyer_open_id: bool = False
    """A newer app, which is told ``buyer_open_id`` instead of ``buyer_id``."""
    gateway_url: str = ""
    """The app's application gateway: where messages go. Without one they are dropped."""
    escape_slashes: bool = False
    """Answers of V2 write ``\\/`` for ``/``."""
    strict_timestamp: bool = False
    """A request stamped more than a day away from the emulator's clock is refused."""

    def triggers(self, product: Product) -> Triggers:
        """The triggers of ``product``."""
        return {
            Product.PAGE: self.page,
            Product.WAP: self.wap,
            Product.APP: self.app,
            Product.QR: self.qr,
            Product.BARCODE: self.barcode,
            Product.MINI: self.mini,
            Product.AGREEMENT: self.agreement,
            Product.HOLD: self.hold,
        }[product]


DEFAULTS: Final = Switches()


def changed(switches: Switches, changes: object) -> Switches:
    """``switches`` with ``changes`` (as read from JSON) on top.

    Raises `msgspec.ValidationError` for a name or value that does not exist.
    """
    merged = msgspec.to_builtins(switches)
    if not isinstance(changes, dict):
        raise msgspec.ValidationError("Expected an object of switches")
    for name, value in changes.items():  # pyright: ignore[reportUnknownVariableType]
        is_part = isinstance(merged.get(name), dict) and isinstance(value, dict)
        merged[name] = {**merged[name], **value} if is_part else value
    return msgspec.convert(merged, Switches)
