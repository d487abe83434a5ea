"""Bills, balances and movements of an account."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, Final

from daozhang.clock import from_beijing_text, to_beijing_text
from daozhang.emulator.accounts import Movement, Pot
from daozhang.emulator.bill_office import READY_AT, BillOffice
from daozhang.emulator.bills import DESCRIPTIONS, day_start, span_of
from daozhang.emulator.desk import Desk
from daozhang.emulator.ledger import Declined
from daozhang.emulator.methods import terms
from daozhang.emulator.methods.terms import Call

PAGE_SIZE: Final = 2000
RANGE_DAYS_MAX: Final = 31
REACHES_BACK: Final = timedelta(days=366)

Method = Callable[[Desk, Call], dict[str, Any]]


def download_url(office: BillOffice) -> Method:
    """``alipay.data.dataservice.bill.downloadurl.query``."""

    def query(_desk: Desk, call: Call) -> dict[str, Any]:
        kind = terms.text(call.terms, "bill_type", 30, required=True)
        day = terms.text(call.terms, "bill_date", 15, required=True)
        url, empty = office.address(call.app.app_id, call.merchant.seller_id, kind, day)
        answer: dict[str, Any] = {"bill_download_url": url}
        return answer | ({"bill_file_code": "EMPTY_DATA_WITH_BILL_FILE"} if empty else {})

    return query


def balance(desk: Desk, call: Call) -> dict[str, Any]:
    """``alipay.data.bill.balance.query``: what is in the account now."""
    seller = _own(call, "USER_AGREEMENT_CHECK_FAIL")
    pots = {pot: desk.account.balance(seller, pot) for pot in Pot}
    return {
        "total_amount": str(pots[Pot.AVAILABLE] + pots[Pot.FROZEN]),
        "available_amount": str(pots[Pot.AVAILABLE]),
        "freeze_amount": str(pots[Pot.FROZEN]),
        "settle_amount": str(pots[Pot.UNSETTLED]),
    }


def balance_of_day(desk: Desk, call: Call) -> dict[str, Any]:
    """``alipay.data.bill.balancehis.query``: what was there when a day or month began and ended."""
    day = terms.text(call.terms, "biz_date", 10)
    month = terms.text(call.terms, "biz_month", 7)
    if bool(day) == bool(month):
        raise Declined("INVALID_PARAMETER", "biz_date or biz_month")
    try:
        span = span_of(day or month)
    except ValueError:
        raise Declined("INVALID_PARAMETER", "biz_date") from None
    after = span.last + timedelta(days=1)
    if desk.now() < day_start(after) + READY_AT:
        raise Declined("PROCESSING")

    def at(moment: date) -> str:
        return str(desk.account.balance_at(call.merchant.seller_id, moment))

    return {"beginning_balance": at(span.first), "ending_balance": at(after)}


def account_log(desk: Desk, call: Call) -> dict[str, Any]:
    """``alipay.data.bill.accountlog.query``: movements of the account, a page at a time."""
    found = _asked_for(desk, call)
    size, page = _number(call, "page_size", PAGE_SIZE), _number(call, "page_no", 1)
    if not 1 <= size <= PAGE_SIZE or page < 1:
        raise Declined("INVALID_PARAMETER", "page_no from 1, page_size up to 2000")
    answer: dict[str, Any] = {
        "page_no": str(page),
        "page_size": str(size),
        "total_size": str(len(found)),
    }
    shown = found[(page - 1) * size : page * size]
    # Absent, not empty, where there is nothing (apis.md §4.7).
    return answer | ({"detail_list": [_detail(one) for one in shown]} if shown else {})


def _asked_for(desk: Desk, call: Call) -> list[Movement]:
    seller = _own(call, "AGREEMENT_CHECK_FAIL")
    number = terms.text(call.terms, "alipay_order_no", 64)
    own = terms.text(call.terms, "merchant_order_no", 64)
    if number and own:
        raise Declined("ILLEGAL_ARGUMENT", "alipay_order_no or merchant_order_no")
    if number or own:
        named = desk.account.movements_of(seller, number or own)
        found = [
            one for one in named if (one.trade_no == number if number else one.out_trade_no == own)
        ]
        return [one for one in found if one.is_listed]
    since, until = _moment(call, "start_time"), _moment(call, "end_time")
    if until <= since or until - since > timedelta(days=RANGE_DAYS_MAX):
        raise Declined("ILLEGAL_ARGUMENT", "start_time before end_time, at most 31 days")
    if since < call.now - REACHES_BACK:
        raise Declined("ILLEGAL_ARGUMENT", "start_time is more than a year ago")
    return [one for one in desk.account.movements(seller, since, until) if one.is_listed]


def _moment(call: Call, name: str) -> datetime:
    try:
        return from_beijing_text(terms.text(call.terms, name, 19, required=True))
    except ValueError:
        raise Declined("INVALID_PARAMETER", name) from None


def _number(call: Call, name: str, default: int) -> int:
    text = str(call.terms.get(name) or default)
    if not text.isdigit():
        raise Declined("INVALID_PARAMETER", name)
    return int(text)


def _detail(one: Movement) -> dict[str, Any]:
    into = one.amount.minor > 0
    said = {
        "account_log_id": one.log_id,
        "alipay_order_no": one.trade_no,
        "merchant_order_no": one.out_trade_no,
        "trans_dt": to_beijing_text(one.at),
        "trans_amount": str(one.amount if into else -one.amount),
        "balance": str(one.balance),
        "type": one.business.value,
        "direction": "收入" if into else "支出",
        "other_account": one.other_account,
        "trans_memo": one.memo,
        "biz_desc": DESCRIPTIONS.get(one.business, ""),
        "bill_source": "商家中心",
        "biz_nos": f"M{{{one.out_trade_no}}}|S{{{one.trade_no}}}|O{{{one.trade_no}}}",
        "biz_orig_no": one.out_trade_no,
        "merchant_out_refund_no": one.out_request_no,
        "store_name": one.store_id,
    }
    return {name: value for name, value in said.items() if value}


def _own(call: Call, sub_code: str) -> str:
    """The seller, who may name itself and nobody else: there are no agreements between users here."""
    seller = call.merchant.seller_id
    if terms.text(call.terms, "bill_user_id", 28) not in ("", seller):
        raise Declined(sub_code)
    return seller
