"""Problems: every "no" has a stable code, both languages, and shows no secret."""

from __future__ import annotations

import io
from collections.abc import Generator
from pathlib import Path

import pytest
import structlog
from fastapi import FastAPI
from pydantic import BaseModel
from starlette.testclient import TestClient

import deployment
from daozhang.service.logs import configure_logs
from daozhang.service.refusals import Refusal
from daozhang.service.web.context import Context
from daozhang.service.web.pagination import read_cursor, write_cursor
from daozhang.service.web.problem import AmountText, add_problem_handlers, amount_of


class Wanted(BaseModel):
    amount: AmountText
    currency: str = "CNY"


class Full(Refusal):
    code = "full"
    title = "Full"


@pytest.fixture
def context(tmp_path: Path) -> Generator[Context]:
    context = deployment.new_context(tmp_path)
    yield context
    context.database.dispose()


@pytest.fixture
def client(context: Context) -> TestClient:
    app = FastAPI()
    app.state.context = context
    add_problem_handlers(app)

    @app.post("/amounts")
    def amounts(wanted: Wanted) -> str:
        return str(amount_of(wanted.amount, wanted.currency))

    @app.get("/full")
    def full() -> None:
        raise Full("No room for 3.", "放不下 3 个.", wanted=3)

    @app.get("/crash")
    def crash() -> None:
        raise ZeroDivisionError("the reason stays with us")

    @app.get("/cursors/{cursor}")
    def cursors(cursor: str) -> int:
        return read_cursor(cursor)

    return TestClient(app, raise_server_exceptions=False)


def test_a_refusal_is_a_problem_with_its_particulars(client: TestClient) -> None:
    answer = client.get("/full")
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem.pop("instance").startswith("urn:daozhang:req_")
    assert problem == {
        "type": "urn:daozhang:problem:full",
        "code": "full",
        "title": "Full",
        "status": 409,
        "detail": "No room for 3.",
        "detail_zh": "放不下 3 个.",
        "wanted": 3,
    }


@pytest.mark.parametrize("amount", ["88.88", "1", "0.01", "100000000.00"])
def test_amounts_are_text(client: TestClient, amount: str) -> None:
    answer = client.post("/amounts", json={"amount": amount})
    assert answer.status_code == 200
    assert float(answer.json()) == float(amount)


@pytest.mark.parametrize("body", ['{"amount": 88.88}', '{"amount": 88}', '{"amount": true}'])
def test_an_amount_as_a_json_number_is_refused_with_a_sentence(
    client: TestClient, body: str
) -> None:
    answer = client.post("/amounts", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["code"] == "request_invalid"
    assert problem["errors"][0]["field"] == "amount"
    assert 'An amount must be text such as "88.88"' in problem["detail"]
    assert "金额必须是字符串" in problem["detail_zh"]


@pytest.mark.parametrize("amount", ["", "-1", "1.234", "1e3", "1,000", " 1", "NaN", "９", None])
def test_text_that_is_no_amount_is_refused(client: TestClient, amount: str | None) -> None:
    answer = client.post("/amounts", json={"amount": amount})
    assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid")


@pytest.mark.parametrize(("amount", "currency"), [("1.50", "JPY"), ("1.00", "XXX")])
def test_an_amount_that_its_currency_does_not_have_is_refused(
    client: TestClient, amount: str, currency: str
) -> None:
    answer = client.post("/amounts", json={"amount": amount, "currency": currency})
    assert (answer.status_code, answer.json()["code"]) == (422, "amount_invalid")


def test_what_was_sent_is_not_sent_back(client: TestClient) -> None:
    answer = client.post("/amounts", json={"amount": {"secret": "hunter2"}})
    assert answer.status_code == 422
    assert "hunter2" not in answer.text


def test_a_body_that_is_not_json_is_a_problem(client: TestClient) -> None:
    answer = client.post("/amounts", content=b"{", headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "json_invalid")


def test_an_unknown_address_and_method_are_problems(client: TestClient) -> None:
    assert client.get("/nowhere").json()["code"] == "not_found"
    answer = client.delete("/full")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "GET"


def test_a_bug_tells_nothing_but_where_to_look(client: TestClient) -> None:
    stream = io.StringIO()
    configure_logs("json", "info", stream)
    answer = client.get("/crash")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "the reason stays with us" not in answer.text
    assert answer.json()["instance"] in stream.getvalue()
    assert "the reason stays with us" in stream.getvalue()


def test_cursors_come_back_as_they_went_or_are_refused(client: TestClient) -> None:
    assert client.get(f"/cursors/{write_cursor(12345)}").json() == 12345
    for made_up in ("abc", "cm93Og", "é", "cm93Oi0x", write_cursor(10**18)):
        answer = client.get(f"/cursors/{made_up}")
        assert (answer.status_code, answer.json()["code"]) == (422, "cursor_invalid")


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_fields_that_are_secrets_are_not_logged(log_format: str) -> None:
    stream = io.StringIO()
    configure_logs("json" if log_format == "json" else "console", "info", stream)
    structlog.get_logger("test").info(
        "asked",
        private_key="hunter2",
        headers={"Authorization": "Bearer hunter2"},
        apps=[{"app_auth_token": "hunter2", "app_id": "2021"}],
        order="A1",
    )
    told = stream.getvalue()
    assert "hunter2" not in told
    assert "2021" in told
    assert "A1" in told
