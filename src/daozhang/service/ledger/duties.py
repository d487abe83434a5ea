"""What runs later: what is certain passes into the sums of accounts and days."""

from __future__ import annotations

from daozhang.service.db import Tx
from daozhang.service.ledger import store
from daozhang.service.progress import GoThrough, Position, Rows
from daozhang.service.web.context import Context


class SumAccounts(GoThrough):
    """Adds what was posted to the sums, each move once."""

    name = "ledger_sums"

    def __init__(self, context: Context) -> None:
        super().__init__(context, [store.MOVES], None)

    def take(self, tx: Tx, source: Rows, at: Position, upto: int) -> None:  # noqa: ARG002
        """Adds a stretch, in the transaction that notes how far it goes."""
        store.add_to_sums(tx, at.position, upto)
