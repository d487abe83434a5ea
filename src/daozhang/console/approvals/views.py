"""What the pages of approvals show, ready for their templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from daozhang.console.paging import CURSOR, ROWS, Pages, with_query
from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.money import Money
from daozhang.service.approvals.actions import may_decide
from daozhang.service.approvals.model import Approval, ApprovalKind, ApprovalStatus
from daozhang.service.approvals.rules import asked_for_it, is_open
from daozhang.service.ledger.model import EntryKind
from daozhang.service.people.model import Right

KINDS: Final[Mapping[ApprovalKind, str]] = {
    ApprovalKind.REFUND: word("Refund"),
    ApprovalKind.ALIPAY_KEY: word("New Alipay key"),
    ApprovalKind.LEDGER: word("Entry in the books"),
    ApprovalKind.TRANSFER: word("Transfer"),
    ApprovalKind.TRANSFER_BATCH: word("Sheet of transfers"),
    ApprovalKind.SHARE: word("Shares"),
}

_TABS: Final[Sequence[tuple[str, str]]] = (
    ("", word("Waiting")),
    (ApprovalStatus.APPROVED, word("Approved")),
    (ApprovalStatus.DECLINED, word("Declined")),
    (ApprovalStatus.WITHDRAWN, word("Taken back")),
    (ApprovalStatus.EXPIRED, word("Nobody decided in time")),
)


@dataclass(frozen=True, slots=True)
class Limits:
    """From which amounts on it takes two; ``None``: never."""

    per_order: Money | None
    per_day: Money | None


@dataclass(frozen=True, slots=True)
class ApprovalRow:
    """A line of the inbox."""

    address: str
    approval: Approval
    kind: str
    about: str
    is_own: bool


@dataclass(frozen=True, slots=True)
class ListView:
    """The inbox."""

    here: str
    waits: bool
    tabs: Sequence[tuple[str, str, bool]]
    rows: Sequence[ApprovalRow]
    pages: Pages
    limits_say: str
    may_set_limits: bool


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """One thing that waits, or waited."""

    approval: Approval
    path: str
    kind: str
    order: str | None
    number: str | None
    entry: str | None
    legs: Sequence[tuple[str, Money]]
    transfer: Mapping[str, object] | None
    shares: Sequence[tuple[str, Money]]
    share: Mapping[str, object] | None
    covers: bool
    moved: str | None
    may_approve: bool
    may_decline: bool
    may_withdraw: bool
    is_own: bool


@dataclass(frozen=True, slots=True)
class LimitsView:
    """The form of the limits."""

    per_order: str
    per_day: str
    errors: Mapping[str, str]


def status_of(query: Mapping[str, str]) -> ApprovalStatus:
    """Which approvals an address asks for; those that wait if it cannot be understood."""
    asked = query.get("state", "")
    return ApprovalStatus(asked) if asked in tuple(ApprovalStatus) else ApprovalStatus.PENDING


def list_view(visit: Visit, status: ApprovalStatus, found: Sequence[Approval]) -> ListView:
    """The inbox of ``found``, of which one more than a page holds may have been read."""
    t, path = visit.t, f"{visit.home}/approvals"
    chosen = "" if status is ApprovalStatus.PENDING else status.value
    shown = found[:ROWS]
    here = {"state": chosen}
    more = {**here, CURSOR: shown[-1].id} if len(found) > ROWS else None
    return ListView(
        here=visit.address,
        waits=status is ApprovalStatus.PENDING,
        tabs=[
            (with_query(path, {"state": value}), t(text), value == chosen) for value, text in _TABS
        ],
        rows=[
            ApprovalRow(
                f"{path}/{one.id}", one, t(KINDS[one.kind]), _about(one), _is_own(visit, one)
            )
            for one in shown
        ],
        pages=Pages(
            count=len(shown),
            first=with_query(path, here) if visit.query.get(CURSOR) else None,
            next=None if more is None else with_query(path, more),
        ),
        limits_say=_say(visit, limits_of(visit)),
        may_set_limits=visit.may(Right.MERCHANTS_WRITE),
    )


def _about(approval: Approval) -> str:
    """Which order, transfer or sheet it is about; to whom it goes, as anybody may see it."""
    content = approval.content
    match approval.kind:
        case ApprovalKind.REFUND | ApprovalKind.SHARE:
            return str(content["out_trade_no"])
        case ApprovalKind.TRANSFER:
            return str(content["payee"])
        case ApprovalKind.TRANSFER_BATCH:
            return f"{content['number']} × {content['rows']}"
        case _:
            return ""


def approval_view(visit: Visit, approval: Approval) -> ApprovalView:
    """One approval, with what this visitor may do about it."""
    now = visit.context.clock.now()
    decides = may_decide(visit.who, approval, now)
    of_order = approval.kind in (ApprovalKind.REFUND, ApprovalKind.SHARE)
    return ApprovalView(
        approval=approval,
        path=f"{visit.home}/approvals/{approval.id}",
        kind=visit.t(KINDS[approval.kind]),
        order=str(approval.content["out_trade_no"]) if of_order else None,
        number=str(approval.content["out_request_no"]) if of_order else None,
        entry=_entry_of(approval),
        legs=_legs_of(approval),
        transfer=_transfer_of(approval),
        shares=_shares_of(approval),
        share=approval.content if approval.kind is ApprovalKind.SHARE else None,
        covers=bool(approval.content.get("seller_covers")),
        moved=_moved(visit, approval),
        may_approve=decides and approval.kind is not ApprovalKind.ALIPAY_KEY,
        may_decline=decides,
        may_withdraw=approval.requested_by == str(visit.who.actor) and is_open(approval, now),
        is_own=_is_own(visit, approval) and is_open(approval, now),
    )


def _transfer_of(approval: Approval) -> Mapping[str, object] | None:
    """Which transfer goes, and to whom as anybody may see it; or which sheet, and how many rows it has."""
    is_transfer = approval.kind in (ApprovalKind.TRANSFER, ApprovalKind.TRANSFER_BATCH)
    return approval.content if is_transfer else None


def _moved(visit: Visit, approval: Approval) -> str | None:
    """Where the transfer, or the transfers of the sheet, can be looked at."""
    if not visit.may(Right.TRANSFERS_READ):
        return None
    if approval.kind is ApprovalKind.TRANSFER:
        return f"{visit.home}/transfers/{approval.content['out_biz_no']}"
    if approval.kind is ApprovalKind.TRANSFER_BATCH:
        return with_query(f"{visit.home}/transfers", {"sheet": str(approval.content["number"])})
    return None


def _entry_of(approval: Approval) -> str | None:
    """Which entry will be posted, or is taken back."""
    content = approval.content
    if approval.kind is not ApprovalKind.LEDGER:
        return None
    is_reversal = content["kind"] == EntryKind.REVERSAL
    return f"{content['of_kind']}:{content['of_key']}" if is_reversal else str(content["key"])


def _legs_of(approval: Approval) -> Sequence[tuple[str, Money]]:
    """What an entry by hand does to each account; debits are above zero."""
    if approval.kind is not ApprovalKind.LEDGER or approval.amount is None:
        return ()
    legs: Mapping[str, int] = approval.content.get("legs", {})
    return [(account, Money(minor, approval.amount.currency)) for account, minor in legs.items()]


def _shares_of(approval: Approval) -> Sequence[tuple[str, Money]]:
    """Who is to receive how much of an order's money."""
    if approval.kind is not ApprovalKind.SHARE or approval.amount is None:
        return ()
    currency = approval.amount.currency
    return [(account, Money(minor, currency)) for account, minor in approval.content["shares"]]


def limits_of(visit: Visit) -> Limits:
    """The limits of the merchant that is visited."""
    merchant = visit.merchant
    per_order, per_day = merchant.second_person_order_minor, merchant.second_person_day_minor
    return Limits(
        per_order=None if per_order is None else Money(per_order),
        per_day=None if per_day is None else Money(per_day),
    )


def _say(visit: Visit, limits: Limits) -> str:
    t, amount, order, day = visit.t, visit.formats.amount, limits.per_order, limits.per_day
    if order is None and day is None:
        return t("No limits are set: one person alone may refund any amount.")
    if day is None:
        assert order is not None
        return t("Above {amount} on one order a second person decides.", amount=amount(order))
    if order is None:
        return t(
            "Above {amount} that one person refunds in a day a second one decides.",
            amount=amount(day),
        )
    return t(
        "Above {order} on one order, or {day} that one person refunds in a day, a second one decides.",
        order=amount(order),
        day=amount(day),
    )


def limits_view(visit: Visit, errors: Mapping[str, str]) -> LimitsView:
    """The limits as they are, or as they were sent."""
    limits = limits_of(visit)
    return LimitsView(
        per_order=visit.form.get("per_order", _text(limits.per_order)),
        per_day=visit.form.get("per_day", _text(limits.per_day)),
        errors=errors,
    )


def _text(amount: Money | None) -> str:
    return "" if amount is None else str(amount)


def _is_own(visit: Visit, approval: Approval) -> bool:
    return asked_for_it(approval, str(visit.who.actor))
