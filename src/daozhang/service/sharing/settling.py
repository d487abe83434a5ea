"""The one door by which what Alipay says of shares enters: an answer, a query or a message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from daozhang.alipay.messages import OrderSettled, read_message
from daozhang.alipay.notifications import Message, Notification
from daozhang.service.db import Tx
from daozhang.service.ledger.actions import post_entry
from daozhang.service.orders.actions import lock_order, pass_on, release
from daozhang.service.orders.announcing import announce, tell_person
from daozhang.service.orders.model import Order
from daozhang.service.sharing import rules, store
from daozhang.service.sharing.calls import details_of
from daozhang.service.sharing.events import FAILED, SUCCEEDED, share_snapshot
from daozhang.service.sharing.model import (
    FACE_TO_FACE,
    Answer,
    Outcome,
    Round,
    RoundStatus,
    Share,
    ShareStatus,
)
from daozhang.service.sharing.posting import entry_of_finish, entry_of_share
from daozhang.service.sharing.requesting import RETURNS_SIGNAL, SHARES_SIGNAL
from daozhang.service.sharing.thawing import THAWED, take_thaw
from daozhang.service.web.context import Context


def take_answer(
    tx: Tx, context: Context, order: Order, round_: Round, answer: Answer, now: datetime
) -> Order:
    """Moves a round of a locked order, and its shares, by what was told; the order as it stands then.

    The same again changes nothing, and in whatever order it is told the end is the same.
    """
    shares = store.list_shares_of_round(tx, round_.id)
    outcome = answer.outcome
    moved: list[Share] = []
    moments: dict[int, datetime | None] = {}
    if outcome is Outcome.PROVEN:
        moments = {share.id: told.at for share, told in rules.matched(shares, answer.details)}
        moved, outcome = rules.take_details(shares, answer.details)
    move = rules.TRANSITIONS[round_.status][outcome]
    was_failed = round_.status is RoundStatus.FAILED
    if was_failed and not any(share.status is ShareStatus.SUCCEEDED for share in moved):
        return order
    order = _save_round(tx, context, order, round_, answer, move, now)
    saved = store.find_round_by_id(tx, round_.id)
    assert saved is not None
    before = {share.id: share for share in shares}
    if move.to is RoundStatus.FAILED:
        moved = [
            replace(
                s, status=ShareStatus.FAILED, last_code=answer.code, last_message=answer.message
            )
            for s in shares
            if s.status is ShareStatus.PENDING
        ]
    for share in moved:
        at = moments.get(share.id) or now
        order = _move_share(tx, context, order, saved, before[share.id], share, now, at)
    if move.to is RoundStatus.DONE and saved.finishes and round_.status is not RoundStatus.DONE:
        entry = entry_of_finish(tx, order, saved, now)
        if entry is not None:
            post_entry(tx, entry)
    surprise = move.surprise
    if surprise is None and rules.person_is_due(round_) and saved.is_open:
        surprise = "share_stays_unclear"
    if surprise is not None:
        detail = (
            f"share {round_.out_request_no}: {answer.code or outcome.value}: {answer.message or ''}"
        )
        tell_person(tx, context, order, surprise, detail, round_.amount, now)
    return order


def _save_round(
    tx: Tx,
    context: Context,
    order: Order,
    round_: Round,
    answer: Answer,
    move: rules.Move,
    now: datetime,
) -> Order:
    status = move.to or round_.status
    values: dict[str, Any] = {
        "status": status.value,
        "calling": False,
        "due_at": rules.due_after(move.follow, round_, now),
        "settle_no": answer.settle_no or round_.settle_no,
        "updated_at": now,
    }
    if answer.code is not None:
        values |= {"last_code": answer.code, "last_message": answer.message}
    ended = status in (RoundStatus.DONE, RoundStatus.FAILED)
    if ended and status is not round_.status:
        values["ended_at"] = now
        if order.way in FACE_TO_FACE and order.refunded:
            # Alipay may have taken some of it back with a refund before anybody here knew of the share.
            values["returns_due_at"] = now
            tx.after_commit(lambda: context.signals.wake(RETURNS_SIGNAL))
    store.update_round(tx, round_.id, **values)
    if values["due_at"] is not None:
        tx.after_commit(lambda: context.signals.wake(SHARES_SIGNAL))
    return order


def _move_share(
    tx: Tx,
    context: Context,
    order: Order,
    round_: Round,
    before: Share,
    after: Share,
    now: datetime,
    at: datetime,
) -> Order:
    """Writes down that a share has ended, or that one which had failed has been made after all."""
    if before.status is ShareStatus.PENDING:
        order = release(tx, order, after.amount, now)
    if after.status is ShareStatus.SUCCEEDED:
        order = pass_on(tx, order, after.amount, now)
        if before.status is ShareStatus.FAILED:
            detail = (
                f"share {round_.out_request_no} to {after.account} had failed: {before.last_code}"
            )
            tell_person(tx, context, order, "failed_share_succeeded", detail, round_.amount, now)
    store.update_share(
        tx,
        after.id,
        status=after.status.value,
        last_code=after.last_code,
        last_message=after.last_message,
        detail_id=after.detail_id,
        ended_at=now,
    )
    succeeded = after.status is ShareStatus.SUCCEEDED
    if succeeded:
        post_entry(tx, entry_of_share(tx, order, round_, after, at))
    announce_share(tx, context, order, SUCCEEDED if succeeded else FAILED, after, round_, now)
    return order


def announce_share(
    tx: Tx,
    context: Context,
    order: Order,
    name: str,
    share: Share,
    round_: Round,
    now: datetime,
    *,
    refund_request_no: str | None = None,
) -> None:
    """Appends an event about a share of a locked order."""
    snapshot = share_snapshot(share, round_, refund_request_no)
    announce(tx, context, order, name, now, share=snapshot)


def take_message(tx: Tx, context: Context, merchant_id: int, told: Notification) -> str:
    """Takes what Alipay tells of shares that were made later; what became of the message, in words."""
    read = read_message(told) if isinstance(told, Message) else None
    if isinstance(read, OrderSettled) and read.msg_type == THAWED:
        return take_thaw(tx, context, merchant_id, read)
    if not isinstance(read, OrderSettled) or not read.out_request_no:
        return "kept; it names no share"
    found = store.find_round_of_merchant(tx, merchant_id, read.out_request_no)
    if found is None:
        return "kept; the share it names is none of ours"
    order = lock_order(tx, found.order_id)
    round_ = store.find_round_by_id(tx, found.id)
    assert round_ is not None
    now = context.clock.now()
    if read.trade_no is not None and read.trade_no != order.trade_no:
        detail = f"the message of share {round_.out_request_no} names trade {read.trade_no}"
        tell_person(tx, context, order, "share_message_differs", detail, round_.amount, now)
        return "trade_no differs: a person is told"
    details: Sequence[Any] = tuple(details_of(read.royalty_detail_list or ()))
    if not details:
        store.update_round(tx, round_.id, due_at=now if round_.is_open else None)
        tx.after_commit(lambda: context.signals.wake(SHARES_SIGNAL))
        return "it says nothing of the shares: Alipay is asked"
    answer = Answer(Outcome.PROVEN, details=tuple(details), settle_no=read.settle_no)
    take_answer(tx, context, order, round_, answer, now)
    after = store.find_round_by_id(tx, round_.id)
    assert after is not None
    return f"{round_.status.value} -> {after.status.value}"
