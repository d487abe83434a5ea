"""The types of events over HTTP, and that the check at the end of each journey can fail."""

from __future__ import annotations

from pathlib import Path

import httpx2
import msgspec
import pytest

from books import check_books
from databases import run
from worlds import running


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("announced")


def test_the_types_and_their_schemas_are_told_to_everybody(directory: Path) -> None:
    with running(directory) as world, httpx2.Client(base_url=world.api.base_url) as anybody:
        listed = anybody.get("/v1/event_types").json()
        paid = next(one for one in listed["data"] if one["type"] == "order.paid")
        answer = anybody.get(paid["schema_url"])
        assert answer.headers["content-type"] == "application/schema+json"
        schema = answer.json()
        assert schema["$id"] == f"urn:daozhang:event:{listed['api_version']}:order.paid"
        assert schema["$defs"]["OrderSnapshot"]["properties"]["amount"]["type"] == "string"
        assert '"additionalProperties":false' not in answer.text.replace(" ", "")
        unknown = anybody.get("/v1/event_types/order.eaten")
        assert (unknown.status_code, unknown.json()["code"]) == (404, "event_type_unknown")
        assert unknown.json()["event_type"]


SPOILT: dict[str, tuple[str, type[Exception]]] = {
    "an event of no order": (
        "UPDATE events SET order_id = 4711",
        AssertionError,
    ),
    "a step of no order": ("UPDATE order_steps SET order_id = 4711", AssertionError),
    "a notification applied to no order": (
        "UPDATE inbox_notifications SET out_trade_no = 'NOBODYS'",
        AssertionError,
    ),
    "a notification of no merchant": (
        "UPDATE inbox_notifications SET merchant_id = 4711, out_trade_no = NULL",
        AssertionError,
    ),
    "an event with another body": (
        """UPDATE events SET data = '{"order": {}}'""",
        msgspec.ValidationError,
    ),
}


def spoilt_journey(directory: Path, statement: str) -> None:
    with running(directory) as world:
        number = world.order()
        world.pay(number)
        world.settle()
        check_books(world.service.context.database)
        run(world.service.context.database, statement.replace(":", "\\:"))


@pytest.mark.parametrize("how", SPOILT)
def test_books_that_are_spoilt_are_seen_at_the_end(tmp_path: Path, how: str) -> None:
    statement, error = SPOILT[how]
    with pytest.raises(error):
        spoilt_journey(tmp_path, statement)
