"""Taking the picture of the whole house."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from daozhang.service.jobs import Jobs
from daozhang.service.merchants.store import list_apps
from daozhang.service.watch import raised, reading, store
from daozhang.service.watch.channels import channels_of
from daozhang.service.watch.keys import KeyRing
from daozhang.service.watch.model import JobCounts, Picture
from daozhang.service.watch.risk import sum_at_risk
from daozhang.service.web.context import Context


class Lookout:
    """Sees the whole house. Made once, beside the context."""

    def __init__(self, context: Context, jobs: Jobs) -> None:
        self.context = context
        self._jobs = jobs
        self._keys = KeyRing(context)
        self._channels = [channel.name for channel in channels_of(context.settings)]

    def look(self) -> Picture:
        """The picture of this moment, the same whichever process takes it."""
        now = self.context.clock.now()
        grace_seconds = self.context.settings.expiry_grace_seconds
        with self.context.database.read() as tx:
            store.see_one_moment(tx)
            tallied = store.read_tallies(tx)
            picture = Picture(
                at=now,
                inbox=reading.read_inbox(tx, tallied, now),
                orders_open=reading.count_open_orders(tx),
                orders_unwatched=reading.count_unwatched_orders(tx),
                at_risk=tuple(sum_at_risk(tx, now, grace_seconds=grace_seconds)),
                surprises=tuple(reading.sum_surprises(tx)),
                deliveries=reading.read_deliveries(tx, tallied),
                keys=self._keys.keys_of(list_apps(tx)),
                jobs=JobCounts(),
                alerts_not_sent=raised.count_not_sent(tx, self._channels),
                tallies=tallied,
                lately=store.read_tallies(tx, since=now - timedelta(hours=1)),
                consents=reading.read_consents(tx, now),
            )
        waiting, failed = self._jobs.count()
        return replace(picture, jobs=JobCounts(waiting, failed))
