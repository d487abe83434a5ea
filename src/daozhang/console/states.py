"""States: the word and the tone in which the state of anything is shown, alike on every page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from daozhang.console.words import word

Tone = Literal["good", "busy", "calm", "bad", "warn"]


@dataclass(frozen=True, slots=True)
class Look:
    """How a state looks."""

    text: str
    tone: Tone


STATES: Final[Mapping[str, Look]] = {
    "order.created": Look(word("Not opened yet"), "calm"),
    "order.waiting": Look(word("Waiting for the buyer"), "busy"),
    "order.closing": Look(word("Closing"), "busy"),
    "order.paid": Look(word("Paid"), "good"),
    "order.finished": Look(word("Finished"), "good"),
    "order.closed": Look(word("Closed"), "calm"),
    "order.refunded": Look(word("Refunded in full"), "calm"),
    "refund.requested": Look(word("Requested"), "busy"),
    "refund.unknown": Look(word("Outcome unknown"), "warn"),
    "refund.succeeded": Look(word("Refunded"), "good"),
    "refund.failed": Look(word("Failed"), "bad"),
    "notification.received": Look(word("Received"), "busy"),
    "notification.confirming": Look(word("Being confirmed"), "busy"),
    "notification.waiting": Look(word("Waiting for its order"), "busy"),
    "notification.applied": Look(word("Applied"), "good"),
    "notification.kept": Look(word("Kept"), "calm"),
    "notification.surprised": Look(word("Needs a person"), "warn"),
}
"""By kind and value. What an attentive person must see is told by the word, never by colour alone."""
