"""What a person sets about a book: when Alipay pays out, and what it is expected to take."""

from __future__ import annotations

from daozhang.service.audit.actions import record
from daozhang.service.audit.model import Actor
from daozhang.service.db import Tx
from daozhang.service.ledger import store
from daozhang.service.ledger.model import Book, Payout
from daozhang.service.ledger.reading import book_of
from daozhang.service.people.model import Person, Right
from daozhang.service.people.rights import require
from daozhang.service.web.context import Context


def set_book_as(
    context: Context,
    actor: Person,
    merchant_id: int,
    *,
    payout: Payout,
    fee_ppm: int,
    payout_days: int | None = None,
) -> Book:
    """How the account of a merchant is paid out, from the next payment on, and its rate of fees in
    millionths; ``payout_days`` is the N of T+N, which stays as it is unless it is given. It is the
    account's: all merchants of one seller id share all three."""
    require(actor, Right.MERCHANTS_WRITE, merchant_id)
    with context.database.begin() as tx:
        return set_book(
            tx,
            context,
            actor.actor,
            merchant_id,
            payout=payout,
            fee_ppm=fee_ppm,
            payout_days=payout_days,
        )


def set_book(
    tx: Tx,
    context: Context,
    actor: Actor,
    merchant_id: int,
    *,
    payout: Payout | None = None,
    fee_ppm: int | None = None,
    payout_days: int | None = None,
) -> Book:
    """As `set_book_as`, by whom the caller has let in; what is not given stays as it is."""
    assert fee_ppm is None or fee_ppm >= 0, "nobody is paid for taking payments"
    assert payout_days is None or payout_days > 0, "money that is paid out later waits for a day"
    before = book_of(tx, merchant_id)
    store.make_book(tx, before.environment, before.seller_id, before.currency)
    before = store.lock_book(tx, book_of(tx, merchant_id).id)  # now it is there
    way = (payout or before.payout).value
    rate = before.fee_ppm if fee_ppm is None else fee_ppm
    days = before.payout_days if payout_days is None else payout_days
    store.update_book(tx, before.id, payout=way, fee_ppm=rate, payout_days=days)
    record(
        tx,
        actor,
        "ledger.book_set",
        f"ledger:{before.seller_id}:{before.currency}",
        context.clock.now(),
        merchant_id=merchant_id,
        payout=way,
        payout_before=before.payout.value,
        fee_ppm=rate,
        fee_ppm_before=before.fee_ppm,
        payout_days=days,
        payout_days_before=before.payout_days,
    )
    return book_of(tx, merchant_id)
