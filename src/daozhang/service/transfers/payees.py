"""Who gets the money: checked, masked for whoever looks, and sealed at rest."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from daozhang.service.people import masking
from daozhang.service.seal import Sealer
from daozhang.service.transfers.model import NAMED_KINDS, Payee, PayeeKind, Transfer
from daozhang.service.transfers.refusals import PayeeInvalid

_SHAPES: Final = {
    PayeeKind.USER_ID: re.compile(r"2088[0-9]{12}", re.ASCII),
    PayeeKind.OPEN_ID: re.compile(r"[A-Za-z0-9_-]{20,128}", re.ASCII),
    PayeeKind.LOGON_ID: re.compile(r"(?:\+?[0-9-]{7,20})|(?:[^@\s]{1,64}@[^@\s]{1,100})", re.ASCII),
    PayeeKind.BANK_CARD: re.compile(r"[0-9]{8,32}", re.ASCII),
}
_SAY: Final = {
    PayeeKind.USER_ID: ("16 digits that begin with 2088", "以 2088 开头的 16 位数字"),
    PayeeKind.OPEN_ID: ("the open_id that your app was told", "应用获得的 open_id"),
    PayeeKind.LOGON_ID: ("a phone number or an email address", "手机号或邮箱"),
    PayeeKind.BANK_CARD: ("the digits of the card, without spaces", "银行卡号数字，不含空格"),
}


def require_payee(payee: Payee) -> None:
    """Raises `PayeeInvalid` unless Alipay would take ``payee`` as it is named."""
    if _SHAPES[payee.kind].fullmatch(payee.identity) is None:
        english, chinese = _SAY[payee.kind]
        raise PayeeInvalid(
            f"A payee by {payee.kind.value} is {english}.",
            f"按 {payee.kind.value} 指定收款方时，应填写{chinese}。",
        )
    if payee.kind in NAMED_KINDS and not (payee.name and payee.name.strip()):
        raise PayeeInvalid(
            "The payee's name is missing: Alipay checks it against the account.",
            "缺少收款人姓名：支付宝会校验姓名与账号是否一致。",
        )
    is_card = payee.kind is PayeeKind.BANK_CARD
    if is_card and payee.card_holder not in ("person", "company"):
        raise PayeeInvalid(
            "Say whose card it is: person or company.", "请填写银行卡类型：个人或企业。"
        )
    if is_card and payee.card_holder == "company" and not (payee.bank_name or payee.bank_code):
        raise PayeeInvalid(
            "A company's card needs the name of its bank.", "对公银行卡须填写开户行名称。"
        )


def shown(payee: Payee) -> str:
    """The payee as anybody may see it."""
    mask = masking.masked_logon if payee.kind is PayeeKind.LOGON_ID else masking.masked_number
    name = f" {masking.masked_name(payee.name)}" if payee.name else ""
    return f"{mask(payee.identity)}{name}"


def plainly(payee: Payee) -> str:
    """The payee unmasked; whoever shows it so writes that down before."""
    return f"{payee.identity} {payee.name}" if payee.name else payee.identity


def seal_payee(sealer: Sealer, payee: Payee, bound_to: str) -> bytes:
    """``payee`` sealed as ``bound_to``."""
    return sealer.seal(msgspec.json.encode(_plain(payee)), bound_to)


def open_payee(sealer: Sealer, transfer: Transfer) -> Payee:
    """Who gets a transfer."""
    content = sealer.open(
        transfer.payee_sealed,
        sealed_payee(transfer.environment, transfer.seller_id, transfer.out_biz_no),
    )
    return msgspec.convert(msgspec.json.decode(content), Payee)


def sealed_payee(environment: str, seller_id: str, out_biz_no: str) -> str:
    """What a payee is sealed to."""
    return f"transfer_payee:{environment}:{seller_id}:{out_biz_no}"


def _plain(payee: Payee) -> dict[str, str]:
    return {
        name: str(value)
        for name in Payee.__dataclass_fields__
        if (value := getattr(payee, name)) is not None
    }
