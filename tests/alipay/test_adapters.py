"""The adapters in the real frameworks, with the Content-Type that Alipay really sends and GBK."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import django
import httpx2
import pytest
from django.conf import settings as django_settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.test.utils import override_settings
from django.urls import path
from fastapi import FastAPI
from flask import Flask
from flask import Response as FlaskResponse
from flask import request as flask_request
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from alipay.fakes import ALIPAY_KEY, OTHER_KEY, public_key
from alipay.notices import FIELDS, notice
from daozhang.alipay.adapters import django as for_django
from daozhang.alipay.adapters import flask as for_flask
from daozhang.alipay.adapters import starlette as for_starlette
from daozhang.alipay.config import VerifyingKeys
from daozhang.alipay.errors import Untrusted
from daozhang.alipay.notify import AnyNotification

KEYS = VerifyingKeys((public_key(ALIPAY_KEY),))
CAPTURED = "application/x-www-form-urlencoded; text/html; charset="

Post = Callable[[bytes, str], httpx2.Response]

seen: list[AnyNotification] = []


async def starlette_view(request: Request) -> Response:
    try:
        seen.append(await for_starlette.read_notification(request, KEYS))
    except Untrusted as refused:
        return PlainTextResponse(refused.reason.value, 400)
    return for_starlette.success()


def django_view(request: HttpRequest) -> HttpResponse:
    try:
        seen.append(for_django.read_notification(request, KEYS))
    except Untrusted as refused:
        return HttpResponse(refused.reason.value.encode(), status=400)
    return for_django.success()


def flask_view() -> FlaskResponse:
    try:
        seen.append(for_flask.read_notification(flask_request, KEYS))
    except Untrusted as refused:
        return FlaskResponse(refused.reason.value, 400)
    return for_flask.success()


urlpatterns = [path("notify", django_view)]


def over_asgi(app: Any) -> Post:
    async def send(body: bytes, content_type: str) -> httpx2.Response:
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://shop") as client:
            return await client.post(
                "/notify", content=body, headers={"Content-Type": content_type}
            )

    return lambda body, content_type: asyncio.run(awaited(send(body, content_type)))


async def awaited(answer: Awaitable[httpx2.Response]) -> httpx2.Response:
    return await answer


def over_wsgi(app: Any) -> Post:
    def send(body: bytes, content_type: str) -> httpx2.Response:
        transport = httpx2.WSGITransport(app=app)
        with httpx2.Client(transport=transport, base_url="http://shop") as client:
            return client.post("/notify", content=body, headers={"Content-Type": content_type})

    return send


def starlette_post() -> Post:
    return over_asgi(Starlette(routes=[Route("/notify", starlette_view, methods=["POST"])]))


def fastapi_post() -> Post:
    app = FastAPI()
    app.post("/notify", response_model=None)(starlette_view)
    return over_asgi(app)


def flask_post() -> Post:
    app = Flask(__name__)
    app.add_url_rule("/notify", view_func=flask_view, methods=["POST"])
    return over_wsgi(app)


def django_post() -> Post:
    if not django_settings.configured:
        django_settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="tests")
        django.setup()
    return over_wsgi(WSGIHandler())


POSTS = [starlette_post, fastapi_post, django_post, flask_post]


@pytest.fixture(params=POSTS, ids=lambda made: made.__name__.removesuffix("_post"))
def post(request: pytest.FixtureRequest) -> Iterator[Post]:
    seen.clear()
    yield request.param()
    seen.clear()


@pytest.mark.parametrize("charset", ["utf-8", "GBK"])
@pytest.mark.parametrize(
    "content_type",
    [CAPTURED + "UTF-8", CAPTURED + "GBK", "application/x-www-form-urlencoded", "text/html"],
)
def test_a_notification_is_read_and_answered_with_seven_bytes(
    post: Post, charset: str, content_type: str
) -> None:
    answer = post(notice(charset=charset), content_type)
    assert (answer.status_code, answer.content) == (200, b"success")
    assert [read.fields["subject"] for read in seen] == [FIELDS["subject"]]


def test_a_stranger_is_refused(post: Post) -> None:
    answer = post(notice(key=OTHER_KEY), CAPTURED + "UTF-8")
    assert (answer.status_code, answer.text) == (400, "bad_signature")
    assert not seen


def test_a_body_that_is_too_large_is_refused(post: Post) -> None:
    answer = post(b"a=" + b"x" * 3_000_000, "application/x-www-form-urlencoded")
    assert (answer.status_code, answer.text) == (400, "too_large")


def test_a_framework_limit_is_the_same_refusal() -> None:
    send = django_post()
    with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=1000):
        assert send(notice(), CAPTURED + "UTF-8").text == "too_large"


def test_a_form_that_flask_has_read_already_is_told_so() -> None:
    app = Flask(__name__)

    def too_late() -> FlaskResponse:
        assert flask_request.form["subject"]
        return flask_view()

    app.add_url_rule("/notify", view_func=too_late, methods=["POST"])
    answer = over_wsgi(app)(notice(), "application/x-www-form-urlencoded")
    assert (answer.status_code, answer.text) == (400, "empty")
