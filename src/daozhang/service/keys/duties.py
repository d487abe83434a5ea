"""Keys that wait are taken in the moment in which Alipay takes them."""

from __future__ import annotations

from datetime import datetime, timedelta

from daozhang.service.audit.model import SYSTEM
from daozhang.service.duty import Duty
from daozhang.service.keys import rules, store
from daozhang.service.keys.changing import ASK_SIGNAL, prove
from daozhang.service.merchants.clients import Clients
from daozhang.service.web.context import Context

ROWS_MAX = 10


class AskAboutKeys(Duty):
    """Asks Alipay with each key that waits, for an hour after somebody gave it."""

    name = ASK_SIGNAL

    def __init__(self, context: Context, clients: Clients) -> None:
        self._context = context
        self._clients = clients

    def run_due(self) -> int:
        """Asks about those that are due."""
        now = self._context.clock.now()
        until = now + timedelta(seconds=rules.ASK_SECONDS)
        with self._context.database.begin() as tx:
            due = store.claim_due(tx, now, until, ROWS_MAX)
        for change in due:
            prove(self._context, self._clients, change, SYSTEM, by_hand=False)
        return len(due)

    def next_due(self) -> datetime | None:
        """When the next one is due."""
        with self._context.database.read() as tx:
            return store.earliest_ask(tx)
