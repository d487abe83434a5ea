"""Agreement methods: the page for signing, query, unsign, moving the plan, and the deduction."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final, cast

from daozhang.clock import to_beijing_text
from daozhang.emulator.agreements import CYCLE_PAY, Agreement, AgreementRequest, PeriodRule
from daozhang.emulator.desk import Desk
from daozhang.emulator.errors import invalid_parameter
from daozhang.emulator.ledger import Declined, Product
from daozhang.emulator.methods import pay, terms
from daozhang.emulator.methods.terms import Call
from daozhang.emulator.signing import day_of

PERIOD_DAYS_MIN: Final = 7
MONTH_DAY_MAX: Final = 28
LIFE_SECONDS_MAX: Final = 86400
_VALIDITY: Final = re.compile(r"([1-9][0-9]{0,3})([md])", re.ASCII)
_MONTH_DAYS: Final = 30


def hand_out(desk: Desk, call: Call) -> str:
    """``alipay.user.agreement.page.sign``: the path of a page on which a buyer can sign."""
    request = sign_request(call, call.terms, call.notify_url)
    seconds = terms.text(call.terms, "effect_time", 5) or str(LIFE_SECONDS_MAX)
    if not seconds.isdecimal() or int(seconds) > LIFE_SECONDS_MAX:
        raise invalid_parameter("effect_time取值范围：0～86400 (seconds)")
    page = desk.agreements.hand_out(request, timedelta(seconds=int(seconds)))
    return f"/sign/{page.token}"


def sign_request(call: Call, wanted: Mapping[str, Any], notify_url: str) -> AgreementRequest:
    """What is to be signed. Raises `Declined` for the first field that breaks its rule."""
    personal = terms.text(wanted, "personal_product_code", 64, required=True)
    product = terms.text(wanted, "product_code", 64) or personal.removesuffix("_P")
    access = _object(wanted, "access_params")
    rule = _object(wanted, "period_rule_params")
    if product == CYCLE_PAY and not rule:
        raise invalid_parameter("period_rule_params不能为空 (missing)")
    return AgreementRequest(
        app_id=call.app.app_id,
        auth_app_id=call.merchant.app_id,
        seller_id=call.merchant.seller_id,
        product_code=product,
        personal_product_code=personal,
        sign_scene=terms.text(wanted, "sign_scene", 64),
        external_agreement_no=terms.text(wanted, "external_agreement_no", 32),
        external_logon_id=terms.text(wanted, "external_logon_id", 100),
        channel=terms.text(access, "channel", 64, required=True),
        rule=period_rule(rule) if rule else None,
        valid_for=_validity(terms.text(wanted, "sign_validity_period", 8)),
        third_party_type=terms.text(wanted, "third_party_type", 32) or "PARTNER",
        notify_url=terms.address("notify_url", notify_url),
        return_url=terms.address("return_url", call.return_url),
        charset=call.charset,
        sign_type=call.sign_type,
    )


def signed_by_paying(call: Call) -> AgreementRequest | None:
    """What a payment signs as well: its ``agreement_sign_params``."""
    wanted = _object(call.terms, "agreement_sign_params")
    if not wanted:
        return None
    own = terms.text(wanted, "sign_notify_url", 256)
    return sign_request(call, wanted, own or call.notify_url)


def period_rule(wanted: Mapping[str, Any]) -> PeriodRule:
    """``period_rule_params``. Raises `Declined`."""
    kind = terms.text(wanted, "period_type", 10, required=True)
    if kind not in ("DAY", "MONTH"):
        raise invalid_parameter("period_type取值为DAY、MONTH")
    period = _count(wanted, "period", required=True)
    first_on = day_of(terms.text(wanted, "execute_time", 20, required=True), "INVALID_PARAMETER")
    if kind == "DAY" and period < PERIOD_DAYS_MIN:
        raise invalid_parameter("周期类型为DAY时，period不能小于7 (7 days at least)")
    if kind == "MONTH" and first_on.day > MONTH_DAY_MAX:
        raise invalid_parameter("周期类型为MONTH时，execute_time须为1～28日 (days 1 to 28)")
    return PeriodRule(
        period_type=kind,
        period=period,
        first_on=first_on,
        single=terms.amount(wanted, "single_amount"),
        total=terms.amount(wanted, "total_amount") if wanted.get("total_amount") else None,
        payments=_count(wanted, "total_payments") or None,
    )


def query(desk: Desk, call: Call) -> dict[str, Any]:
    """``alipay.user.agreement.query``."""
    agreement = _agreement_of(desk, call)
    request = agreement.request
    answer = desk.agreements.fields(agreement)
    kept = (
        "agreement_no", "status", "external_agreement_no", "external_logon_id", "sign_scene",
        "personal_product_code", "sign_time", "valid_time", "invalid_time", "alipay_logon_id",
    )  # fmt: skip
    told = {name: answer[name] for name in kept if name in answer}
    told |= {"third_party_type": request.third_party_type, "pricipal_type": "CARD"}
    told["principal_id"] = agreement.buyer_id
    if agreement.next_on is not None:
        told["next_deduct_time"] = agreement.next_on.isoformat()
    if agreement.last_at is not None:
        told["last_deduct_time"] = to_beijing_text(agreement.last_at)[:10]
    return told


def unsign(desk: Desk, call: Call) -> dict[str, Any]:
    """``alipay.user.agreement.unsign``."""
    notify_url = terms.address(
        "notify_url", call.notify_url or terms.text(call.terms, "notify_url", 256)
    )
    try:
        agreement = _agreement_of(desk, call)
    except Declined as declined:
        raise Declined("AGREEMENT_NOT_EXIST", declined.detail) from declined
    desk.agreements.unsign(agreement, notify_url)
    return {}


def modify_plan(desk: Desk, call: Call) -> dict[str, Any]:
    """``alipay.user.agreement.executionplan.modify``."""
    agreement = desk.agreements.move_plan(
        call.merchant.seller_id,
        terms.text(call.terms, "agreement_no", 64, required=True),
        terms.text(call.terms, "deduct_time", 20, required=True),
    )
    day = "" if agreement.next_on is None else agreement.next_on.isoformat()
    return {"agreement_no": agreement.agreement_no, "deduct_time": day}


def deduct(desk: Desk, call: Call) -> dict[str, Any]:
    """``alipay.trade.pay`` with ``agreement_params``: the buyer is not asked."""
    wanted = _object(call.terms, "agreement_params")
    number = terms.text(wanted, "agreement_no", 64, required=True)
    trade = desk.agreements.deduct(number, terms.payment_request(call, Product.AGREEMENT))
    return pay.answer(desk, trade)


def _agreement_of(desk: Desk, call: Call) -> Agreement:
    number = terms.text(call.terms, "agreement_no", 64)
    own = terms.text(call.terms, "external_agreement_no", 32)
    product = terms.text(call.terms, "personal_product_code", 64)
    if not number and not (own and product):
        raise Declined("INVALID_PARAMETER", "agreement_no或external_agreement_no不能为空")
    key = own, product, terms.text(call.terms, "sign_scene", 64)
    return desk.agreements.find(call.merchant.seller_id, number, key)


def _object(wanted: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found: Any = wanted.get(name) or {}
    if not isinstance(found, Mapping):
        raise invalid_parameter(f"{name}必须是对象 ({name} must be an object)")
    return cast("Mapping[str, Any]", found)


def _count(wanted: Mapping[str, Any], name: str, *, required: bool = False) -> int:
    written = terms.text(wanted, name, 6, required=required)
    if written and (not (written.isascii() and written.isdecimal()) or int(written) < 1):
        raise invalid_parameter(f"{name}必须是正整数 (a whole number, 1 at least)")
    return int(written or 0)


def _validity(written: str) -> timedelta | None:
    if not written:
        return None
    found = _VALIDITY.fullmatch(written)
    if found is None:
        raise invalid_parameter("sign_validity_period格式如2m、30d (such as 2m or 30d)")
    count = int(found.group(1))
    return timedelta(days=count * (_MONTH_DAYS if found.group(2) == "m" else 1))
