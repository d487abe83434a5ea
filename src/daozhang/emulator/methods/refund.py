"""Refund methods: refund, and the refund query that proves it."""

from __future__ import annotations

from typing import Any

from daozhang.clock import to_beijing_text
from daozhang.emulator.desk import Desk
from daozhang.emulator.faults import FaultName
from daozhang.emulator.ledger import Declined, Trade
from daozhang.emulator.methods import sharing, terms
from daozhang.emulator.methods.terms import Call
from daozhang.emulator.notices import buyer_fields, deposit_back_content
from daozhang.money import Money


def refund(desk: Desk, call: Call) -> dict[str, Any]:
    """``alipay.trade.refund``: ``fund_change`` is ``Y`` the first time, ``N`` for a repeat."""
    trade = _trade_of(desk, call)
    number = terms.text(call.terms, "out_request_no", 64)
    amount = terms.amount(call.terms, "refund_amount")
    if trade.refund(number) is None:
        related = terms.text(call.terms, "related_settle_confirm_no", 64)
        desk.sharing.confirmations.require_related(trade, related)
    _require_balance(desk, call, trade, number)
    returns = _returns(desk, call, trade, amount, number)
    outcome = desk.refund(
        trade,
        amount,
        number,
        terms.text(call.terms, "refund_reason", 256),
    )
    if outcome.moved:
        desk.sharing.give_back(trade, outcome.refund.out_request_no, returns)
    changed = outcome.trade
    to_card = outcome.refund.deposit_back and _wants_deposit_back(call)
    return {
        **({"has_deposit_back": "true"} if to_card else {}),
        **buyer_fields(changed, desk.switches(call.app.app_id), id_name="buyer_user_id"),
        "fund_change": "Y" if outcome.moved else "N",
        "gmt_refund_pay": to_beijing_text(outcome.refund.at),
        "out_trade_no": changed.out_trade_no,
        "refund_fee": str(changed.refunded),
        "send_back_fee": str(outcome.refund.amount) if outcome.moved else "0.00",
        "trade_no": changed.trade_no,
    }


def query(desk: Desk, call: Call) -> dict[str, Any]:
    """``alipay.trade.fastpay.refund.query``: an unknown number is a success without content."""
    number = terms.text(call.terms, "out_request_no", 64, required=True)
    trade = _trade_of(desk, call)
    found = trade.refund(number)
    if found is None:
        return {}
    answer = {
        "trade_no": trade.trade_no,
        "out_trade_no": trade.out_trade_no,
        "out_request_no": number,
        "refund_reason": found.reason,
        "total_amount": str(trade.total),
        "refund_amount": str(found.amount),
        "refund_status": "REFUND_SUCCESS",
        "send_back_fee": str(found.amount),
        "gmt_refund_pay": to_beijing_text(found.at),
    }
    said: dict[str, Any] = {name: value for name, value in answer.items() if value}
    if returned := desk.sharing.returns(trade.trade_no, number):
        said["refund_royaltys"] = [
            {
                "refund_amount": str(one.amount),
                "royalty_type": "transfer",
                "result_code": "SUCCESS",
                "trans_out": one.trans_out,
                "trans_in": one.trans_in,
                "ori_trans_out": one.trans_in,
                "ori_trans_in": one.trans_out,
            }
            for one in returned
        ]
    if found.deposit_back and _wants_deposit_back(call):
        told = deposit_back_content(trade, found)
        names = ("dback_status", "dback_amount", "bank_ack_time")
        said["deposit_back_info"] = {
            "has_deposit_back": "true",
            **{name: told[name] for name in names if name in told},
        }
    return said


def _returns(
    desk: Desk, call: Call, trade: Trade, amount: Money, number: str
) -> list[tuple[str, Money]]:
    """Who gives back how much with it; nobody with a repeat of what went back already."""
    named = sharing.returns_of(call)
    if trade.refund(number or trade.out_trade_no) is not None:
        return []
    return desk.sharing.plan_returns(trade, amount, named)


def _wants_deposit_back(call: Call) -> bool:
    options: Any = call.terms.get("query_options")
    return isinstance(options, list) and "deposit_back_info" in options


def _require_balance(desk: Desk, call: Call, trade: Trade, number: str) -> None:
    """The fault: the seller has too little money. What went back already needs none."""
    if trade.refund(number) is not None:
        return
    if desk.faults.strike(
        FaultName.SELLER_BALANCE_NOT_ENOUGH,
        out_trade_no=trade.out_trade_no,
        app_id=call.app.app_id,
        method=call.method,
    ):
        raise Declined("ACQ.SELLER_BALANCE_NOT_ENOUGH")


def _trade_of(desk: Desk, call: Call) -> Trade:
    out_trade_no, trade_no = terms.either_number(call.terms)
    return desk.find(call.merchant.seller_id, out_trade_no, trade_no)
