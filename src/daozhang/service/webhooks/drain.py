"""The drain: POSTs deliveries outside any transaction, and records in groups what came of them.

One event loop in a thread of its own. An endpoint has its own few places, so one that is slow or
dead holds up no other; one that is well is given its next ones ahead, so that a place never waits
for the database. What was claimed and cannot be sent before its lease ends is given back. What was
never recorded, because the process died, is due again when its lease ends: at least once.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import aiohttp
import structlog

from daozhang.service.db import Tx
from daozhang.service.outbound import (
    AddressNotAllowed,
    GuardedResolver,
    check_address,
)
from daozhang.service.outbox.actions import append_event
from daozhang.service.web.context import Context
from daozhang.service.webhooks import queue, rules, store
from daozhang.service.webhooks.actions import DELIVER_SIGNAL, switch_off
from daozhang.service.webhooks.events import DISABLED
from daozhang.service.webhooks.model import (
    Attempt,
    Delivery,
    DeliveryStatus,
    Endpoint,
    EndpointStatus,
    Parked,
)
from daozhang.service.webhooks.signing import Message

PLACES_PER_ENDPOINT: Final = 8
"""POSTs that are under way to one endpoint at a time, from one process."""

AHEAD_MAX: Final = 64
"""How many deliveries to an endpoint that is well are claimed at a time; to another one, no more
than it has places."""

LEASE_SECONDS: Final = 30
"""How long a claimed delivery is left alone: longer than a POST may take."""

STOP_SECONDS_MAX: Final = 8.0
"""How long a stop waits for receivers. What is cut off is sent again, with the same id."""

POST_SECONDS_MAX: Final = 15.0
RESPONSE_BYTES_MAX: Final = 2048
USER_AGENT: Final = "daozhang-webhooks/1"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Posting:
    """A delivery that is claimed, with what is to be sent."""

    delivery: Delivery
    endpoint: Endpoint
    environment: str
    message: Message
    claimed_at: float = field(default_factory=time.monotonic)
    """By the system's clock: what a POST may still take is no business time."""


Outcome = tuple[Posting, Attempt | None]
"""What came of a posting; no attempt if it was not sent, and is given back."""


class Drain:
    """Sends postings. Made once, beside the context."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._loop = asyncio.new_event_loop()
        self._thread: threading.Thread | None = None
        self._session: aiohttp.ClientSession | None = None
        self._under_way: Counter[int] = Counter()
        self._none_under_way = threading.Condition()
        self._is_stopping = False
        # Only the loop touches these.
        self._waiting: dict[int, deque[Posting]] = {}
        self._places: Counter[int] = Counter()
        self._done: list[Outcome] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_recording = False

    def start(self) -> None:
        """Begins to take postings."""
        self._thread = threading.Thread(target=self._loop.run_forever, name="webhooks", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Waits for what is under way, and ends."""
        if self._thread is None:
            return
        self._is_stopping = True
        self.wait_idle(STOP_SECONDS_MAX)
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(STOP_SECONDS_MAX)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._thread = None

    def free_places(self, endpoint: Endpoint) -> int:
        """How many more deliveries may be claimed for the endpoint."""
        most = AHEAD_MAX if endpoint.failing_since is None else PLACES_PER_ENDPOINT
        with self._none_under_way:
            return max(0, most - self._under_way[endpoint.id])

    def send(self, postings: Sequence[Posting]) -> None:
        """Sends ``postings``; returns at once. What comes of them is recorded."""
        with self._none_under_way:
            self._under_way.update(posting.endpoint.id for posting in postings)
        self._loop.call_soon_threadsafe(self._begin, postings)

    def wait_idle(self, timeout_seconds: float = 60.0) -> bool:
        """Waits until nothing is under way; ``False`` if the time has passed first."""
        with self._none_under_way:
            return self._none_under_way.wait_for(
                lambda: not self._under_way.total(), timeout_seconds
            )

    def _begin(self, postings: Sequence[Posting]) -> None:
        for posting in postings:
            endpoint_id = posting.endpoint.id
            self._waiting.setdefault(endpoint_id, deque()).append(posting)
            if self._places[endpoint_id] < PLACES_PER_ENDPOINT:
                self._places[endpoint_id] += 1
                self._run(self._fill_place(endpoint_id))

    def _run(self, work: Coroutine[None, None, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)  # the loop itself does not hold on to it
        task.add_done_callback(self._tasks.discard)

    async def _fill_place(self, endpoint_id: int) -> None:
        """One place of an endpoint: sends what waits for it, one after the other."""
        waiting = self._waiting[endpoint_id]
        while waiting:
            posting = waiting.popleft()
            self._note(posting, await self._post(posting) if self._may_post(posting) else None)
        self._places[endpoint_id] -= 1
        if not self._places[endpoint_id]:
            del self._places[endpoint_id], self._waiting[endpoint_id]

    def _may_post(self, posting: Posting) -> bool:
        """Whether the POST ends before the lease does: another process takes it up then."""
        waited = time.monotonic() - posting.claimed_at
        return not self._is_stopping and waited + POST_SECONDS_MAX < LEASE_SECONDS

    def _note(self, posting: Posting, attempt: Attempt | None) -> None:
        self._done.append((posting, attempt))
        if not self._is_recording:
            self._is_recording = True
            self._run(self._record_what_is_done())

    async def _record_what_is_done(self) -> None:
        """Records one group after the other: what is done meanwhile makes the next one."""
        while self._done:
            batch, self._done = self._done, []
            await asyncio.to_thread(self._record, batch)
        self._is_recording = False

    async def _post(self, posting: Posting) -> Attempt:
        started = time.monotonic()
        status, error, answer, retry_after = None, None, None, None
        try:
            check_address(posting.endpoint.url, allow_private=self._allow_private)
            async with self._open_session().post(
                posting.endpoint.url,
                data=posting.message.body,
                headers={"User-Agent": USER_AGENT, **posting.message.headers},
                allow_redirects=False,
            ) as response:
                status = response.status
                answer = await _start_of(response)
                retry_after = self._retry_after(response.headers.get("Retry-After"))
        except AddressNotAllowed as refused:
            error = f"not allowed: {refused}"
        except TimeoutError:
            error = f"no answer within {POST_SECONDS_MAX:.0f} s"
        except (aiohttp.ClientError, OSError, ValueError) as failed:
            error = f"{type(failed).__name__}: {failed}"[:500]
        except Exception as failed:
            # A bug of ours, or of what we build on: it must not take the endpoint's place for ever.
            log.exception("webhook_post_failed", endpoint=posting.endpoint.public_id)
            error = f"{type(failed).__name__}: {failed}"[:500]
        return Attempt(
            at=self._context.clock.now(),
            status_code=status,
            error=error,
            response=answer,
            duration_ms=round((time.monotonic() - started) * 1000),
            retry_after_seconds=retry_after,
        )

    @property
    def _allow_private(self) -> bool:
        return self._context.settings.webhooks_allow_private

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    resolver=GuardedResolver(allow_private=self._allow_private),
                    use_dns_cache=False,
                    limit=0,
                    keepalive_timeout=30,
                ),
                timeout=aiohttp.ClientTimeout(total=POST_SECONDS_MAX),
                trust_env=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,  # a small answer must not become a large one
            )
        return self._session

    async def _close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _retry_after(self, text: str | None) -> float | None:
        """What a receiver asks for, in seconds from now; a number or a date of HTTP."""
        if text is None:
            return None
        if text.isascii() and text.isdigit():
            return float(text[:9])
        with contextlib.suppress(ValueError):
            when = parsedate_to_datetime(text)
            when = when if when.tzinfo is not None else when.replace(tzinfo=UTC)
            return (when - self._context.clock.now()).total_seconds()
        return None

    # ---- what came of it

    def _record(self, batch: Sequence[Outcome]) -> None:
        made = [(posting, attempt) for posting, attempt in batch if attempt is not None]
        returned = [posting.delivery.id for posting, attempt in batch if attempt is None]
        try:
            with self._context.database.begin() as tx:
                if returned:
                    queue.give_back(tx, returned, self._context.clock.now())
                if made:
                    store.insert_attempts(tx, [(p.delivery.id, attempt) for p, attempt in made])
                    self._settle_all(tx, made)
                tx.after_commit(lambda: self._context.signals.wake(DELIVER_SIGNAL))
        except Exception as error:
            # Their leases end in a while, and they are sent again under the same ids.
            log.exception("webhook_attempts_not_recorded", count=len(batch), error=str(error))
        finally:
            with self._none_under_way:
                self._under_way.subtract(posting.endpoint.id for posting, _ in batch)
                self._none_under_way.notify_all()

    def _settle_all(self, tx: Tx, made: Sequence[tuple[Posting, Attempt]]) -> None:
        by_endpoint: defaultdict[int, list[tuple[Posting, Attempt]]] = defaultdict(list)
        for posting, attempt in made:
            by_endpoint[posting.endpoint.id].append((posting, attempt))
        well = store.list_well(tx, sorted(by_endpoint))
        arrived: list[int] = []
        for endpoint_id, own in sorted(by_endpoint.items()):
            if endpoint_id in well and all(
                rules.succeeded(attempt, posting.endpoint.format) for posting, attempt in own
            ):
                # Nothing about the endpoint changes, so it need not be locked.
                arrived += [posting.delivery.id for posting, _ in own]
            else:
                self._settle(tx, endpoint_id, own)
        if arrived:
            store.note_delivered(tx, arrived, max(attempt.at for _, attempt in made))

    def _settle(self, tx: Tx, endpoint_id: int, own: Sequence[tuple[Posting, Attempt]]) -> None:
        endpoint = store.lock_endpoint(tx, endpoint_id)
        failing_since, gone = endpoint.failing_since, False
        for posting, attempt in own:
            delivery = posting.delivery
            outcome = rules.after(attempt, endpoint.format, delivery.attempt_count, _chance())
            gone = gone or outcome.gone
            is_delivered = outcome.status is DeliveryStatus.DELIVERED
            failing_since = None if is_delivered else failing_since or attempt.at
            self._write(tx, delivery, outcome, attempt.at)
        now = max(attempt.at for _, attempt in own)
        if failing_since != endpoint.failing_since:
            store.update_endpoint(tx, endpoint.id, failing_since=failing_since)
        if endpoint.status is EndpointStatus.ENABLED:
            if gone or rules.has_failed_too_long(failing_since, now):
                self._disable(tx, endpoint, own[0][0].environment, gone=gone, now=now)
        else:
            store.park_pending(tx, endpoint.id, now)

    def _write(self, tx: Tx, delivery: Delivery, outcome: rules.Outcome, now: datetime) -> None:
        ends = outcome.status is not DeliveryStatus.PENDING
        parked = Parked.ENDPOINT if outcome.gone else Parked.LADDER
        store.update_delivery(
            tx,
            delivery.id,
            status=outcome.status.value,
            parked=parked.value if outcome.status is DeliveryStatus.PARKED else None,
            due_at=outcome.due_at,
            ended_at=now if ends else None,
        )

    def _disable(
        self, tx: Tx, endpoint: Endpoint, environment: str, *, gone: bool, now: datetime
    ) -> None:
        """Switches an endpoint off, and tells the merchant's others."""
        reason = "gone" if gone else "failing"
        log.error("webhook_endpoint_disabled", endpoint=endpoint.public_id, reason=reason)
        switch_off(tx, self._context, endpoint, EndpointStatus.DISABLED, now)
        append_event(
            tx,
            merchant_id=endpoint.merchant_id,
            environment=environment,
            order_id=None,
            type=DISABLED,
            data={"endpoint": endpoint.public_id, "url": endpoint.url, "reason": reason},
            now=now,
            signals=self._context.signals,
        )


def _chance() -> float:
    return random.random()  # noqa: S311 - spreads the load, guards nothing


async def _start_of(response: aiohttp.ClientResponse) -> str:
    """The first bytes of an answer, as text; what is longer is not read."""
    body = b""
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) >= RESPONSE_BYTES_MAX:
            break
    return body[:RESPONSE_BYTES_MAX].decode("utf-8", errors="replace").replace("\x00", "")
