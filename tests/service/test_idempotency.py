"""Idempotency keys: the first answer for a day, one at a time, one body."""

from __future__ import annotations

import threading
from collections.abc import Generator
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, Request, Response
from pydantic import BaseModel
from starlette.testclient import TestClient

import deployment
from daozhang.service.auth.dependencies import caller_with
from daozhang.service.auth.model import Caller
from daozhang.service.auth.ring import KeyRing
from daozhang.service.refusals import Refusal
from daozhang.service.web.bodies import BodyLimit
from daozhang.service.web.context import Context
from daozhang.service.web.idempotency import ForgetAnswers, answer_once
from daozhang.service.web.problem import add_problem_handlers


class Wanted(BaseModel):
    do: str = "count"


class Counted(BaseModel):
    count: int
    note: str = "到账"


class NotToday(Refusal):
    code = "not_today"
    status = 409


class Busy(Refusal):
    code = "busy"
    status = 503


class Counter:
    """What the route does: counts, refuses or crashes, and can be held at work."""

    def __init__(self) -> None:
        self.count = 0
        self.at_work = threading.Event()
        self.go_on = threading.Event()

    def work(self, what: str) -> tuple[int, Counted]:
        self.count += 1
        if what == "hold":
            self.at_work.set()
            assert self.go_on.wait(10)
        if what == "refuse":
            raise NotToday("no", "不", count=self.count)
        if what == "busy":
            raise Busy("busy", "忙")
        if what == "crash":
            raise ZeroDivisionError
        return 201, Counted(count=self.count)


@pytest.fixture
def context(tmp_path: Path) -> Generator[Context]:
    context = deployment.new_context(tmp_path, api_body_bytes_max=4096)
    deployment.add_one_app(context)
    yield context
    context.database.dispose()


@pytest.fixture
def counter() -> Counter:
    return Counter()


@pytest.fixture
def client(context: Context, counter: Counter) -> TestClient:
    app = FastAPI()
    app.state.context = context
    app.state.key_ring = KeyRing(context.database, context.clock, context.signals)
    app.add_middleware(BodyLimit)
    add_problem_handlers(app)

    @app.post("/v1/things/{name}")
    def post(
        request: Request,
        caller: Annotated[Caller, Depends(caller_with("orders:write"))],
        wanted: Wanted,
        name: str,
    ) -> Response:
        return answer_once(request, caller, lambda: counter.work(wanted.do))

    client = TestClient(app, raise_server_exceptions=False)
    secret = deployment.make_key(context, deployment.add_one_merchant(context))
    client.headers["Authorization"] = f"Bearer {secret}"
    return client


def post(client: TestClient, key: str | None, do: str = "count", name: str = "a") -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post(f"/v1/things/{name}", json={"do": do}, headers=headers)


def test_without_a_key_each_request_works(client: TestClient, counter: Counter) -> None:
    assert [post(client, None).json()["count"] for _ in range(2)] == [1, 2]


def test_the_same_key_and_body_give_the_first_answer(client: TestClient, counter: Counter) -> None:
    first, second = post(client, "k"), post(client, "k")
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert first.json() == {"count": 1, "note": "到账"}
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert counter.count == 1


def test_another_body_is_refused(client: TestClient, counter: Counter) -> None:
    post(client, "k")
    answer = post(client, "k", "refuse")
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_reused")
    assert counter.count == 1


def test_another_route_or_api_key_has_keys_of_its_own(
    context: Context, client: TestClient, counter: Counter
) -> None:
    post(client, "k")
    assert post(client, "k", name="b").json()["count"] == 2
    other = deployment.add_one_merchant(context, "other", seller_id="2088000000000002")
    client.headers["Authorization"] = f"Bearer {deployment.make_key(context, other)}"
    assert post(client, "k").json()["count"] == 3


def test_a_refusal_does_not_stick(client: TestClient, counter: Counter) -> None:
    first, second = post(client, "k", "refuse"), post(client, "k", "refuse")
    assert first.status_code == second.status_code == 409
    assert [first.json()["count"], second.json()["count"]] == [1, 2], "asked again, not replayed"
    assert "idempotent-replayed" not in second.headers
    assert post(client, "k").json()["count"] == 3, "what hindered it has passed"
    assert post(client, "k").headers["idempotent-replayed"] == "true"
    assert counter.count == 3


@pytest.mark.parametrize(("do", "status"), [("crash", 500), ("busy", 503)])
def test_a_crash_and_not_now_leave_the_key_free(
    client: TestClient, counter: Counter, do: str, status: int
) -> None:
    assert post(client, "k", do).status_code == status
    assert post(client, "k").json()["count"] == 2


def test_while_the_first_is_at_work_a_second_is_told_to_wait(
    client: TestClient, counter: Counter
) -> None:
    answers: list[Any] = []
    first = threading.Thread(target=lambda: answers.append(post(client, "k", "hold")))
    first.start()
    assert counter.at_work.wait(10)
    second = post(client, "k", "hold")
    counter.go_on.set()
    first.join()
    assert (second.status_code, second.json()["code"]) == (409, "idempotency_key_in_flight")
    assert answers[0].json()["count"] == 1
    assert post(client, "k", "hold").content == answers[0].content


def test_who_died_at_work_is_replaced_after_the_lease_and_cannot_overwrite(
    context: Context, client: TestClient, counter: Counter
) -> None:
    first = threading.Thread(target=lambda: post(client, "k", "hold"))
    first.start()
    assert counter.at_work.wait(10)
    deployment.clock_of(context).advance(121)
    counter_held, counter.at_work = counter.at_work, threading.Event()
    answers: list[Any] = []
    second = threading.Thread(target=lambda: answers.append(post(client, "k", "hold")))
    second.start()
    assert counter.at_work.wait(10)
    assert counter_held.is_set()
    counter.go_on.set()
    second.join()
    first.join()
    assert post(client, "k", "hold").content == answers[0].content
    assert counter.count == 2


def test_after_a_day_the_answer_is_forgotten(
    context: Context, client: TestClient, counter: Counter
) -> None:
    duty = ForgetAnswers(context)
    assert duty.next_due() is None
    post(client, "k")
    clock = deployment.clock_of(context)
    clock.advance(24 * 3600 - 1)
    assert duty.run_due() == 0
    assert post(client, "k").json()["count"] == 1
    clock.advance(1)
    assert duty.next_due() == clock.now()
    assert post(client, "k").json()["count"] == 2
    clock.advance(24 * 3600)
    assert duty.run_due() == 1
    assert duty.next_due() is None


@pytest.mark.parametrize("key", ["", "x" * 201, "tab\there"])
def test_a_key_that_is_none_is_refused(client: TestClient, key: str) -> None:
    assert post(client, key).json()["code"] == "idempotency_key_invalid"


def test_a_body_over_the_limit_is_refused_before_it_is_parsed(
    client: TestClient, counter: Counter
) -> None:
    answer = post(client, "k", "x" * 5000)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert answer.json()["bytes_max"] == 4096
    assert counter.count == 0
