"""The story of an order as its page shows it: the service's sentences, with what belongs to each."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from markupsafe import Markup

from daozhang.console.orders.views import ORIGINS
from daozhang.console.states import STATES, Tone
from daozhang.console.timeline import Moment, Paper, marked
from daozhang.console.visits import Visit
from daozhang.money import Money
from daozhang.service.orders.model import Order
from daozhang.service.people.model import Language, Right
from daozhang.service.refunds.model import RefundOrigin
from daozhang.service.story.actions import Story

Entry = Mapping[str, Any]

_DELIVERIES: Final[Mapping[str, Tone]] = {"delivered": "good", "pending": "busy", "parked": "warn"}


def tell(visit: Visit, order: Order, story: Story) -> list[Moment]:
    """Everything that happened, latest first."""
    return [_KINDS.get(one["kind"], _plain)(visit, order, one) for one in story.entries][::-1]


def said(visit: Visit, entry: Entry) -> Markup:
    """The sentence in the reader's language, with the names in it set apart."""
    sentence = entry["say_zh"] if visit.language is Language.CHINESE else entry["say"]
    return set_apart(sentence, entry.get("names", ()), visit.language)


def set_apart(sentence: str, names: Iterable[str], language: Language) -> Markup:
    """``sentence`` with each of ``names`` in it marked as what no language has a word for."""
    known = sorted({*names}, key=len, reverse=True)
    if not known:
        return marked(sentence, language)
    parts = re.split("(" + "|".join(re.escape(name) for name in known) + ")", sentence)
    return Markup("").join(
        Markup('<code translate="no">{}</code>').format(part)
        if part in known
        else marked(part, language)
        for part in parts
    )


def _plain(visit: Visit, _order: Order, entry: Entry) -> Moment:
    return _moment(visit, entry, icon="arrow-right")


def _created(visit: Visit, _order: Order, entry: Entry) -> Moment:
    return _moment(visit, entry, icon="plus")


def _charged(visit: Visit, _order: Order, entry: Entry) -> Moment:
    return _moment(visit, entry, icon="scan")


def _moment(visit: Visit, entry: Entry, *, icon: str, tone: Tone = "calm", **more: Any) -> Moment:
    details = [(name, str(value)) for name, value in more.pop("details", ()) if value]
    return Moment(
        at=datetime.fromisoformat(entry["at"]),
        title=said(visit, entry),
        icon=icon,
        tone=tone,
        details=details,
        **more,
    )


def _step(visit: Visit, order: Order, entry: Entry) -> Moment:
    t = visit.t
    after = STATES[f"order.{entry['status_after']}"]
    moved = entry["status_before"] != entry["status_after"]
    return _moment(
        visit,
        entry,
        icon="circle-check" if moved and after.tone == "good" else "arrow-right",
        tone=after.tone if moved else "calm",
        amount=order.amount if moved and entry["status_after"] == "paid" else None,
        details=[
            (t("Reference"), entry["source_ref"]),
            (t("Alipay trade number"), entry["fact"].get("trade_no")),
            (t("Events"), ", ".join(entry["events"])),
            (t("Note"), entry["note"]),
        ],
    )


def _notification(visit: Visit, order: Order, entry: Entry) -> Moment:
    t = visit.t
    state = STATES[f"notification.{entry['status']}"]
    lines = [t("Signature verified"), t(state.text)]
    raw = None
    if entry["raw_deleted"]:
        lines.append(t("Its raw text was deleted when its time was over"))
    elif visit.may(Right.NOTIFICATIONS_READ):
        raw = f"{visit.home}/orders/{order.out_trade_no}/notifications/{entry['id']}"
    return _moment(
        visit,
        entry,
        icon="bell",
        tone="warn" if state.tone == "warn" else "calm",
        lines=[" · ".join(lines)],
        raw=raw,
        details=[
            (t("Alipay's number of it"), entry["notify_id"]),
            (t("Kind"), entry["says"]),
            (t("Outcome"), entry["outcome"]),
        ],
    )


def _surprise(visit: Visit, _order: Order, entry: Entry) -> Moment:
    t = visit.t
    return _moment(
        visit,
        entry,
        icon="alert-triangle",
        tone="warn",
        amount=Money.parse(entry["amount"], entry["currency"]),
        details=[(t("Detail"), entry["detail"])],
    )


def _refund(visit: Visit, _order: Order, entry: Entry) -> Moment:
    t, begins = visit.t, entry["word"] == "requested"
    ended = STATES[f"refund.{entry['status']}"] if entry["word"] == "ended" else None
    return _moment(
        visit,
        entry,
        icon="arrow-back-up" if begins or ended is not None else "send",
        tone="calm" if ended is None else ended.tone,
        amount=Money.parse(entry["amount"], entry["currency"]) if ended is not None else None,
        quote=entry["reason"] if begins else None,
        details=[
            (t("Refund number"), entry["out_request_no"]),
            (t("Origin"), t(ORIGINS[RefundOrigin(entry["origin"])])),
        ],
    )


def _event(visit: Visit, _order: Order, entry: Entry) -> Moment:
    t = visit.t
    papers = [Paper(t("What is sent"), _json(entry["data"]))]
    details = [(t("Event"), entry["id"])]
    return _moment(visit, entry, icon="speakerphone", details=details, papers=papers)


def _delivery(visit: Visit, _order: Order, entry: Entry) -> Moment:
    t = visit.t
    papers = [_post(visit, number, post) for number, post in enumerate(entry["posts"], 1)]
    return _moment(
        visit,
        entry,
        icon="send",
        tone=_DELIVERIES[entry["status"]],
        papers=papers,
        details=[
            (t("Delivery"), entry["id"]),
            (t("Event"), entry["event_id"]),
            (t("Address"), entry["url"]),
        ],
    )


def _post(visit: Visit, number: int, post: Entry) -> Paper:
    title = visit.t(
        "Attempt {number}, {milliseconds} ms", number=number, milliseconds=post["duration_ms"]
    )
    answered = "" if post["status_code"] is None else f"HTTP {post['status_code']}"
    lines = [post["at"], answered, post["error"] or "", post["response"] or ""]
    return Paper(title, "\n".join(line for line in lines if line))


def _json(data: Mapping[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, indent=2)


_KINDS: Final[Mapping[str, Callable[[Visit, Order, Entry], Moment]]] = {
    "created": _created,
    "till": _charged,
    "charge": _charged,
    "step": _step,
    "notification": _notification,
    "surprise": _surprise,
    "refund": _refund,
    "event": _event,
    "delivery": _delivery,
}
