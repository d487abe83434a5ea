"""What the application gateway says, typed by kind ("From Ant", apis.md §16, protocol.md §6.8).

`daozhang.alipay.verify` makes a `Message` of a signed body; `read_message` makes of that what its
``msg_method`` means. A kind without a type here stays a `Message`: nothing is lost of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Final, cast

import msgspec

from daozhang.alipay.errors import Untrusted, UntrustedReason
from daozhang.alipay.notifications import Message
from daozhang.clock import from_beijing_text
from daozhang.money import Money, MoneyError


class TypedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message whose content was read. ``content`` holds all of it, also what has no name here, and a
    time that cannot be read: that field is ``None``."""

    METHOD: ClassVar[str]

    content: Mapping[str, Any]


class RefundDepositBack(TypedMessage, frozen=True, kw_only=True):
    """A bank has taken a refund to a card, or sent it back: then it lies in the buyer's balance.

    ``dback_status`` is ``P`` (on its way), ``S`` (arrived) or ``F`` (came back).
    """

    METHOD: ClassVar[str] = "alipay.trade.refund.depositback.completed"

    trade_no: str | None = None
    out_trade_no: str | None = None
    out_request_no: str | None = None
    dback_status: str | None = None
    dback_amount: Money | None = None
    bank_ack_time: datetime | None = None
    est_bank_receipt_time: datetime | None = None


class OrderSettled(TypedMessage, frozen=True, kw_only=True):
    """What became of a share that was made later (``msg_type`` ASYNC_SETTLE_RESULT); or what was frozen of a
    payment for sharing is the seller's since its time is over (AUTO_SETTLE_FINISH, unverified): then
    ``royalty_finish_amount`` says how much, and there is no ``out_request_no``."""

    METHOD: ClassVar[str] = "alipay.trade.order.settle.notify"

    trade_no: str | None = None
    settle_no: str | None = None
    out_request_no: str | None = None
    msg_type: str | None = None
    operation_dt: datetime | None = None
    operation_finish_dt: datetime | None = None
    royalty_finish_amount: Money | None = None
    royalty_detail_list: tuple[Mapping[str, Any], ...] | None = None


class TransferChanged(TypedMessage, frozen=True, kw_only=True):
    """A transfer has moved on: ``status`` SUCCESS, DEALING, FAIL, CLOSED or REFUND, the last where a bank
    sent it back after all."""

    METHOD: ClassVar[str] = "alipay.fund.trans.order.changed"

    out_biz_no: str | None = None
    order_id: str | None = None
    pay_fund_order_id: str | None = None
    product_code: str | None = None
    biz_scene: str | None = None
    status: str | None = None
    sub_status: str | None = None
    action_type: str | None = None
    origin_interface: str | None = None
    trans_amount: Money | None = None
    pay_date: datetime | None = None
    passback_params: str | None = None
    error_code: str | None = None
    fail_reason: str | None = None


class AuthorisationCancelled(TypedMessage, frozen=True, kw_only=True):
    """A merchant has withdrawn the authorisation of a service provider's app."""

    METHOD: ClassVar[str] = "alipay.open.auth.appauth.cancelled"

    auth_app_id: str | None = None
    user_id: str | None = None


class ComplaintChanged(TypedMessage, frozen=True, kw_only=True):
    """A buyer's complaint has moved on (the name is unverified)."""

    METHOD: ClassVar[str] = "alipay.merchant.tradecomplain.changed"

    complain_event_id: str | None = None
    trade_no: str | None = None
    status: str | None = None


KINDS: Final[Mapping[str, type[TypedMessage]]] = {
    kind.METHOD: kind
    for kind in (
        RefundDepositBack,
        OrderSettled,
        TransferChanged,
        AuthorisationCancelled,
        ComplaintChanged,
    )
}
"""By ``msg_method``."""

_AMOUNTS: Final = frozenset({"dback_amount", "trans_amount", "royalty_finish_amount"})
_LISTS: Final = frozenset({"royalty_detail_list"})
_TIMES: Final = frozenset(
    {
        "bank_ack_time",
        "est_bank_receipt_time",
        "operation_dt",
        "operation_finish_dt",
        "pay_date",
    }
)


def content_of(message: Message) -> Mapping[str, Any]:
    """The content of a message as an object; empty for one that has none, or whose content is XML or
    encrypted with a key that was not given."""
    try:
        read = msgspec.json.decode(message.content or "{}")
    except msgspec.DecodeError:
        return {}
    return cast("Mapping[str, Any]", read) if isinstance(read, dict) else {}


def read_message(message: Message) -> TypedMessage | Message:
    """What ``message`` means; itself if its kind has no type here.

    Raises `Untrusted` if a field is not what it must be: it is signed, and must not be guessed.
    """
    kind = KINDS.get(message.msg_method or "")
    if kind is None:
        return message
    content = content_of(message)
    names = [name for name in kind.__struct_fields__ if name != "content"]
    given = {name: content[name] for name in names if content.get(name) not in (None, "")}
    read: dict[str, Any] = {name: _read(name, value) for name, value in given.items()}
    return kind(content=content, **read)


def _read(name: str, value: object) -> object:
    if name in _LISTS:
        return _details(value)
    text = value if isinstance(value, str) else str(value)
    if name in _TIMES:
        return _moment(text)
    try:
        return Money.parse(text) if name in _AMOUNTS else text
    except (ValueError, MoneyError):
        raise Untrusted(
            UntrustedReason.BAD_FIELD, f"{name} is signed, but {text[:40]!r} cannot be read."
        ) from None


def _moment(text: str) -> datetime | None:
    """A time that decides nothing: one that cannot be read must not lose the message."""
    try:
        return from_beijing_text(text)
    except ValueError:
        return None


def _details(value: object) -> tuple[Mapping[str, Any], ...] | None:
    """A list of objects, also where it came as text; ``None`` in another shape."""
    if isinstance(value, str):
        try:
            value = msgspec.json.decode(value)
        except msgspec.DecodeError:
            return None
    items = cast("list[Any]", value) if isinstance(value, list) else []
    if not items or not all(isinstance(item, dict) for item in items):
        return None
    return tuple(cast("list[Mapping[str, Any]]", items))
