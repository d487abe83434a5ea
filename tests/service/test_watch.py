"""Watching one order: the state at once, each change after it, and nothing beyond it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from daozhang.service.orders.watching import router as watch_router
from daozhang.service.outbox.routes import router as events_router
from daozhang.service.web import pages
from daozhang.service.web.pages import PROBLEM_KINDS, page_response, problem_page, return_page
from streams import NOW, Books, streaming


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    books = Books(tmp_path)
    yield books
    books.context.database.dispose()


def test_the_state_comes_first_and_then_each_change(books: Books) -> None:
    order = books.add_order(books.add_merchant("shop"), "a-1")
    with (
        books.served() as base,
        streaming(f"{base}/v1/watch/{books.watch_token(order)}") as stream,
    ):
        first = stream.event()
        assert (first["type"], first["sequence"]) == ("order.state", 0)
        assert first["environment"] == "emulator"
        assert first["data"]["status"] == "created"
        books.append(order, "order.paid", status="paid")
        second = stream.event()
        assert (second["type"], second["sequence"]) == ("order.paid", 1)
        assert second["data"]["status"] == "paid"
        assert second["data"]["amount"] == "88.88"


def test_a_page_that_was_cut_off_goes_on_where_it_was(books: Books) -> None:
    order = books.add_order(books.add_merchant("shop"), "a-1")
    paid = books.append(order, "order.paid", status="paid")
    books.append(order, "refund.succeeded")
    books.append(order, "order.refunded", status="refunded")
    url = f"/v1/watch/{books.watch_token(order)}"
    with books.served() as base:
        with streaming(base + url, headers={"Last-Event-ID": paid.id}) as stream:
            assert [stream.event()["type"] for _ in range(3)] == [
                "order.state",
                "refund.succeeded",
                "order.refunded",
            ]
        with streaming(f"{base}{url}?last_event_id=evt_nobodys") as stream:
            assert stream.event()["data"]["status"] == "refunded"
            books.append(order, "order.finished")
            assert stream.event()["type"] == "order.finished"


def test_a_buyer_sees_nothing_that_is_only_for_the_merchant(books: Books) -> None:
    merchant = books.add_merchant("shop")
    order, other = books.add_order(merchant, "a-1"), books.add_order(merchant, "a-2")
    with (
        books.served() as base,
        streaming(f"{base}/v1/watch/{books.watch_token(order)}") as stream,
    ):
        seen = [stream.event()]
        books.append(order, "order.surprise", detail="amount differs")
        books.append(other, "order.paid")
        books.append(order, "order.paid", metadata={"internal": "margin 40%"})
        seen.append(stream.event())
    assert [event["type"] for event in seen] == ["order.state", "order.paid"]
    assert "margin" not in str(seen)
    assert {event["data"]["out_trade_no"] for event in seen} == {"a-1"}


def test_a_token_that_is_expired_forged_or_for_paying_watches_nothing(books: Books) -> None:
    order = books.add_order(books.add_merchant("shop"), "a-1")
    expired = books.watch_token(order, seconds=-1)
    for_paying = books.context.sealer.sign_token("pay", {"order_id": order.id}, order.expires_at)
    assert order.expires_at > NOW
    forged = books.watch_token(order)[:-2] + "xx"
    with books.served() as base:
        for token in (expired, for_paying, forged, "nonsense"):
            answer = httpx2.get(f"{base}/v1/watch/{token}", trust_env=False, verify=False)
            assert (answer.status_code, answer.json()["code"]) == (401, "watch_token_invalid")


class Shown:
    """An order as a page is given it, with the worst that a field may hold."""

    out_trade_no = "a-1"
    amount = "88.88"
    currency = "CNY"
    subject = '</dd><script>alert("1")</script>$title'
    environment = "emulator"
    return_url = 'https://shop.example/?a="><script>'
    watch_url = 'http://127.0.0.1/v1/watch/"><script>'

    def __init__(self, status: str) -> None:
        self.status = status


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("created", "confirming"),
        ("waiting", "confirming"),
        ("closing", "confirming"),
        ("paid", "paid"),
        ("finished", "paid"),
        ("refunded", "refunded"),
        ("closed", "closed"),
    ],
)
def test_the_return_page_shows_the_state_and_escapes_the_rest(status: str, state: str) -> None:
    page = return_page(Shown(status))
    assert f'<main data-state="{state}"' in page
    assert page.count("<script") == 1
    assert '<script src="/pages/pages.js" defer>' in page
    assert "$title" in page


@pytest.mark.parametrize("kind", sorted(PROBLEM_KINDS))
def test_a_problem_page_says_it_in_both_languages(kind: str) -> None:
    page = problem_page(kind, continue_url="javascript:alert(1)")
    assert 'lang="zh-CN"' in page
    assert 'lang="en"' in page
    assert "javascript:" not in page


def test_pages_are_sent_with_a_policy_that_lets_nothing_inline_run() -> None:
    policy = page_response(problem_page("expired"), 410).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_only_the_two_assets_are_served() -> None:
    app = FastAPI()
    app.include_router(pages.router)
    client = TestClient(app)
    assert client.get("/pages/pages.css").headers["content-type"].startswith("text/css")
    assert client.get("/pages/pages.js").status_code == 200
    for name in ("page.html", "..%2fpages.py", "nothing"):
        assert client.get(f"/pages/{name}").status_code == 404


def test_openapi_describes_both_streams() -> None:
    app = FastAPI()
    app.include_router(events_router)
    app.include_router(watch_router)
    paths = app.openapi()["paths"]
    for path in ("/v1/events", "/v1/watch/{watch_token}"):
        assert list(paths[path]["get"]["responses"]["200"]["content"]) == ["text/event-stream"]
