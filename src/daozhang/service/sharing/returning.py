"""What of shares comes back with a refund: planned before it is sent, booked with its end.

`refunds` calls this in its own transactions, under the order's lock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from daozhang.money import Money
from daozhang.service.db import Tx
from daozhang.service.ledger.actions import post_entry
from daozhang.service.orders.actions import pass_on, take_back
from daozhang.service.orders.announcing import tell_person
from daozhang.service.orders.model import Order
from daozhang.service.sharing import rules, store
from daozhang.service.sharing.events import RETURNED
from daozhang.service.sharing.model import (
    FACE_TO_FACE,
    Return,
    ReturnOrder,
    ReturnStatus,
    Round,
    Share,
    ShareStatus,
)
from daozhang.service.sharing.posting import entry_of_return
from daozhang.service.sharing.refusals import ReturnsNeeded
from daozhang.service.sharing.settling import announce_share
from daozhang.service.web.context import Context

Told = Sequence[tuple[str, Money]]
"""Who gave back how much with one refund, by Alipay's word."""


def gives_back_by_itself(tx: Tx, order: Order) -> bool:
    """Whether Alipay decides who gives back how much with a refund, and only the refund query tells."""
    if order.way not in FACE_TO_FACE:
        return False
    return any(s.status is ShareStatus.SUCCEEDED for s in store.list_shares(tx, order.id))


def has_open_rounds(tx: Tx, order: Order) -> bool:
    """Whether shares are under way of an order whose refunds take back shares by themselves."""
    return order.way in FACE_TO_FACE and any(r.is_open for r in store.list_rounds(tx, order.id))


def cover_what_others_have(tx: Tx, order: Order, now: datetime) -> Order:
    """Counts as covered by the seller what of a locked order's shares has been refunded already, in the
    merchant centre, which does not ask who has it: a claim between people. The order as it stands then."""
    if order.way in FACE_TO_FACE:
        return order  # there it asks everybody, and the refund query tells who gave
    left = max(order.refunded + order.shared - order.amount, Money.zero(order.amount.currency))
    for share in store.list_shares(tx, order.id) if left else ():
        part = min(left, share.outstanding)
        if part:
            store.update_share(tx, share.id, covered_minor=(share.covered + part).minor)
            order = take_back(tx, order, part, now)
            left -= part
    return order


def plan_returns(tx: Tx, order: Order, refund: Money) -> list[tuple[Share, Money]]:
    """Who gives back how much with a refund of a locked order; nobody if that would not be enough.

    As the first of its rounds says; face to face pro rata, since Alipay does not ask.
    """
    if not order.shared:
        return []
    rounds = store.list_rounds(tx, order.id)
    shares = store.list_shares(tx, order.id)
    how = ReturnOrder.PRO_RATA if order.way in FACE_TO_FACE else rounds[0].returns
    left = order.amount - order.refunded
    return rules.returns_for(refund, order.remainder, left, shares, how) or []


def require_enough(tx: Tx, order: Order, refund: Money) -> None:
    """Raises `ReturnsNeeded` if a refund of a locked order draws on what others would have to give back."""
    lacking = refund - order.remainder
    if Money.zero(refund.currency) < lacking <= order.shared:
        shares = store.list_shares(tx, order.id)
        raise ReturnsNeeded(lacking, [(s.account, s.outstanding) for s in shares if s.outstanding])


def named_returns(
    tx: Tx, order: Order, named: Sequence[Mapping[str, Any]]
) -> list[tuple[Share, Money]]:
    """What of an order's shares comes back if ``named`` (``refund_royalty_parameters``) give so much.

    What they have beyond that was not shared by us, and Alipay decides.
    """
    left = {share.id: share.outstanding for share in store.list_shares(tx, order.id)}
    shares = store.list_shares(tx, order.id)
    taken: dict[int, Money] = {}
    for one in named:
        wanted = Money.parse(one["amount"]) if one.get("amount") else Money.zero()
        for share in shares:
            if share.account == one.get("trans_out") and one.get("royalty_type") == "transfer":
                part = min(wanted, left[share.id])
                left[share.id] -= part
                wanted -= part
                taken[share.id] = taken.get(share.id, Money.zero()) + part
    return [(share, taken[share.id]) for share in shares if taken.get(share.id)]


def royalty_parameters(
    order: Order, returns: Sequence[tuple[Share, Money]]
) -> list[dict[str, Any]]:
    """``refund_royalty_parameters`` for what is to come back; none face to face."""
    if order.way in FACE_TO_FACE:
        return []
    return [
        {
            "royalty_type": "transfer",
            "trans_out": share.account,
            "trans_out_type": share.receiver_type.value,
            "trans_in": order.seller_id,
            "trans_in_type": "userId",
            "amount": str(amount),
        }
        for share, amount in returns
    ]


def expect_returns(
    tx: Tx, order: Order, out_request_no: str, returns: Sequence[tuple[Share, Money]], now: datetime
) -> Order:
    """Writes down what comes back with a refund that is about to be sent: it can be refunded now, and
    not given back a second time."""
    for share, amount in returns:
        assert amount <= share.outstanding, "more would come back than was shared"
        store.update_share(tx, share.id, returning_minor=(share.returning + amount).minor)
    store.insert_returns(
        tx,
        [_expected(share, order, out_request_no, amount, now) for share, amount in returns],
    )
    total = Money.total((amount for _, amount in returns), order.amount.currency)
    return take_back(tx, order, total, now) if returns else order


def settle_returns(
    tx: Tx,
    context: Context,
    order: Order,
    out_request_no: str | None,
    now: datetime,
    *,
    happened_at: datetime | None,
    told: Told | None = None,
) -> Order:
    """Books the end of what was to come back with a refund: it has at ``happened_at``, or, without that,
    it stays with the receivers. The same again books nothing.

    Face to face ``told`` is who gave back how much; what was expected before was reckoned from how things
    stood here. If it names somebody of whom nothing is known here, the shares that are under way may be
    theirs: nothing is booked before these have ended, and it is asked again then (`returns_due_at`).
    """
    if out_request_no is None:
        return order
    if happened_at is not None and told is not None and order.way in FACE_TO_FACE:
        parts = _parts_of(tx, order, out_request_no, told)
        if parts is not None:
            order = _bring_to(tx, order, out_request_no, parts, now)
        elif has_open_rounds(tx, order):
            return order
    ends = _UNDONE if happened_at is None else _BOOKED
    found = [r for r in store.list_returns(tx, order.id, out_request_no) if r.status in ends]
    rounds = {round_.id: round_ for round_ in store.list_rounds(tx, order.id)} if found else {}
    for one in found:
        share = next(s for s in store.list_shares(tx, order.id) if s.id == one.share_id)
        if happened_at is None:
            order = _undo(tx, order, share, one, now)
            continue
        if one.status is ReturnStatus.FAILED:
            # The refund had failed here, and has been made after all.
            if one.amount > share.outstanding:
                detail = (
                    f"refund {out_request_no}: {one.amount} of {share.account}'s {share.amount} was to come "
                    f"back, who has {share.outstanding}"
                )
                tell_person(tx, context, order, "share_return_unclear", detail, one.amount, now)
                continue
            order = take_back(tx, order, one.amount, now)
            share = replace(share, returning=share.returning + one.amount)
        returning = (share.returning - one.amount).minor
        returned = share.returned + one.amount
        store.update_return(tx, one.id, status=ReturnStatus.RETURNED.value, ended_at=now)
        store.update_share(tx, share.id, returning_minor=returning, returned_minor=returned.minor)
        post_entry(tx, entry_of_return(order, one, happened_at))
        after, round_ = replace(share, returned=returned), rounds[share.round_id]
        announce_share(
            tx, context, order, RETURNED, after, round_, now, refund_request_no=out_request_no
        )
    return order


def _parts_of(tx: Tx, order: Order, out_request_no: str, told: Told) -> dict[int, Money] | None:
    """How much of each share came back with a refund beyond what is booked of it, by what was told;
    ``None`` if that names more than the shares have that are known."""
    there = store.list_returns(tx, order.id, out_request_no)
    booked = {one.share_id: one.amount for one in there if one.status is ReturnStatus.RETURNED}
    zero = Money.zero(order.amount.currency)
    shares = store.list_shares(tx, order.id)
    known: dict[str, Money] = {}
    for share in shares:
        known[share.account] = known.get(share.account, zero) + booked.get(share.id, zero)
    parts = {share.id: zero for share in shares if share.id not in booked}
    # What is expected of other refunds was reckoned, and gives way to what is told of this one.
    left = {s.id: s.outstanding + s.returning for s in shares if s.id in parts}
    for account, amount in told:
        already = min(amount, known.get(account, zero))
        wanted = amount - already
        known[account] = known.get(account, zero) - already
        for share in shares:
            if share.account == account and share.id in parts:
                part = min(wanted, left[share.id])
                parts[share.id] += part
                left[share.id] -= part
                wanted -= part
        if wanted:
            return None
    return parts


def _bring_to(
    tx: Tx, order: Order, out_request_no: str, parts: Mapping[int, Money], now: datetime
) -> Order:
    """Brings what is expected of a refund to what came back of each share that is not booked yet. What was
    expected of others, and is not there beside it, is expected no more."""
    there = {one.share_id: one for one in store.list_returns(tx, order.id, out_request_no)}
    zero = Money.zero(order.amount.currency)
    for share in store.list_shares(tx, order.id):
        if share.id not in parts:
            continue
        row, after = there.get(share.id), parts[share.id]
        before = row.amount if row is not None and row.status is ReturnStatus.PENDING else zero
        if before != after:
            order = pass_on(tx, order, before, now)
            order, given_way = _make_room(
                tx, order, share, out_request_no, after - before - share.outstanding, now
            )
            order = take_back(tx, order, after, now)
            returning = share.returning - before - given_way + after
            store.update_share(tx, share.id, returning_minor=returning.minor)
        if row is None and after:
            store.insert_returns(tx, [_expected(share, order, out_request_no, after, now)])
        elif row is not None and after:
            store.update_return(
                tx, row.id, amount_minor=after.minor, status=ReturnStatus.PENDING.value
            )
        elif row is not None:
            store.delete_return(tx, row.id)
    return order


def _make_room(
    tx: Tx, order: Order, share: Share, out_request_no: str, lacking: Money, now: datetime
) -> tuple[Order, Money]:
    """Takes ``lacking`` off what is expected of a share with other refunds, the latest first: the order, and how
    much that was. Nothing if nothing is lacking."""
    given_way = Money.zero(lacking.currency)
    for row in reversed(store.list_returns(tx, order.id)):
        of_others = row.share_id == share.id and row.out_request_no != out_request_no
        if not of_others or row.status is not ReturnStatus.PENDING or lacking <= given_way:
            continue
        part = min(row.amount, lacking - given_way)
        if part == row.amount:
            store.delete_return(tx, row.id)
        else:
            store.update_return(tx, row.id, amount_minor=(row.amount - part).minor)
        given_way += part
        order = pass_on(tx, order, part, now)
    return order, given_way


def note_question(
    tx: Tx, context: Context, order: Order, round_: Round, now: datetime, *, is_answered: bool
) -> None:
    """Notes that it was asked what came back of a round's shares with refunds that were made before its
    end was known; if that is not answered yet, it is asked again, and after many times people are told."""
    asked = round_.returns_ask_count
    due_at = None if is_answered else now + rules.ask_delay(asked - 1)
    store.update_round(tx, round_.id, returns_due_at=due_at)
    if not is_answered and asked == rules.ASKS_BEFORE_PERSON:
        detail = f"share {round_.out_request_no}: what came back of it is asked in vain"
        tell_person(tx, context, order, "share_return_unclear", detail, round_.amount, now)


def _expected(
    share: Share, order: Order, out_request_no: str, amount: Money, now: datetime
) -> dict[str, Any]:
    return {
        "share_id": share.id,
        "order_id": order.id,
        "out_request_no": out_request_no,
        "amount_minor": amount.minor,
        "currency": amount.currency,
        "status": ReturnStatus.PENDING.value,
        "created_at": now,
    }


_BOOKED = (ReturnStatus.PENDING, ReturnStatus.FAILED)
_UNDONE = (ReturnStatus.PENDING, ReturnStatus.COVERED)


def _undo(tx: Tx, order: Order, share: Share, one: Return, now: datetime) -> Order:
    """The refund was not made: the receiver keeps what was to come back, or what the seller covered."""
    column = "covered" if one.status is ReturnStatus.COVERED else "returning"
    held: Money = getattr(share, column)
    store.update_return(tx, one.id, status=ReturnStatus.FAILED.value, ended_at=now)
    store.update_share(tx, share.id, **{f"{column}_minor": (held - one.amount).minor})
    return pass_on(tx, order, one.amount, now)


def cover_returns(tx: Tx, order: Order, out_request_no: str, now: datetime) -> None:
    """A receiver could not give back: what was to come back with that refund is paid by the seller."""
    shares = {share.id: share for share in store.list_shares(tx, order.id)}
    for one in store.list_returns(tx, order.id, out_request_no):
        if one.status is not ReturnStatus.PENDING:
            continue
        share = shares[one.share_id]
        store.update_return(tx, one.id, status=ReturnStatus.COVERED.value, ended_at=now)
        store.update_share(
            tx,
            share.id,
            returning_minor=(share.returning - one.amount).minor,
            covered_minor=(share.covered + one.amount).minor,
        )
