"""The schemas of events are what the code says, and each live type has one."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec
import pytest

from daozhang.service.announced import BODIES, DESCRIPTIONS, struct_of, written
from daozhang.service.outbox.model import API_VERSION

SCHEMAS: Final = Path(__file__).resolve().parents[2] / "docs" / "reference" / "events" / API_VERSION


def test_each_type_has_a_description_and_a_file() -> None:
    assert set(BODIES) == set(DESCRIPTIONS)
    files = {path.stem for path in SCHEMAS.glob("*.json")}
    assert files == set(BODIES)


@pytest.mark.parametrize("event_type", sorted(BODIES))
def test_its_file_is_what_the_code_says(event_type: str) -> None:
    file = SCHEMAS / f"{event_type}.json"
    assert file.read_text("utf-8") == written(event_type), (
        "run: python -m daozhang.service.announced docs/reference/events"
    )


def test_an_event_that_is_not_as_it_says_is_refused() -> None:
    event = {
        "id": "evt_1",
        "object": "event",
        "type": "webhook_endpoint.test",
        "api_version": API_VERSION,
        "environment": "emulator",
        "created_at": "2026-03-02T01:00:00+00:00",
        "sequence": None,
        "data": {"endpoint": "whe_1"},
    }
    struct = struct_of("webhook_endpoint.test")
    msgspec.convert(event, struct)
    for wrong in (
        {"type": "order.paid"},
        {"sequence": 0},
        {"created_at": "2026-03-02T01:00:00"},
        {"data": {}},
        {"data": {"endpoint": "whe_1", "more": 1}},
        {"more": 1},
    ):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(event | wrong, struct)
