"""Webhooks in the console: endpoints, secrets, health, attempts, sending again; real receivers."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from console.staff import Staff, plain, rows
from daozhang.service.people.model import Role
from people_here import deeds
from receivers import Answer, Receiver, receiver
from worlds import World, running


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    chosen = {"webhooks_allow_private": True}
    with running(Path(tmp_path_factory.mktemp("webhooks")), chosen=chosen) as world:
        yield world


@pytest.fixture
def hook() -> Generator[Receiver]:
    with receiver() as hook:
        yield hook


@pytest.fixture
def developer(world: World) -> Iterator[Staff]:
    one = Staff(world.service.context, Role.DEVELOPER)
    yield one
    one.close()


def add(developer: Staff, url: str, **fields: str) -> tuple[str, str]:
    """A new endpoint by the form: its id and its secret."""
    answer = developer.post("/webhooks/new", {"url": url, "format": "json", **fields})
    assert answer.status_code == 200, plain(answer.text)
    endpoint = re.search(r"/webhooks/(whe_\w+)", answer.text)
    secret = re.search(r"<code translate=\"no\">(whsec_[^<]+)</code>", answer.text)
    assert endpoint is not None
    assert secret is not None
    return endpoint[1], secret[1]


def paid(world: World) -> str:
    number = world.order("12.00")
    world.pay(number)
    world.settle()
    return number


def deliveries(developer: Staff, endpoint: str, state: str = "") -> list[str]:
    query = f"?state={state}" if state else ""
    return rows(developer.get(f"/webhooks/{endpoint}{query}").text)


def test_an_endpoint_is_added_and_its_secret_is_shown_once(
    world: World, developer: Staff, hook: Receiver
) -> None:
    assert "No endpoints yet" in developer.read("/webhooks")
    endpoint, secret = add(developer, hook.url, description="ERP", **{"type:order.paid": "yes"})
    number = paid(world)
    world.refund(number, "1.00", "R1")
    world.settle()
    (got,) = hook.taken()
    assert number in got.body.decode()
    Webhook(secret)  # it is one as Standard Webhooks writes it
    for path in ("/webhooks", f"/webhooks/{endpoint}", f"/webhooks/{endpoint}/edit"):
        assert "whsec_" not in developer.get(path).text
    said = developer.read(f"/webhooks/{endpoint}")
    assert "Accepted 100 % of the latest 1 events" in said
    assert (str(developer.person.actor), "webhook.added") in deeds(world.service.context)


@pytest.mark.parametrize(
    "url", ["", "nonsense", "ftp://example.com/", "http://user:word@127.0.0.1/"]
)
def test_an_address_that_is_not_called_is_told_at_its_field(developer: Staff, url: str) -> None:
    answer = developer.post("/webhooks/new", {"url": url, "type:refund.failed": "yes"})
    assert answer.status_code == 422
    assert "aria-invalid" in answer.text
    assert re.search(r'name="type:refund.failed" value="yes" checked', answer.text)


def test_every_attempt_shows_request_and_response_and_is_sent_again(
    world: World, developer: Staff, hook: Receiver
) -> None:
    endpoint, _ = add(developer, hook.url)
    hook.answer = lambda _got: Answer(500, b"<script>alert(1)</script>")
    number = paid(world)
    (delivery,) = deliveries(developer, endpoint)
    page = developer.get(f"/webhooks/{endpoint}/deliveries/{delivery}").text
    assert "<script>alert" not in page
    said = plain(page)
    assert "Not accepted 500" in said
    assert "<script>alert(1)</script>" in said
    posted = hook.got[0]
    assert posted.body.decode() in said
    assert f"webhook-timestamp: {posted.headers['webhook-timestamp']}" in said
    assert number in said
    assert "Send again" not in said, "it is on its way"
    hook.answer = lambda _got: Answer(204)
    world.advance(10)
    said = developer.read(f"/webhooks/{endpoint}/deliveries/{delivery}")
    assert said.index("Accepted 204") < said.index("Not accepted 500")
    assert developer.do(f"/webhooks/{endpoint}/deliveries/{delivery}/resend").endswith(delivery)
    world.settle()
    assert len(hook.taken()) == 2
    assert developer.get(f"/webhooks/{endpoint}/deliveries/none").status_code == 404


def test_a_test_event_shows_at_once_whether_it_works(
    world: World, developer: Staff, hook: Receiver
) -> None:
    endpoint, _ = add(developer, hook.url)
    leads_to = developer.do(f"/webhooks/{endpoint}/test")
    world.settle()
    assert "webhook_endpoint.test Delivered" in developer.read(leads_to)
    assert (str(developer.person.actor), "webhook.tested") in deeds(world.service.context)


def test_a_secret_is_replaced_while_the_old_one_still_signs(
    world: World, developer: Staff, hook: Receiver
) -> None:
    endpoint, old = add(developer, hook.url)
    answer = developer.post(f"/webhooks/{endpoint}/rotate", {"overlap": "day"})
    found = re.search(r"(whsec_[A-Za-z0-9+/=]+)", answer.text)
    assert found is not None
    new = found[1]
    assert new != old
    assert "The old secret signs beside the new one until" in developer.read(
        f"/webhooks/{endpoint}"
    )

    def signatures() -> int:
        developer.do(f"/webhooks/{endpoint}/test")
        world.settle()
        return hook.got[-1].headers["webhook-signature"].count("v1,")

    assert signatures() == 2
    answer = developer.post(f"/webhooks/{endpoint}/rotate", {"overlap": "0"})
    assert answer.status_code == 200
    world.advance(1)
    assert signatures() == 1


def test_a_pause_keeps_events_and_a_resume_sends_them(
    world: World, developer: Staff, hook: Receiver
) -> None:
    endpoint, _ = add(developer, hook.url)
    developer.do(f"/webhooks/{endpoint}/pause")
    number = paid(world)
    assert hook.got == []
    assert len(deliveries(developer, endpoint, "parked")) == 1
    assert developer.post(f"/webhooks/{endpoint}/test").status_code == 409
    developer.do(f"/webhooks/{endpoint}/resume")
    world.settle()
    assert number in hook.taken()[0].body.decode()


def test_what_was_made_since_a_time_is_sent_again(
    world: World, developer: Staff, hook: Receiver
) -> None:
    endpoint, _ = add(developer, hook.url)
    paid(world)
    world.advance(3600)
    later = paid(world)
    since = world.clock.now().strftime("%Y-%m-%dT%H:%M")
    assert developer.post(f"/webhooks/{endpoint}/resend", {"since": ""}).status_code == 422
    developer.do(f"/webhooks/{endpoint}/resend", {"since": f"{since}+00:00", "only": "parked"})
    world.settle()
    assert len(hook.got) == 2
    developer.do(f"/webhooks/{endpoint}/resend", {"since": f"{since}+00:00", "only": "all"})
    world.settle()
    assert [later in one.body.decode() for one in hook.got] == [False, True, True]


def test_an_endpoint_is_edited_and_removed(world: World, developer: Staff, hook: Receiver) -> None:
    endpoint, _ = add(developer, hook.url)
    fields = {"url": hook.url + "/2", "description": "新地址", "type:refund.succeeded": "yes"}
    developer.do(f"/webhooks/{endpoint}/edit", fields)
    said = developer.read(f"/webhooks/{endpoint}")
    assert hook.url + "/2" in said
    assert "新地址" in said
    assert "refund.succeeded" in said
    refused = developer.post(f"/webhooks/{endpoint}/edit", {"url": "nonsense"})
    assert refused.status_code == 422
    assert developer.do(f"/webhooks/{endpoint}/remove") == "/webhooks"
    assert developer.get(f"/webhooks/{endpoint}").status_code == 404


MAY = {Role.DEVELOPER, Role.OWNER}
DEEDS = ("pause", "resume", "rotate", "test", "resend", "edit", "deliver", "remove", "new")


@pytest.mark.parametrize("role", Role)
def test_each_role_does_what_it_may(
    world: World, developer: Staff, hook: Receiver, role: Role
) -> None:
    one = Staff(world.service.context, role)
    for deed in DEEDS:
        endpoint, _ = add(developer, hook.url)
        developer.do(f"/webhooks/{endpoint}/test")
        world.settle()
        (delivery,) = deliveries(developer, endpoint)
        path = f"/webhooks/{endpoint}/{deed}"
        if deed == "new":
            path = "/webhooks/new"
        elif deed == "deliver":
            path = f"/webhooks/{endpoint}/deliveries/{delivery}/resend"
        fields = {"url": hook.url, "since": "2026-03-01T00:00", "only": "all"}
        answer = one.post(path, fields)
        assert answer.status_code in ((200, 303) if role in MAY else (403,)), (deed, role)
        world.settle()
        developer.post(f"/webhooks/{endpoint}/remove")
    for path in ("/webhooks", "/webhooks/new"):
        assert one.get(path).status_code == (200 if role in MAY else 403)
    one.close()
