"""The API against its own description: whatever Schemathesis makes of it, no 5xx and no surprise."""

from __future__ import annotations

from collections.abc import Generator

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from effort import examples
from worlds import World, running

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
STREAMS = r"^/v1/(events|watch)"
"""They never end; their tests are test_outbox.py and test_watch.py."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    """One world with an order in each of a few states."""
    with running(tmp_path_factory.mktemp("schema")) as alive:
        alive.order(out_trade_no="T1")
        alive.pay("T1")
        alive.order(out_trade_no="T2")
        alive.settle()
        yield alive


@pytest.fixture(scope="module")
def described(world: World) -> BaseSchema:
    """The description that the running service gives of itself."""
    address = f"{world.service.context.settings.public_url}/openapi.json"
    return schemathesis.openapi.from_url(address).exclude(path_regex=STREAMS)


# Schemathesis itself uses random in a strategy, which hypothesis has come to dislike.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module")
def test_every_operation_keeps_its_word(world: World, described: BaseSchema) -> None:
    headers = {"Authorization": str(world.api.headers["Authorization"])}
    tried = 0
    for found in described.get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()

        @settings(
            max_examples=examples(40),
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=[
                HealthCheck.too_slow,
                HealthCheck.filter_too_much,
                HealthCheck.function_scoped_fixture,
            ],
        )
        @given(case=operation.as_strategy())
        def keeps_its_word(case: schemathesis.Case) -> None:
            response = case.call(headers=headers)
            assert response.status_code < 500, response.text
            case.validate_response(response, checks=CHECKS)

        keeps_its_word()
        tried += 1
    assert tried >= 8


def test_every_operation_is_described(world: World) -> None:
    document = world.api.get("/openapi.json").json()
    operations = [
        (path, verb, operation)
        for path, verbs in document["paths"].items()
        for verb, operation in verbs.items()
    ]
    assert len(operations) >= 9
    for path, verb, operation in operations:
        assert operation["summary"], (path, verb)
        assert operation["description"], (path, verb)
        assert operation["tags"], (path, verb)


def test_every_answer_names_its_environment(world: World) -> None:
    for path in ("/v1/orders", "/v1/orders/T1", "/v1/orders/T1/refunds", "/v1/orders/T1/story"):
        assert world.api.get(path).json()["environment"] == "emulator", path


def test_an_amount_as_a_json_number_is_refused_with_a_sentence(world: World) -> None:
    answer = world.api.post(
        "/v1/orders", json={"out_trade_no": "T9", "amount": 88.88, "subject": "茶"}
    )

    assert answer.status_code == 422
    assert "must be text" in answer.json()["detail"]
    assert "金额必须是字符串" in answer.json()["detail"]
