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
    "refund.balance": Look(word("Waits for balance"), "warn"),
    "refund.held": Look(word("Held by the switch"), "warn"),
    "refund.bounced": Look(word("Sent back by the bank"), "warn"),
    "approval.pending": Look(word("Waits for a second person"), "busy"),
    "approval.approved": Look(word("Approved"), "good"),
    "approval.declined": Look(word("Declined"), "bad"),
    "approval.expired": Look(word("Nobody decided in time"), "calm"),
    "approval.withdrawn": Look(word("Taken back"), "calm"),
    "hold.created": Look(word("Not confirmed yet"), "calm"),
    "hold.waiting": Look(word("Waiting for the buyer to confirm"), "busy"),
    "hold.closing": Look(word("Being cancelled"), "busy"),
    "hold.authorized": Look(word("Frozen"), "good"),
    "hold.finished": Look(word("Settled"), "calm"),
    "hold.closed": Look(word("Closed, nothing taken"), "calm"),
    "release.requested": Look(word("Being let go"), "busy"),
    "release.unknown": Look(word("Outcome unknown"), "warn"),
    "release.succeeded": Look(word("Let go"), "good"),
    "release.failed": Look(word("Failed"), "bad"),
    "agreement.created": Look(word("Not signed yet"), "calm"),
    "agreement.temp": Look(word("Signed, not in effect yet"), "busy"),
    "agreement.active": Look(word("In effect"), "good"),
    "agreement.stopped": Look(word("Paused by the buyer"), "warn"),
    "agreement.ending": Look(word("Being ended"), "busy"),
    "agreement.ended": Look(word("No longer in effect"), "calm"),
    "agreement.expired": Look(word("Not signed in time"), "calm"),
    "deduction.open": Look(word("Being charged"), "busy"),
    "deduction.paid": Look(word("Paid"), "good"),
    "deduction.failed": Look(word("Failed"), "bad"),
    "transfer.awaiting_approval": Look(word("Waits for a second person"), "busy"),
    "transfer.requested": Look(word("Requested"), "busy"),
    "transfer.balance": Look(word("Waits for balance"), "warn"),
    "transfer.limit": Look(word("Waits for Alipay's limit"), "warn"),
    "transfer.held": Look(word("Held by the switch"), "warn"),
    "transfer.unknown": Look(word("Outcome unknown"), "warn"),
    "transfer.dealing": Look(word("The bank looks at it"), "busy"),
    "transfer.succeeded": Look(word("Sent"), "good"),
    "transfer.failed": Look(word("Failed"), "bad"),
    "transfer.returned": Look(word("Sent back by the bank"), "warn"),
    "sheet.awaiting_approval": Look(word("Waits for a second person"), "busy"),
    "sheet.running": Look(word("Under way"), "good"),
    "sheet.declined": Look(word("Declined"), "bad"),
    "endpoint.enabled": Look(word("On"), "good"),
    "endpoint.paused": Look(word("Paused"), "calm"),
    "endpoint.disabled": Look(word("Switched off: it failed too long"), "bad"),
    "delivery.pending": Look(word("On its way"), "busy"),
    "delivery.delivered": Look(word("Delivered"), "good"),
    "delivery.parked": Look(word("Waits for a person"), "warn"),
    "notification.received": Look(word("Received"), "busy"),
    "notification.confirming": Look(word("Being confirmed"), "busy"),
    "notification.waiting": Look(word("Waiting for its order"), "busy"),
    "notification.applied": Look(word("Applied"), "good"),
    "notification.kept": Look(word("Kept"), "calm"),
    "notification.surprised": Look(word("Needs a person"), "warn"),
    "export.waiting": Look(word("Waits to be written"), "busy"),
    "export.running": Look(word("Being written"), "busy"),
    "export.done": Look(word("Ready"), "good"),
    "export.failed": Look(word("Failed"), "bad"),
    "export.expired": Look(word("Deleted"), "calm"),
    "person.invited": Look(word("Invited"), "busy"),
    "person.active": Look(word("Active"), "good"),
    "person.disabled": Look(word("Disabled"), "calm"),
    "apikey.live": Look(word("Valid"), "good"),
    "apikey.revoked": Look(word("Revoked"), "calm"),
    "paylink.open": Look(word("Can be paid"), "good"),
    "paylink.paid": Look(word("Paid"), "good"),
    "paylink.expired": Look(word("Run out"), "calm"),
    "paylink.closed": Look(word("Closed"), "calm"),
    "shift.open": Look(word("Running"), "good"),
    "shift.handed_over": Look(word("Waits to be taken"), "warn"),
    "shift.taken": Look(word("Taken over"), "calm"),
    "surprise.accepted": Look(word("Accepted as told"), "good"),
    "surprise.refunded": Look(word("Refunded"), "calm"),
    "surprise.attached": Look(word("Attached"), "good"),
    "surprise.dismissed": Look(word("Dismissed"), "calm"),
    "job.waiting": Look(word("In the queue"), "busy"),
    "job.running": Look(word("Running now"), "busy"),
    "job.done": Look(word("Done"), "good"),
    "job.failed": Look(word("Failed"), "bad"),
    "job.cancelled": Look(word("Cancelled"), "calm"),
    "finding.ok": Look(word("All well"), "good"),
    "finding.warn": Look(word("Look at it"), "warn"),
    "finding.fail": Look(word("Not well"), "bad"),
}
"""By kind and value. What an attentive person must see is told by the word, never by colour alone."""
