"""What the control plane takes: the body of each of its routes."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec

from daozhang.emulator.faults import FaultName
from daozhang.emulator.ledger import Channel
from daozhang.emulator.wallet import BALANCE_TOO_LOW, Behaviour

ADVANCE_SECONDS_MAX: Final = 10 * 366 * 86400


class PayBody(msgspec.Struct, forbid_unknown_fields=True):
    """``POST /_control/pay``."""

    out_trade_no: str = ""
    app_id: str | None = None
    channel: Channel = Channel.BALANCE
    order_string: str = ""


class PaymentCodeBody(msgspec.Struct, forbid_unknown_fields=True):
    """``POST /_control/payment_codes``."""

    behaviour: Behaviour = Behaviour.PAYS
    sub_code: str = BALANCE_TOO_LOW
    channel: Channel = Channel.BALANCE
    face: bool = False


class ConfirmBody(msgspec.Struct, forbid_unknown_fields=True):
    """``POST /_control/confirm``."""

    out_trade_no: str
    app_id: str | None = None
    agree: bool = True


class MessageBody(msgspec.Struct, forbid_unknown_fields=True):
    """``POST /_control/messages``."""

    app_id: str
    msg_method: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    content: dict[str, Any] = {}
    encrypted: bool = False


class BankBody(msgspec.Struct, forbid_unknown_fields=True):
    """``POST /_control/bank_returns``."""

    out_trade_no: str
    out_request_no: str
    app_id: str | None = None
    arrived: bool = True


class TradePayBody(msgspec.Struct, forbid_unknown_fields=True):
    """``POST /_control/trade_pay``."""

    trade_no: str
    result_code: Literal["9000", "8000", "6004", "6002", "6001", "4000", "4", "99"] = "9000"
    channel: Channel = Channel.BALANCE


class PhoneBody(msgspec.Struct, forbid_unknown_fields=True):
    """``POST /_control/phone_number``."""

    app_id: str
    mobile: Annotated[str, msgspec.Meta(pattern="^[0-9+]{5,20}$")] = "13800000000"


class ClockBody(msgspec.Struct, forbid_unknown_fields=True):
    """``POST /_control/clock``."""

    advance_seconds: Annotated[float, msgspec.Meta(ge=0, le=ADVANCE_SECONDS_MAX)]


class RefundBody(msgspec.Struct, forbid_unknown_fields=True):
    """``POST /_control/refund``."""

    out_trade_no: str
    app_id: str | None = None
    amount: str | None = None
    out_request_no: Annotated[str, msgspec.Meta(max_length=64)] | None = None


class FaultBody(msgspec.Struct, forbid_unknown_fields=True):
    """``POST /_control/faults``."""

    name: FaultName
    out_trade_no: str | None = None
    app_id: str | None = None
    method: str | None = None
    times: Annotated[int, msgspec.Meta(ge=1)] | None = None
    probability: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0
    seconds: Annotated[float, msgspec.Meta(ge=0, le=3600)] | None = None


class KeyBody(msgspec.Struct, forbid_unknown_fields=True):
    """A public key that a merchant uploads."""

    public_key: str


class ResetBody(msgspec.Struct, forbid_unknown_fields=True):
    """``POST /_control/reset``."""

    seed: int | None = None
