"""Receipts: asked for, and fetched once they are written."""

from __future__ import annotations

from typing import Any, Final

from daozhang.emulator.desk import Desk
from daozhang.emulator.ledger import Declined
from daozhang.emulator.methods import terms
from daozhang.emulator.methods.terms import Call

KINDS: Final = (
    "ACCOUNT_LOG_DETAIL",
    "ACCOUNT_FLOW_DETAIL",
    "FUND_DETAIL",
    "ACCOUNT_LOG_SUM_DAILY",
    "ACCOUNT_LOG_SUM_MONTHLY",
)


def apply(desk: Desk, call: Call) -> dict[str, Any]:
    """``alipay.data.bill.ereceipt.apply``: the same type and key are the same receipt."""
    kind, key = _text(call, "type"), _text(call, "key")
    if kind not in KINDS:
        raise Declined("INVALID_PARAMETER", f"type取值为{'、'.join(KINDS)}")
    return {"file_id": desk.receipts.apply(call.merchant.seller_id, call.app.app_id, kind, key)}


def query(desk: Desk, call: Call, base_url: str) -> dict[str, Any]:
    """``alipay.data.bill.ereceipt.query``: an address once the receipt has been written."""
    found = desk.receipts.query(call.merchant.seller_id, _text(call, "file_id"))
    told = {"status": found.status}
    if found.path:
        told["download_url"] = base_url + found.path
    if found.problem:
        told["error_message"] = found.problem
    return told


def _text(call: Call, name: str) -> str:
    try:
        return terms.text(call.terms, name, 64, required=True)
    except Declined as declined:
        raise Declined("INVALID_PARAMETER", declined.detail) from declined
