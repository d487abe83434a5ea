"""API keys through a real route: who is let in, for whom, and what is kept of the key."""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI
from starlette.testclient import TestClient

import deployment
from daozhang.money import Money
from daozhang.service.auth.actions import revoke_api_key
from daozhang.service.auth.dependencies import caller_with
from daozhang.service.auth.model import Caller, Scope
from daozhang.service.auth.ring import FRESH_SECONDS, KeyRing
from daozhang.service.auth.store import list_keys
from daozhang.service.web.context import Context
from daozhang.service.web.problem import add_problem_handlers


@pytest.fixture
def context(tmp_path: Path) -> Generator[Context]:
    context = deployment.new_context(tmp_path)
    deployment.add_one_app(context)
    yield context
    context.database.dispose()


@pytest.fixture
def client(context: Context) -> TestClient:
    app = FastAPI()
    app.state.context = context
    app.state.key_ring = KeyRing(context.database, context.clock, context.signals)
    add_problem_handlers(app)

    @app.get("/v1/who")
    def who(caller: Annotated[Caller, Depends(caller_with("orders:read"))]) -> dict[str, Any]:
        return asdict(caller)

    return TestClient(app)


def ask(client: TestClient, secret: str | None, merchant: str | None = None) -> Any:
    headers = {} if secret is None else {"Authorization": f"Bearer {secret}"}
    if merchant is not None:
        headers["Daozhang-Merchant"] = merchant
    return client.get("/v1/who", headers=headers)


def test_a_key_names_its_merchant(context: Context, client: TestClient) -> None:
    merchant = deployment.add_one_merchant(context)
    secret = deployment.make_key(context, merchant, refund_limit=Money.parse("100.00"))
    answer = ask(client, secret).json()
    assert answer["merchant_id"] == merchant.id
    assert answer["merchant_slug"] == "my-shop"
    assert answer["environment"] == "emulator"
    assert answer["refund_limit"] == {"minor": 10000, "currency": "CNY"}
    assert set(answer["scopes"]) == set(Scope)


@pytest.mark.parametrize("secret", [None, "dz_wrong", "", "sk_live_1", "dz_" + "x" * 500])
def test_who_has_no_key_is_told_how_to_get_one(client: TestClient, secret: str | None) -> None:
    answer = ask(client, secret)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "not_authenticated"
    assert "daozhang apikey create" in answer.json()["detail"]


def test_a_revoked_key_ends_at_once(context: Context, client: TestClient) -> None:
    secret = deployment.make_key(context, deployment.add_one_merchant(context))
    assert ask(client, secret).status_code == 200
    with context.database.begin() as tx:
        revoke_api_key(tx, secret[:12], context.clock.now(), context.signals)
    assert ask(client, secret).json()["code"] == "not_authenticated"


def test_a_key_that_another_process_revoked_ends_within_a_second(
    context: Context, client: TestClient
) -> None:
    secret = deployment.make_key(context, deployment.add_one_merchant(context))
    assert ask(client, secret).status_code == 200
    with context.database.begin() as tx:
        revoke_api_key(tx, secret[:12], context.clock.now())
    deployment.clock_of(context).advance(FRESH_SECONDS)
    assert ask(client, secret).status_code == 200
    deployment.clock_of(context).advance(0.001)
    assert ask(client, secret).json()["code"] == "not_authenticated"


def test_a_key_without_the_scope_is_refused(context: Context, client: TestClient) -> None:
    merchant = deployment.add_one_merchant(context)
    secret = deployment.make_key(context, merchant, scopes=(Scope.REFUNDS_WRITE,))
    answer = ask(client, secret)
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
    assert answer.json()["scope"] == "orders:read"


def test_a_platforms_key_must_name_one_of_its_merchants(
    context: Context, client: TestClient
) -> None:
    first = deployment.add_one_merchant(context, "first")
    second = deployment.add_one_merchant(context, "second", seller_id="2088000000000002")
    deployment.add_one_merchant(context, "stranger", seller_id="2088000000000003")
    secret = deployment.make_key(context, first, second)
    assert ask(client, secret).json()["code"] == "merchant_not_named"
    assert ask(client, secret, "second").json()["merchant_id"] == second.id
    for slug in ("stranger", "nobody"):
        answer = ask(client, secret, slug)
        assert (answer.status_code, answer.json()["code"]) == (404, "merchant_not_covered")


def test_a_key_of_an_environment_that_is_not_allowed_is_refused(
    context: Context, tmp_path: Path
) -> None:
    secret = deployment.make_key(context, deployment.add_one_merchant(context))
    strict = deployment.new_context(tmp_path, environments="sandbox")
    app = FastAPI()
    app.state.context = strict
    app.state.key_ring = KeyRing(strict.database, strict.clock, strict.signals)
    add_problem_handlers(app)
    app.get("/v1/who")(_nothing)
    answer = ask(TestClient(app), secret)
    assert (answer.status_code, answer.json()["code"]) == (403, "environment_not_allowed")
    strict.database.dispose()


def _nothing(_caller: Annotated[Caller, Depends(caller_with("orders:read"))]) -> None:
    return None


def test_the_last_use_is_written_once_a_minute(context: Context, client: TestClient) -> None:
    secret = deployment.make_key(context, deployment.add_one_merchant(context))
    clock = deployment.clock_of(context)

    def last_use() -> float | None:
        with context.database.read() as tx:
            used = list_keys(tx)[0].last_used_at
        return None if used is None else (used - deployment.START).total_seconds()

    assert last_use() is None
    seen: list[float | None] = []
    for _ in range(4):
        ask(client, secret)
        seen.append(last_use())
        clock.advance(30)
    assert seen == [0, 0, 60, 60]


def test_nothing_on_disk_gives_a_key_away(context: Context, tmp_path: Path) -> None:
    secret = deployment.make_key(context, deployment.add_one_merchant(context))
    written = deployment.everything_written(tmp_path)
    assert secret[12:].encode() not in written
    assert hashlib.sha256(secret.encode()).hexdigest().encode() in written
