"""What a notification says: the fields of ``trade_status_sync``, as captured ones have them.

A payment tells its amounts and how it was paid; a refund tells the sum of all refunds so far and
omits those; a close tells neither. Time of sending and signature are added per attempt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from daozhang.clock import BEIJING, to_beijing_text
from daozhang.emulator import wire
from daozhang.emulator.identity import App
from daozhang.emulator.ledger import (
    FUND_CHANNELS,
    Channel,
    PaymentRequest,
    Refund,
    Trade,
    TradeStatus,
)
from daozhang.emulator.switches import Switches
from daozhang.money import Money

CONTENT_TYPES: Final = {
    "captured": "application/x-www-form-urlencoded; text/html; charset={charset}",
    "plain": "application/x-www-form-urlencoded; charset={charset}",
}
_UNSIGNED: Final = (b"sign", b"sign_type")


class Occasion(StrEnum):
    """Why a notification is sent."""

    CREATED = "created"
    PAID = "paid"
    REFUNDED = "refunded"
    CLOSED = "closed"
    FINISHED = "finished"
    SIGNED = "signed"
    UNSIGNED = "unsigned"
    FROZEN = "frozen"
    UNFROZEN = "unfrozen"
    FREEZE_CANCELLED = "freeze_cancelled"
    MESSAGE = "message"


DEPOSIT_BACK: Final = "alipay.trade.refund.depositback.completed"


@dataclass(frozen=True, slots=True)
class Distortion:
    """What faults do to one notification."""

    amount_off_by_one: bool = False
    without_ids: bool = False


def notice_fields(
    trade: Trade,
    occasion: Occasion,
    app: App,
    switches: Switches,
    *,
    refund: Refund | None = None,
    distortion: Distortion | None = None,
) -> dict[str, str]:
    """The fields of a notification of ``trade``, but for those that each attempt adds.

    ``refund`` is the one that gave the occasion. Empty fields are left out, as Alipay does.
    """
    distorted = distortion or Distortion()
    request = trade.request
    total = trade.total + Money(1) if distorted.amount_off_by_one else trade.total
    fields = {
        "gmt_create": to_beijing_text(trade.created_at),
        "charset": _charset(trade, switches),
        "seller_email": app.seller_email,
        "subject": request.subject,
        "body": request.body,
        **buyer_fields(trade, switches, id_name="buyer_id"),
        "notify_type": "trade_status_sync",
        "trade_status": trade.status.value,
        "version": "1.0",
        "sign_type": request.sign_type,
        "out_trade_no": trade.out_trade_no,
        "trade_no": trade.trade_no,
        "total_amount": str(total),
        "passback_params": request.passback_params,
    }
    if not distorted.without_ids:
        fields |= {
            "app_id": request.app_id,
            "auth_app_id": request.auth_app_id,
            "seller_id": request.seller_id,
        }
    if trade.paid_at is not None:
        fields["gmt_payment"] = to_beijing_text(trade.paid_at)
    fields |= _occasion_fields(trade, occasion, refund, total)
    return {name: value for name, value in fields.items() if value}


def _occasion_fields(
    trade: Trade, occasion: Occasion, refund: Refund | None, total: Money
) -> dict[str, str]:
    fields: dict[str, str] = {}
    if occasion in (Occasion.PAID, Occasion.FINISHED) and trade.channel is not None:
        fields |= amount_fields(total)
        fields["fund_bill_list"] = _fund_bills(trade.channel, total)
    if occasion is Occasion.REFUNDED and refund is not None:
        fields |= {
            "refund_fee": str(trade.refunded),
            "gmt_refund": _with_milliseconds(refund.at),
            "out_biz_no": refund.out_request_no,
        }
    if occasion is Occasion.FINISHED and trade.refunds:
        fields["refund_fee"] = str(trade.refunded)
    ended_at = trade.finished_at if occasion is Occasion.FINISHED else trade.closed_at
    if ended_at is not None:
        fields["gmt_close"] = to_beijing_text(ended_at)
    return fields


def amount_fields(total: Money) -> dict[str, str]:
    """How ``total`` was made up; nobody gives discounts here."""
    text = str(total)
    return {
        "receipt_amount": text,
        "invoice_amount": text,
        "buyer_pay_amount": text,
        "point_amount": "0.00",
    }


def buyer_fields(trade: Trade, switches: Switches, *, id_name: str) -> dict[str, str]:
    """Who pays, by the id that the app may see."""
    if trade.status is TradeStatus.WAIT_BUYER_PAY and trade.paid_at is None:
        masked = ""
    else:
        masked = f"{trade.buyer_id[-3:]}***@example.com"
    named = trade.request.buyer_open_id
    if named:
        return {"buyer_open_id": named, "buyer_logon_id": masked}
    if switches.buyer_open_id:
        open_id = f"074a1Cc{trade.buyer_id}".ljust(47, "o")
        return {"buyer_open_id": open_id, "buyer_logon_id": masked}
    return {id_name: trade.buyer_id, "buyer_logon_id": masked}


def _fund_bills(channel: Channel, total: Money) -> str:
    code, _ = FUND_CHANNELS[channel]
    return wire.compact_json([{"amount": str(total), "fundChannel": code}])


def _with_milliseconds(moment: datetime) -> str:
    return to_beijing_text(moment) + f".{moment.astimezone(BEIJING).microsecond // 1000:03d}"


def _charset(trade: Trade, switches: Switches) -> str:
    if switches.notify_charset == "request":
        return trade.request.charset
    return switches.notify_charset


def signed_notice(
    fields: Mapping[str, str], key: RSAPrivateKey, now: datetime, *, spoiled: bool = False
) -> bytes:
    """The body of one attempt: ``fields`` stamped with ``now`` and signed by the V1 rule.

    ``spoiled`` signs something else, as a stranger or a broken proxy would make it look.
    """
    codec = wire.CODECS[fields["charset"].lower()]
    stamped = {**fields, "notify_time": to_beijing_text(now)}
    pairs = [(name.encode(codec), value.encode(codec)) for name, value in stamped.items()]
    signed = wire.sign_string(pairs, _UNSIGNED) + (b"-" if spoiled else b"")
    stamped["sign"] = wire.sign(key, signed, fields["sign_type"])
    return wire.encode_form(stamped, codec)


def message_fields(app_id: str, msg_method: str, content: str, now: datetime) -> dict[str, str]:
    """The fields of a message to an app's gateway, but for its number (protocol.md §6.8)."""
    return {
        "msg_method": msg_method,
        "app_id": app_id,
        "msg_type": "sys",
        "version": "1.1",
        "utc_timestamp": str(int(now.timestamp() * 1000)),
        "charset": "UTF-8",
        "sign_type": "RSA2",
        "biz_content": content,
    }


def signed_message(
    fields: Mapping[str, str], key: RSAPrivateKey, *, spoiled: bool = False
) -> bytes:
    """The body of one attempt at a message: nothing is stamped, the V1 rule signs it."""
    pairs = [(name.encode(), value.encode()) for name, value in fields.items()]
    signed = wire.sign_string(pairs, _UNSIGNED) + (b"-" if spoiled else b"")
    return wire.encode_form({**fields, "sign": wire.sign(key, signed, "RSA2")}, "utf-8")


def deposit_back_content(trade: Trade, refund: Refund) -> dict[str, str]:
    """What is told of a refund that a bank has taken or sent back (apis.md §3.3)."""
    content = {
        "trade_no": trade.trade_no,
        "out_trade_no": trade.out_trade_no,
        "out_request_no": refund.out_request_no,
        "dback_status": refund.deposit_back,
        "dback_amount": str(refund.amount),
    }
    if refund.bank_ack_at is not None:
        content["bank_ack_time"] = to_beijing_text(refund.bank_ack_at)
    return content


def return_query(trade: Trade, request: PaymentRequest, key: RSAPrivateKey, now: datetime) -> bytes:
    """The signed query with which the buyer's browser comes back; it tells no status.

    ``request`` is the one whose page was open: an order may be opened from several.
    """
    fields = {
        "charset": request.charset,
        "out_trade_no": trade.out_trade_no,
        "method": f"{request.method}.return",
        "total_amount": str(trade.total),
        "trade_no": trade.trade_no,
        "auth_app_id": request.auth_app_id,
        "version": request.version,
        "app_id": request.app_id,
        "sign_type": request.sign_type,
        "seller_id": request.seller_id,
        "timestamp": to_beijing_text(now),
    }
    return signed_query(fields, key)


def signed_query(fields: dict[str, str], key: RSAPrivateKey) -> bytes:
    """``fields`` as the query of an address that leads back to the merchant, signed."""
    codec = wire.CODECS[fields["charset"].lower()]
    pairs = [(name.encode(codec), value.encode(codec)) for name, value in fields.items()]
    sign = wire.sign(key, wire.sign_string(pairs, _UNSIGNED), fields["sign_type"])
    return wire.encode_form({**fields, "sign": sign}, codec)
