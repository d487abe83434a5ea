"""Reading business parameters: every rule of the fields, and a sentence for each breach."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast
from urllib.parse import urlsplit

from daozhang.clock import BEIJING, from_beijing_text
from daozhang.emulator.errors import invalid_parameter
from daozhang.emulator.identity import App
from daozhang.emulator.ledger import (
    PAY_CHANNELS,
    Channel,
    Declined,
    PaymentRequest,
    Product,
)
from daozhang.money import Money, MoneyError

AMOUNT_MIN: Final = Money(1)
AMOUNT_MAX: Final = Money(100_000_000_00)
_OUT_TRADE_NO: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_RELATIVE: Final = re.compile(r"([0-9]{1,4})([mhd])", re.ASCII)
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}
_SUBJECT_REFUSED: Final = frozenset("/=&")
_EXPIRY_MIN: Final = timedelta(minutes=1)
_EXPIRY_MAX: Final = timedelta(days=15)
_ADDRESS_MAX: Final = 256
_INSTALMENTS: Final = ("3", "6", "12")
_QR_MODES: Final = ("0", "1", "2", "3", "4")

DEFAULT_LIFE: Final = {
    Product.PAGE: timedelta(days=15),
    Product.WAP: timedelta(days=15),
    Product.APP: timedelta(days=15),
    Product.QR: timedelta(hours=3),
    Product.BARCODE: timedelta(hours=3),
    Product.MINI: timedelta(days=15),
    Product.AGREEMENT: timedelta(days=15),
    Product.HOLD: timedelta(days=15),
}
"""How long a trade waits for the buyer where the request does not say."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a method, already authenticated."""

    method: str
    app: App
    """Whose key signed it."""
    merchant: App
    """For whom: another app than ``app`` in ISV mode."""
    terms: Mapping[str, Any]
    now: datetime
    notify_url: str = ""
    return_url: str = ""
    charset: str = "utf-8"
    sign_type: str = "RSA2"


def text(terms: Mapping[str, Any], name: str, length_max: int, *, required: bool = False) -> str:
    """A text field; numbers are taken as they are written. Raises `Declined`."""
    value: object = terms.get(name)
    if value is None or value == "":
        if required:
            raise invalid_parameter(f"{name}不能为空 ({name} is missing)")
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise invalid_parameter(f"{name}必须是字符串 ({name} must be text)")
    found = str(value)
    if len(found) > length_max:
        raise invalid_parameter(f"{name}超过{length_max}个字符 ({name} is too long)")
    if "\0" in found or any("\ud800" <= character <= "\udfff" for character in found):
        raise invalid_parameter(f"{name}含有非法字符 ({name} holds what is no character)")
    return found


def number_of_order(terms: Mapping[str, Any]) -> str:
    """``out_trade_no``: letters, digits, underscore and, as in practice, hyphen."""
    number = text(terms, "out_trade_no", 64, required=True)
    if not _OUT_TRADE_NO.fullmatch(number):
        raise invalid_parameter("out_trade_no只能包含字母、数字、下划线和连字符")
    return number


def either_number(terms: Mapping[str, Any]) -> tuple[str, str]:
    """``(out_trade_no, trade_no)``, of which one must be given."""
    numbers = text(terms, "out_trade_no", 64), text(terms, "trade_no", 64)
    if not any(numbers):
        raise invalid_parameter("out_trade_no和trade_no不能同时为空")
    return numbers


def amount(terms: Mapping[str, Any], name: str) -> Money:
    """An amount in yuan, above zero and in Alipay's range. Raises `Declined`."""
    written = text(terms, name, 12, required=True)
    try:
        found = Money.parse(written)
    except MoneyError as problem:
        raise invalid_parameter(f"{name}: {problem}") from problem
    if found < AMOUNT_MIN:
        raise invalid_parameter(f"{name}必须大于0 ({name} must be at least 0.01)")
    if found > AMOUNT_MAX:
        raise Declined("ACQ.TOTAL_FEE_EXCEED")
    return found


def address(name: str, value: str) -> str:
    """An absolute http(s) address of at most 256 characters, or nothing."""
    if value and not _is_address(value):
        raise invalid_parameter(f"{name}必须是不超过256个字符的完整网址 (an absolute address)")
    return value


def _is_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
        return (
            len(value) <= _ADDRESS_MAX
            and parts.scheme.lower() in ("http", "https")
            and bool(parts.hostname)
            and parts.port != 0
        )
    except ValueError:
        return False


def expiry(terms: Mapping[str, Any], product: Product, now: datetime) -> datetime:
    """When the trade closes unpaid; ``time_expire`` wins over ``timeout_express``."""
    absolute = text(terms, "time_expire", 32)
    if absolute:
        try:
            moment = from_beijing_text(absolute)
        except ValueError as problem:
            raise invalid_parameter("time_expire格式应为yyyy-MM-dd HH:mm:ss") from problem
        if moment <= now:
            raise Declined("ACQ.NOW_TIME_AFTER_EXPIRE_TIME_ERROR")
        return min(moment, now + _EXPIRY_MAX)
    relative = text(terms, "timeout_express", 6)
    if not relative:
        return now + DEFAULT_LIFE[product]
    if relative == "1c":
        midnight = now.astimezone(BEIJING).replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight + timedelta(days=1)
    found = _RELATIVE.fullmatch(relative)
    life = timedelta(**{_UNITS[found.group(2)]: int(found.group(1))}) if found else timedelta()
    if not _EXPIRY_MIN <= life <= _EXPIRY_MAX:
        raise invalid_parameter("timeout_express取值范围：1m～15d")
    return now + life


def channels(terms: Mapping[str, Any]) -> tuple[Channel, ...]:
    """What may pay, by ``enable_pay_channels`` or ``disable_pay_channels``. Raises `Declined`."""
    enabled = _names(terms, "enable_pay_channels")
    disabled = _names(terms, "disable_pay_channels")
    if enabled and disabled:
        raise invalid_parameter("enable_pay_channels和disable_pay_channels互斥，不可同时使用")
    found = tuple(
        channel
        for channel in Channel
        if not PAY_CHANNELS[channel] & disabled and (not enabled or PAY_CHANNELS[channel] & enabled)
    )
    if not found:
        raise invalid_parameter("没有可用的支付渠道 (no channel is left to pay with)")
    return found


def _names(terms: Mapping[str, Any], name: str) -> frozenset[str]:
    return frozenset(part.strip() for part in text(terms, name, 128).split(",") if part.strip())


def instalments(terms: Mapping[str, Any]) -> int:
    """``hb_fq_num`` of ``extend_params``, 0 if the buyer pays at once. Raises `Declined`."""
    given = extended(terms)
    number = text(given, "hb_fq_num", 5)
    if not number:
        return 0
    if number not in _INSTALMENTS:
        raise invalid_parameter("hb_fq_num仅支持3、6、12期 (3, 6 or 12)")
    if text(given, "hb_fq_seller_percent", 3) not in ("", "0", "100"):
        raise invalid_parameter("hb_fq_seller_percent仅支持0或100 (0 or 100)")
    return int(number)


def extended(terms: Mapping[str, Any]) -> Mapping[str, Any]:
    """``extend_params``. Raises `Declined`."""
    given: Any = terms.get("extend_params") or {}
    if not isinstance(given, Mapping):
        raise invalid_parameter("extend_params必须是对象 (extend_params must be an object)")
    return cast("Mapping[str, Any]", given)


def qr_mode(terms: Mapping[str, Any]) -> tuple[str, int]:
    """``qr_pay_mode``, one of five, and the width that mode 4 wants. Raises `Declined`."""
    mode = text(terms, "qr_pay_mode", 2)
    if mode and mode not in _QR_MODES:
        raise invalid_parameter("qr_pay_mode取值为0、1、2、3、4")
    width = text(terms, "qrcode_width", 4)
    if (mode == "4" or width) and not (width.isascii() and width.isdecimal()):
        raise invalid_parameter("qrcode_width必须是数字 (qrcode_width must be a number)")
    return mode, int(width) if mode == "4" else 0


def payment_request(call: Call, product: Product) -> PaymentRequest:
    """The terms of a payment. Raises `Declined` for the first field that breaks its rule."""
    terms = call.terms
    mode, width = qr_mode(terms)
    subject = text(terms, "subject", 256, required=True)
    if _SUBJECT_REFUSED.intersection(subject):
        raise invalid_parameter("subject不可使用特殊字符，如 /，=，&")
    seller_id = text(terms, "seller_id", 28)
    if seller_id and seller_id != call.merchant.seller_id:
        raise invalid_parameter("seller_id不是本应用的商户 (not the seller of this app)")
    return PaymentRequest(
        app_id=call.app.app_id,
        auth_app_id=call.merchant.app_id,
        seller_id=call.merchant.seller_id,
        out_trade_no=number_of_order(terms),
        total=amount(terms, "total_amount"),
        subject=subject,
        body=text(terms, "body", 400),
        product=product,
        method=call.method,
        expires_at=expiry(terms, product, call.now),
        passback_params=text(terms, "passback_params", 512),
        notify_url=address("notify_url", call.notify_url or text(terms, "notify_url", 256)),
        return_url=address("return_url", call.return_url),
        quit_url=address("quit_url", text(terms, "quit_url", 400)),
        store_id=text(terms, "store_id", 32),
        terminal_id=text(terms, "terminal_id", 32),
        operator_id=text(terms, "operator_id", 28),
        royalty_freeze=text(extended(terms), "royalty_freeze", 5) == "true",
        channels=channels(terms),
        instalments=instalments(terms),
        qr_mode=mode if product is Product.PAGE else "",
        qr_width=width,
        buyer_id=text(terms, "buyer_id", 28),
        buyer_open_id=text(terms, "buyer_open_id", 128),
        charset=call.charset,
        sign_type=call.sign_type,
    )
