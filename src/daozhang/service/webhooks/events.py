"""What webhooks themselves announce."""

from __future__ import annotations

from typing import Final

DISABLED: Final = "webhook_endpoint.disabled"
TEST: Final = "webhook_endpoint.test"

WEBHOOK_EVENTS: Final = {
    DISABLED: "An endpoint was switched off: it is gone (410), or has failed for 120 hours.",
    TEST: "Somebody has asked for it, to see whether an endpoint works.",
}
"""Every type of event of this domain, with what it says."""
