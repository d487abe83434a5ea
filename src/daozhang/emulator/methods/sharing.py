"""Sharing methods: relations, order.settle and its query, the rate, and settle.confirm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from daozhang.clock import to_beijing_text
from daozhang.emulator.confirmations import Request as Confirmation
from daozhang.emulator.desk import Desk
from daozhang.emulator.errors import invalid_parameter
from daozhang.emulator.ledger import Declined, Trade
from daozhang.emulator.methods import terms
from daozhang.emulator.methods.terms import Call
from daozhang.emulator.royalties import Receiver, Request
from daozhang.emulator.sharing import detail
from daozhang.money import Money

TYPES: Final = ("userId", "loginName", "openId")
RECEIVERS_MAX: Final = 20
SHARES_MAX: Final = {"sync": 5, "async": 50}
PAGE_SIZE_MAX: Final = 100
PERCENT: Final = 100


def bind(desk: Desk, call: Call) -> dict[str, Any]:
    """``alipay.trade.royalty.relation.bind``."""
    desk.sharing.bind(call.merchant.seller_id, _receivers(call))
    return {"result_code": "SUCCESS"}


def unbind(desk: Desk, call: Call) -> dict[str, Any]:
    """``alipay.trade.royalty.relation.unbind``."""
    desk.sharing.unbind(call.merchant.seller_id, _receivers(call))
    return {"result_code": "SUCCESS"}


def _receivers(call: Call) -> list[Receiver]:
    _text(call.terms, "out_request_no", 32, required=True)
    listed = _objects(call.terms, "receiver_list")
    if not listed:
        raise Declined("RECEIVER_LIST_EMPTY")
    if len(listed) > RECEIVERS_MAX:
        raise Declined("RECEIVER_LIST_OVERLOAD")
    return [_receiver(one) for one in listed]


def _receiver(given: Mapping[str, Any]) -> Receiver:
    type_ = _text(given, "type", 24, required=True)
    if type_ not in TYPES:
        raise Declined("INVALID_RECEIVER_TYPE")
    name = _text(given, "name", 64, required=type_ == "loginName")
    account = _text(given, "account", 64, required=True)
    return Receiver(type_, account, name, _text(given, "memo", 200))


def list_bound(desk: Desk, call: Call) -> dict[str, Any]:
    """``alipay.trade.royalty.relation.batchquery``."""
    _text(call.terms, "out_request_no", 32, required=True)
    page = _number(call.terms, "page_num", 1)
    size = min(_number(call.terms, "page_size", 20), PAGE_SIZE_MAX)
    bound = desk.sharing.receivers(call.merchant.seller_id)
    shown = bound[(page - 1) * size : page * size]
    return {
        "result_code": "SUCCESS",
        "receiver_list": [
            {"type": one.type, "account": one.account, "memo": one.memo} for one in shown
        ],
        "current_page_num": page,
        "current_page_size": size,
        "total_page_num": -(-len(bound) // size),
        "total_record_num": len(bound),
    }


def rate(desk: Desk, call: Call) -> dict[str, Any]:
    """``alipay.trade.royalty.rate.query``."""
    _text(call.terms, "out_request_no", 32, required=True)
    percent = desk.switches(call.app.app_id).royalty_percent
    return {"user_id": call.merchant.seller_id, "max_ratio": percent}


def settle(desk: Desk, call: Call) -> dict[str, Any]:
    """``alipay.trade.order.settle``."""
    mode = terms.text(call.terms, "royalty_mode", 10) or "sync"
    if mode not in SHARES_MAX:
        raise invalid_parameter("royalty_mode取值为sync、async")
    number = terms.text(call.terms, "out_request_no", 64, required=True)
    trade = desk.find(
        call.merchant.seller_id, trade_no=terms.text(call.terms, "trade_no", 64, required=True)
    )
    extended = terms.extended(call.terms)
    finish = terms.text(extended, "royalty_finish", 5) == "true"
    finish_amount = terms.text(extended, "royalty_finish_amount", 12)
    shares = tuple(
        _share(desk, one, trade, call) for one in _objects(call.terms, "royalty_parameters")
    )
    if not shares and not finish:
        raise invalid_parameter("royalty_parameters不能为空")
    if len(shares) > SHARES_MAX[mode]:
        raise invalid_parameter(f"royalty_parameters最多{SHARES_MAX[mode]}个")
    request = Request(
        app_id=call.app.app_id,
        seller_id=call.merchant.seller_id,
        trade_no=trade.trade_no,
        out_request_no=number,
        shares=shares,
        asynchronous=mode == "async",
        finishes=finish,
        finish_amount=terms.amount(extended, "royalty_finish_amount") if finish_amount else None,
    )
    settled = desk.sharing.settle(request)
    return {"trade_no": trade.trade_no, "settle_no": settled.settle_no}


def _share(
    desk: Desk, given: Mapping[str, Any], trade: Trade, call: Call
) -> tuple[str, str, Money]:
    if terms.text(given, "royalty_type", 32) not in ("", "transfer"):
        raise invalid_parameter("royalty_type仅支持transfer (this emulator knows transfer only)")
    payer = terms.text(given, "trans_out", 64)
    if payer and payer != call.merchant.seller_id:
        raise Declined("ACQ.MUST_ALLOC_FROM_ROOT_ACCOUNT")
    type_ = terms.text(given, "trans_in_type", 64) or "userId"
    account = terms.text(given, "trans_in", 64, required=True)
    name, owner = terms.text(given, "trans_in_name", 64), desk.sharing.conduct(account).name
    if name and owner and name != owner:
        raise Declined("ACQ.ROYALTY_ACCOUNT_NAME_NOT_MATCH")
    if not given.get("amount") and given.get("amount_percentage"):
        percent = _number(given, "amount_percentage", 0)
        return type_, account, Money(trade.total.minor * percent // PERCENT)
    return type_, account, terms.amount(given, "amount")


def query(desk: Desk, call: Call) -> dict[str, Any]:
    """``alipay.trade.order.settle.query``: a number that is not known is a success without content."""
    settle_no = _text(call.terms, "settle_no", 64)
    number, trade_no = _text(call.terms, "out_request_no", 64), _text(call.terms, "trade_no", 64)
    if not settle_no and not (number and trade_no):
        raise Declined("INVALID_PARAMETER", "settle_no，或out_request_no与trade_no")
    found = desk.sharing.find(call.merchant.seller_id, number, settle_no)
    if found is None:
        return {}
    if trade_no and found.request.trade_no != trade_no:
        raise Declined("MERCHANT_TRADE_NOT_MATCH")
    return {
        "out_request_no": found.request.out_request_no,
        "operation_dt": to_beijing_text(found.at),
        "royalty_detail_list": [detail(one) for one in found.royalties],
    }


def unsettled(desk: Desk, call: Call) -> dict[str, Any]:
    """``alipay.trade.order.onsettle.query``."""
    trade = desk.find(
        call.merchant.seller_id, trade_no=terms.text(call.terms, "trade_no", 64, required=True)
    )
    return {"unsettled_amount": str(desk.sharing.shareable(trade, call.app.app_id))}


def confirm(desk: Desk, call: Call) -> dict[str, Any]:
    """``alipay.trade.settle.confirm``."""
    number = terms.text(call.terms, "out_request_no", 64, required=True)
    trade = desk.find(
        call.merchant.seller_id, trade_no=terms.text(call.terms, "trade_no", 64, required=True)
    )
    info: Any = call.terms.get("settle_info") or {}
    if not isinstance(info, Mapping):
        raise invalid_parameter("settle_info必须是对象 (settle_info must be an object)")
    details = _objects(cast("Mapping[str, Any]", info), "settle_detail_infos")
    if len(details) != 1:
        raise invalid_parameter("settle_detail_infos须且仅须有一项")
    amount = terms.amount(details[0], "amount")
    freezes = terms.text(terms.extended(call.terms), "royalty_freeze", 5) == "true"
    desk.sharing.confirmations.confirm(
        trade, call.app.app_id, Confirmation(number, amount, freezes)
    )
    return {"trade_no": trade.trade_no, "out_request_no": number, "settle_amount": str(amount)}


def returns_of(call: Call) -> list[tuple[str, Money]]:
    """Who is named in a refund to give back how much. Raises `Declined`."""
    named: list[tuple[str, Money]] = []
    for one in _objects(call.terms, "refund_royalty_parameters"):
        account = terms.text(one, "trans_out", 64, required=True)
        named.append((account, terms.amount(one, "amount")))
    return named


def _objects(given: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    found: Any = given.get(name) or []
    if not isinstance(found, list) or not all(
        isinstance(one, Mapping) for one in cast("list[Any]", found)
    ):
        raise invalid_parameter(f"{name}必须是对象列表 ({name} must be a list of objects)")
    return cast("list[Mapping[str, Any]]", found)


def _number(given: Mapping[str, Any], name: str, default: int) -> int:
    written = _text(given, name, 6)
    if not written:
        return default
    if not (written.isascii() and written.isdecimal() and int(written)):
        raise Declined("INVALID_PARAMETER", f"{name}必须是正整数")
    return int(written)


def _text(given: Mapping[str, Any], name: str, length_max: int, *, required: bool = False) -> str:
    """A text field, refused in the words of the relation methods."""
    try:
        return terms.text(given, name, length_max, required=required)
    except Declined as declined:
        raise Declined("INVALID_PARAMETER", declined.detail) from declined
