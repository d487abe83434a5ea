"""What is noted about merchants from time to time."""

from __future__ import annotations

from datetime import datetime

from daozhang.service.duty import Duty
from daozhang.service.merchants import store
from daozhang.service.merchants.clients import Clients
from daozhang.service.web.context import Context


class NoteAnswers(Duty):
    """Writes down when Alipay last answered for each merchant."""

    name = "merchant_answers"
    knows_no_time = True
    rest_seconds = 5.0

    def __init__(self, context: Context, clients: Clients) -> None:
        self._context = context
        self._clients = clients

    def run_due(self) -> int:
        """Writes what was heard since the last time. Always 0: under load there is ever more."""
        answered = self._clients.answered()
        if answered:
            with self._context.database.begin() as tx:
                for merchant_id, at in sorted(answered.items()):
                    store.note_answer(tx, merchant_id, at)
        return 0

    def next_due(self) -> datetime | None:
        """At no certain moment: a worker looks every few seconds anyway."""
        return None
