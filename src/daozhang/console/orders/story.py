"""The story of an order, each entry in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from daozhang.console.states import STATES, Tone
from daozhang.console.timeline import Moment
from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.money import Money
from daozhang.service.orders.model import Order
from daozhang.service.people.model import Language
from daozhang.service.refunds.model import Refund, RefundStatus

Entry = Mapping[str, Any]

_LEARNED: Final[Mapping[str, str]] = {
    "notification": word("Alipay's notification said so"),
    "query": word("We asked Alipay, and it answered"),
    "pay": word("Alipay answered the payment"),
    "create": word("Alipay answered when the trade was made"),
    "close": word("Closed at the merchant's wish"),
    "cancel": word("Cancelled, because the outcome at the till was unknown"),
    "refund": word("Alipay answered the refund"),
    "refund_query": word("We asked Alipay about the refund, and it answered"),
    "expiry": word("Its time ran out"),
    "refused": word("Alipay refused the charge"),
    "cancel_refused": word("Alipay refused the cancel, so the order goes on"),
}

_FACTS: Final[Mapping[str, str]] = {
    "A": word("Alipay has no such trade yet"),
    "W": word("Alipay waits for the buyer"),
    "P": word("The buyer has paid"),
    "PP": word("Paid, and partly refunded"),
    "F": word("Paid, and no longer refundable"),
    "R": word("Refunded in full"),
    "CU": word("Closed unpaid at Alipay"),
    "C?": word("Closed at Alipay, with signs of a payment"),
}

_ICONS: Final[Mapping[str, str]] = {"till": "scan", "event": "bell", "delivery": "bell"}
"""Of entries whose own sentence says everything."""

_REASONS: Final[Mapping[str, str]] = {
    "amount_differs": word("The amount is not the order's"),
    "seller_id_differs": word("The money went to another seller"),
    "app_id_differs": word("It was said by another app"),
    "trade_no_differs": word("Alipay's trade number is another"),
}


def tell(
    visit: Visit, order: Order, entries: Sequence[Entry], refunds: Sequence[Refund]
) -> list[Moment]:
    """Everything that happened, latest first."""
    moments = [_KINDS.get(entry["kind"], _said)(visit, order, entry) for entry in entries]
    moments += [moment for refund in refunds for moment in _refund(visit, refund)]
    moments.sort(key=lambda moment: moment.at)
    return moments[::-1]


def _created(visit: Visit, order: Order, entry: Entry) -> Moment:
    return Moment(_at(entry), visit.t("Order created"), icon="plus", amount=order.amount)


def _step(visit: Visit, order: Order, entry: Entry) -> Moment:
    t, fact = visit.t, entry["fact"]
    before, after = f"order.{entry['status_before']}", f"order.{entry['status_after']}"
    moved = before != after
    said = _FACTS.get(str(fact.get("kind", "")))
    how = _LEARNED.get(entry["cause"], entry["cause"])
    title = STATES[after].text if moved else said or how
    lines = [t(line) for line in (said, how) if line is not None and line != title]
    details = [
        (t("Reference"), str(entry["source_ref"])),
        (t("Events"), ", ".join(entry["events"])),
        (t("Note"), str(entry["note"] or "")),
    ]
    return Moment(
        at=_at(entry),
        title=t(title),
        icon="circle-check" if STATES[after].tone == "good" and moved else "arrow-right",
        tone=STATES[after].tone if moved else "calm",
        lines=lines,
        amount=order.amount if moved and entry["status_after"] == "paid" else None,
        details=[(name, value) for name, value in details if value],
    )


def _notification(visit: Visit, _order: Order, entry: Entry) -> Moment:
    t = visit.t
    state = STATES[f"notification.{entry['status']}"]
    lines = [f"{t(state.text)}"]
    if entry["copies"] > 1:
        lines.append(t("Sent {count} times, taken once", count=entry["copies"]))
    if entry["raw_deleted"]:
        lines.append(t("Its raw text was deleted when its time was over"))
    details = [
        (t("Alipay's number of it"), str(entry["notify_id"])),
        (t("Kind"), str(entry["says"])),
    ]
    if entry["outcome"]:
        details.append((t("Outcome"), str(entry["outcome"])))
    return Moment(
        at=_at(entry),
        title=t("Notification received, signature verified"),
        icon="bell",
        tone="warn" if state.tone == "warn" else "calm",
        lines=lines,
        details=details,
    )


def _surprise(visit: Visit, _order: Order, entry: Entry) -> Moment:
    t = visit.t
    return Moment(
        at=_at(entry),
        title=t("A fact did not fit: a person has to look"),
        icon="alert-triangle",
        tone="warn",
        lines=[t(_REASONS[entry["reason"]])] if entry["reason"] in _REASONS else [],
        amount=Money.parse(entry["amount"], entry["currency"]),
        details=[(t("Reason"), entry["reason"]), (t("Detail"), entry["detail"])],
    )


def _said(visit: Visit, _order: Order, entry: Entry) -> Moment:
    chinese = visit.language is Language.CHINESE
    icon = _ICONS.get(entry["kind"], "arrow-right")
    return Moment(_at(entry), entry["say_zh"] if chinese else entry["say"], icon=icon)


def _refund(visit: Visit, refund: Refund) -> list[Moment]:
    t = visit.t
    number = [] if refund.out_request_no is None else [(t("Refund number"), refund.out_request_no)]

    def moment(at: datetime, title: str, tone: Tone, quote: str | None) -> Moment:
        return Moment(
            at=at,
            title=t(title),
            icon="arrow-back-up",
            tone=tone,
            amount=refund.amount,
            quote=quote,
            details=number,
        )

    asked = moment(refund.created_at, word("Refund requested"), "calm", refund.reason)
    if refund.ended_at is None:
        return [asked]
    state = STATES[f"refund.{refund.status}"]
    why_not = refund.last_message if refund.status is RefundStatus.FAILED else None
    return [asked, moment(refund.ended_at, state.text, state.tone, why_not)]


_KINDS: Final[Mapping[str, Callable[[Visit, Order, Entry], Moment]]] = {
    "created": _created,
    "step": _step,
    "notification": _notification,
    "surprise": _surprise,
}


def _at(entry: Entry) -> datetime:
    return datetime.fromisoformat(entry["at"])
