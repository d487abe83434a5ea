"""Alerting: looks from time to time, and tells people through the channels. One process at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import aiohttp
import structlog

from daozhang.service.db import require_no_transaction
from daozhang.service.duty import Duty
from daozhang.service.outbound import AddressNotAllowed, GuardedResolver, check_address
from daozhang.service.watch import raised
from daozhang.service.watch.actions import Lookout
from daozhang.service.watch.channels import MESSAGES_MAX, Channel, Post, channels_of
from daozhang.service.watch.model import Message
from daozhang.service.watch.rules import alerts_of
from daozhang.service.web.context import Context

LOOK_SECONDS: Final = 30
LEASE_SECONDS: Final = 60
"""How long a claimed alert is left alone: longer than a POST may take."""

POST_SECONDS_MAX: Final = 10.0
ANSWER_BYTES_MAX: Final = 2048
ROUND: Final = "alerts"

log = structlog.get_logger(__name__)


class RaiseAlerts(Duty):
    """Raises alerts, repeats those that last, and tells when they are over."""

    name = "watch_alerts"

    def __init__(self, lookout: Lookout) -> None:
        self._lookout = lookout
        self._context = lookout.context
        self._channels = channels_of(lookout.context.settings)
        self._names = [channel.name for channel in self._channels]
        self._repeat = timedelta(hours=lookout.context.settings.alerts_repeat_hours)

    def run_due(self) -> int:
        """Looks if it is time to, and sends what is due; how many alerts were tried."""
        if not self._channels:
            return 0
        now = self._context.clock.now()
        with self._context.database.begin() as tx:
            looks = raised.claim_round(tx, ROUND, now, now + timedelta(seconds=LOOK_SECONDS))
        if looks:
            self._look(now)
        return sum(self._send_due(channel, now) for channel in self._channels)

    def next_due(self) -> datetime | None:
        """When to look next, or to send; never, if there is no channel."""
        if not self._channels:
            return None
        with self._context.database.read() as tx:
            looks = raised.round_due(tx, ROUND)
            sends = raised.earliest_due(tx, self._names)
        if looks is None:
            return self._context.clock.now()
        return looks if sends is None else min(looks, sends)

    def _look(self, now: datetime) -> None:
        found = alerts_of(self._lookout.look())
        with self._context.database.begin() as tx:
            new = raised.note_alerts(tx, found, self._names, now, self._repeat)
        for alert in new:
            log.warning("alert_raised", key=alert.key, severity=alert.severity.value, text=alert.en)

    def _send_due(self, channel: Channel, now: datetime) -> int:
        lease_until = now + timedelta(seconds=LEASE_SECONDS)
        with self._context.database.begin() as tx:
            claimed = raised.claim_due(tx, channel.name, now, lease_until, MESSAGES_MAX)
        if not claimed:
            return 0
        problem = send_messages(self._context, channel, [one.message for one in claimed])
        with self._context.database.begin() as tx:
            for one in claimed:
                if problem is None:
                    raised.note_sent(tx, one, now, self._repeat)
                else:
                    raised.note_not_sent(tx, one, now)
        if problem is not None:
            keys = [one.key for one in claimed]
            log.error("alerts_not_sent", channel=channel.name, keys=keys, problem=problem)
        return len(claimed)


def send_messages(context: Context, channel: Channel, messages: Sequence[Message]) -> str | None:
    """Sends ``messages`` in one text; why it did not arrive, ``None`` if it did."""
    require_no_transaction("An alert")
    allow_private = context.settings.webhooks_allow_private
    try:
        post = channel.write(messages, context.clock.now())
        check_address(post.url, allow_private=allow_private)
        status, answer = asyncio.run(_post(post, allow_private=allow_private))
    except AddressNotAllowed as refused:
        return f"not allowed: {refused}"
    except (aiohttp.ClientError, OSError, ValueError) as failed:
        # Not its text: that may hold the address, and the address holds the token.
        return type(failed).__name__
    if not 200 <= status < 300:
        return f"status {status}"
    return None if channel.is_taken(answer) else answer.decode(errors="replace")[:300]


async def _post(post: Post, *, allow_private: bool) -> tuple[int, bytes]:
    """The status and the start of the answer."""
    connector = aiohttp.TCPConnector(resolver=GuardedResolver(allow_private=allow_private))
    timeout = aiohttp.ClientTimeout(total=POST_SECONDS_MAX)
    async with (
        aiohttp.ClientSession(
            connector=connector, timeout=timeout, trust_env=False, auto_decompress=False
        ) as session,
        session.post(
            post.url, data=post.body, headers=dict(post.headers), allow_redirects=False
        ) as response,
    ):
        return response.status, await response.content.read(ANSWER_BYTES_MAX)
