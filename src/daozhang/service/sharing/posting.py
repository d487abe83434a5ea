"""What the ledger is told of shares. A share costs the seller what its receiver gets."""

from __future__ import annotations

from datetime import datetime

from daozhang.money import Money
from daozhang.service.db import Tx
from daozhang.service.ledger.model import Account, Entry, EntryKind, Move, Posted
from daozhang.service.ledger.rules import legs_of, takes
from daozhang.service.ledger.store import hold_book, list_of_order
from daozhang.service.orders.model import Order
from daozhang.service.sharing.model import Return, Round, Share


def entry_of_share(tx: Tx, order: Order, round_: Round, share: Share, at: datetime) -> Entry:
    """A share that a receiver has since ``at``, taken from where the payment's money is then."""
    parts = takes(share.amount, _posted(tx, order))
    moves = tuple(Move(Account.ROYALTY, source, part) for source, part in parts)
    return _entry(order, EntryKind.SHARE, f"{share.id}", moves, at, memo=round_.out_request_no)


def entry_of_return(order: Order, returned: Return, at: datetime) -> Entry:
    """What a receiver has given back, at the moment of the refund: it can be spent, also where the
    payment is paid out later."""
    moves = (Move(Account.AVAILABLE, Account.ROYALTY, returned.amount),)
    number = returned.out_request_no
    return _entry(order, EntryKind.SHARE_RETURN, f"{returned.id}", moves, at, memo=number)


def entry_of_finish(tx: Tx, order: Order, round_: Round, now: datetime) -> Entry | None:
    """What a finish lets go of a frozen payment; ``None`` if nothing of it is frozen."""
    return _let_go(tx, order, f"finish:{round_.id}", now, memo=round_.out_request_no)


def entry_of_thaw(tx: Tx, order: Order, at: datetime) -> Entry | None:
    """What Alipay lets go of a frozen payment by itself; ``None`` if nothing of it is frozen.

    All that the books hold frozen: Alipay's own amount lacks the fee, which the account bill posts.
    """
    return _let_go(tx, order, f"thaw:{order.id}", at, memo=order.trade_no or "")


def _let_go(tx: Tx, order: Order, key: str, at: datetime, *, memo: str) -> Entry | None:
    frozen = frozen_of(tx, order)
    if not frozen:
        return None
    moves = (Move(Account.AVAILABLE, Account.FROZEN, frozen),)
    return _entry(order, EntryKind.SETTLEMENT, key, moves, at, memo=memo)


def frozen_of(tx: Tx, order: Order) -> Money:
    """What of the order's payment is still frozen, by the books."""
    legs = legs_of(one.move for one in _posted(tx, order))
    return Money(max(legs.get(Account.FROZEN, 0), 0), order.amount.currency)


def _posted(tx: Tx, order: Order) -> list[Posted]:
    book = hold_book(tx, order.environment, order.seller_id, order.amount.currency)
    return list_of_order(tx, book, order.id)


def _entry(
    order: Order, kind: EntryKind, key: str, moves: tuple[Move, ...], at: datetime, *, memo: str
) -> Entry:
    return Entry(
        environment=order.environment,
        seller_id=order.seller_id,
        kind=kind,
        key=key,
        at=at,
        moves=moves,
        order_id=order.id,
        merchant_id=order.merchant_id,
        memo=memo,
    )
