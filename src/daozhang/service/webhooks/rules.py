"""What becomes of a delivery after an attempt, and of its endpoint. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from daozhang.service.webhooks.model import Attempt, DeliveryStatus, Format

RETRY_DELAYS_SECONDS: Final = (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
"""After the 1st, 2nd, ... failure; then the ladder has ended, 75 hours after it began."""

JITTER: Final = 0.2
"""How far a delay may lie from the ladder, so that not all come back in the same second."""

RETRY_AFTER_SECONDS_MAX: Final = 24 * 3600
"""The longest that a receiver may put us off."""

FAILING_SECONDS_MAX: Final = 120 * 3600
"""An endpoint that has failed for so long without one success is switched off."""

GONE: Final = 410
SUCCESS_OF_FORM: Final = "success"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What follows an attempt. ``due_at`` with `DeliveryStatus.PENDING` only."""

    status: DeliveryStatus
    due_at: datetime | None = None
    gone: bool = False


def succeeded(attempt: Attempt, format: Format) -> bool:  # noqa: A002 - the word of the field
    """Whether the receiver has taken the event.

    2xx; a form is answered like Alipay's own, with ``success`` and nothing else. A redirect is no
    success: it is not followed.
    """
    if attempt.status_code is None or not 200 <= attempt.status_code < 300:
        return False
    return format is Format.JSON or (attempt.response or "").strip() == SUCCESS_OF_FORM


def after(
    attempt: Attempt,
    format: Format,  # noqa: A002
    attempt_count: int,
    chance: float,
) -> Outcome:
    """What follows the ``attempt_count``-th attempt. ``chance`` is between 0 and 1: the jitter."""
    if succeeded(attempt, format):
        return Outcome(DeliveryStatus.DELIVERED)
    if attempt.status_code == GONE:
        return Outcome(DeliveryStatus.PARKED, gone=True)
    if attempt_count > len(RETRY_DELAYS_SECONDS):
        return Outcome(DeliveryStatus.PARKED)
    delay = RETRY_DELAYS_SECONDS[attempt_count - 1] * (1 - JITTER + 2 * JITTER * chance)
    if attempt.retry_after_seconds is not None:
        delay = max(delay, min(attempt.retry_after_seconds, RETRY_AFTER_SECONDS_MAX))
    return Outcome(DeliveryStatus.PENDING, attempt.at + timedelta(seconds=delay))


def has_failed_too_long(failing_since: datetime | None, now: datetime) -> bool:
    """Whether an endpoint is to be switched off."""
    return failing_since is not None and now - failing_since >= timedelta(
        seconds=FAILING_SECONDS_MAX
    )
