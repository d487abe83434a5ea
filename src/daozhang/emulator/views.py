"""What the control plane shows of trades, notifications and faults, as JSON."""

from __future__ import annotations

import base64
from typing import Any

from daozhang.emulator.faults import Fault
from daozhang.emulator.ledger import Trade
from daozhang.emulator.notifier import Notification


def trade_content(trade: Trade) -> dict[str, Any]:
    """A trade with its refunds; times are aware, in ISO 8601."""
    return {
        "out_trade_no": trade.out_trade_no,
        "trade_no": trade.trade_no,
        "app_id": trade.request.app_id,
        "seller_id": trade.request.seller_id,
        "trade_status": trade.status.value,
        "total_amount": str(trade.total),
        "refunded_amount": str(trade.refunded),
        "subject": trade.request.subject,
        "channel": None if trade.channel is None else trade.channel.value,
        "created_at": trade.created_at.isoformat(),
        "expires_at": trade.request.expires_at.isoformat(),
        "paid_at": None if trade.paid_at is None else trade.paid_at.isoformat(),
        "closed_at": None if trade.closed_at is None else trade.closed_at.isoformat(),
        "finished_at": None if trade.finished_at is None else trade.finished_at.isoformat(),
        "notify_url": trade.request.notify_url,
        "refunds": [
            {
                "out_request_no": refund.out_request_no,
                "amount": str(refund.amount),
                "reason": refund.reason,
                "origin": refund.origin.value,
                "at": refund.at.isoformat(),
                "deposit_back": refund.deposit_back or None,
            }
            for refund in trade.refunds
        ],
    }


def notification_content(notification: Notification) -> dict[str, Any]:
    """A notification with its attempts.

    ``body`` is the form as it was sent, which is always ASCII; ``answer`` may be anything.
    """
    due_at = notification.due_at
    return {
        "notify_id": notification.notify_id,
        "out_trade_no": notification.out_trade_no,
        "occasion": notification.occasion.value,
        "notify_url": notification.url,
        "delivery": notification.delivery.value,
        "created_at": notification.created_at.isoformat(),
        "due_at": None if due_at is None else due_at.isoformat(),
        "attempts": [
            {
                "number": attempt.number,
                "at": attempt.at.isoformat(),
                "content_type": attempt.content_type,
                "body": attempt.body.decode("ascii"),
                "status": attempt.status,
                "answer": attempt.answer.decode("utf-8", "replace"),
                "answer_base64": base64.b64encode(attempt.answer).decode("ascii"),
                "error": attempt.error or None,
                "acknowledged": attempt.acknowledged,
            }
            for attempt in list(notification.attempts)
        ],
    }


def fault_content(fault: Fault) -> dict[str, Any]:
    """A fault, with how often it struck and still can."""
    return {
        "name": fault.name.value,
        "out_trade_no": fault.out_trade_no,
        "app_id": fault.app_id,
        "method": fault.method,
        "times": fault.times,
        "probability": fault.probability,
        "seconds": fault.duration_seconds,
        "struck": fault.struck,
    }
