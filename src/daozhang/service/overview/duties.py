"""What runs later: what is certain passes into the sums of the overview."""

from __future__ import annotations

from daozhang.service.db import Tx
from daozhang.service.overview import store
from daozhang.service.progress import GoThrough, Position, Rows
from daozhang.service.web.context import Context


class SumUp(GoThrough):
    """Adds orders that were created and payments that were booked to the sums, each once."""

    name = "overview_sums"

    def __init__(self, context: Context) -> None:
        super().__init__(context, store.SOURCES, None)

    def take(self, tx: Tx, source: Rows, at: Position, upto: int) -> None:
        """Adds a stretch, in the transaction that notes how far it goes."""
        add = store.add_created if source is store.CREATED else store.add_paid
        add(tx, at.position, upto)
