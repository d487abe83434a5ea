"""What is under way on an account, as rows. Plain functions in a transaction of the caller's."""

from __future__ import annotations

import sqlalchemy as sa

from daozhang.service.db import Tx
from daozhang.service.ledger.model import Book
from daozhang.service.merchants.store import merchants
from daozhang.service.payouts.model import UnderWay
from daozhang.service.refunds.store import UNDECIDED as REFUND_UNDECIDED
from daozhang.service.refunds.store import refunds
from daozhang.service.sharing.store import IS_DUE, share_rounds, shares
from daozhang.service.transfers.store import UNDECIDED as TRANSFER_UNDECIDED
from daozhang.service.transfers.store import transfers


def is_direct_pay(tx: Tx, book: Book) -> bool:
    """Whether payments of the account wait for their settlement to be confirmed."""
    found = sa.select(merchants.c.id).where(
        merchants.c.environment == book.environment,
        merchants.c.seller_id == book.seller_id,
        merchants.c.direct_pay,
    )
    return tx.execute(found.limit(1)).first() is not None


def list_under_way(tx: Tx, book: Book) -> list[UnderWay]:
    """What may have left the account already, and is not in the ledger: how many, and what they come to."""
    of_account = sa.select(merchants.c.id).where(
        merchants.c.environment == book.environment, merchants.c.seller_id == book.seller_id
    )
    round_ids = sa.select(share_rounds.c.id).where(
        IS_DUE, share_rounds.c.merchant_id.in_(of_account)
    )
    wanted = {
        "refunds": (refunds, REFUND_UNDECIDED, refunds.c.merchant_id.in_(of_account)),
        "shares": (shares, shares.c.status == "pending", shares.c.round_id.in_(round_ids)),
        "transfers": (transfers, TRANSFER_UNDECIDED, transfers.c.merchant_id.in_(of_account)),
    }
    found: list[UnderWay] = []
    for what, (table, undecided, of_book) in wanted.items():
        summed = sa.select(
            sa.func.count().label("rows"),
            sa.func.coalesce(sa.func.sum(table.c.amount_minor), 0).label("minor"),
        )
        row = tx.execute(summed.where(undecided, of_book)).one()
        if row.rows:
            found.append(UnderWay(what, int(row.rows), int(row.minor)))
    return found
