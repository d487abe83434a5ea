"""The service behind the nginx of the deployment guide: what the world may reach, and how."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from deploying.proxy import MISSING, NAME, Proxy, proxied
from ports import free_port
from processes import prepare, serving, until
from signed_world import FORM, paid, signed
from streams import Stream

pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING)


@dataclass(frozen=True)
class Deployment:
    """nginx, the service behind it, and a key for its API."""

    proxy: Proxy
    service_port: int
    key: str
    process: subprocess.Popen[bytes]

    def create_order(self, number: str) -> dict[str, str]:
        """As a shop on another machine does: through the API's own port."""
        body = {"out_trade_no": number, "amount": "88.88", "subject": "Tea"}
        with self.proxy.client(headers={"Authorization": f"Bearer {self.key}"}) as shop:
            answer = shop.post(f"{self.proxy.api_url}/v1/orders", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def notify(self, number: str) -> httpx2.Response:
        """As Alipay does."""
        with self.proxy.client() as alipay:
            return alipay.post(
                f"{self.proxy.public_url}/alipay/notify/shop",
                content=signed(paid(number)),
                headers={"Content-Type": FORM},
            )


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Generator[Deployment]:
    directory = tmp_path_factory.mktemp("deployed")
    port = free_port()
    key = prepare(directory, port)
    with serving(directory, port) as process, proxied(port) as proxy:
        yield Deployment(proxy, port, key, process)


def test_a_notification_through_tls_is_answered_success_and_books_the_order(
    deployed: Deployment,
) -> None:
    deployed.create_order("A-1")
    told = deployed.notify("A-1")
    assert (told.status_code, told.content) == (200, b"success")
    assert "content-encoding" not in told.headers
    with deployed.proxy.client(headers={"Authorization": f"Bearer {deployed.key}"}) as shop:
        order = shop.get(f"{deployed.proxy.api_url}/v1/orders/A-1").json()
    assert order["status"] == "paid"


def test_ten_megabytes_are_refused_before_the_service_sees_them(deployed: Deployment) -> None:
    body = b"x" * 10_000_000

    def in_pieces() -> Iterator[bytes]:
        for start in range(0, len(body), 100_000):
            yield body[start : start + 100_000]

    with deployed.proxy.client() as stranger:
        url = f"{deployed.proxy.public_url}/alipay/notify/shop"
        for content in (body, in_pieces()):  # the second does not say how long it is
            refused = stranger.post(url, content=content, headers={"Content-Type": FORM})
            assert refused.status_code == 413
            assert b"nginx" in refused.content  # its answer, not the service's


@pytest.mark.parametrize(
    "path",
    [
        *("/v1/orders", "/v1/events", "/v1/webhook_endpoints", "/openapi.json", "/docs"),
        *("/metrics", "/healthz", "/readyz", "/_control/clock", "/alipay/notify/../../v1/orders"),
        *("/v1/watch/..%2forders", "//v1/orders", "/V1/orders", "/"),
    ],
)
def test_the_world_reaches_nothing_else(deployed: Deployment, path: str) -> None:
    with deployed.proxy.client(headers={"Authorization": f"Bearer {deployed.key}"}) as stranger:
        answer = stranger.get(f"{deployed.proxy.public_url}{path}")
    assert answer.status_code == 404, answer.text


def test_the_api_is_for_the_machines_that_are_named(deployed: Deployment) -> None:
    elsewhere = httpx2.HTTPTransport(local_address="127.0.0.2", verify=deployed.proxy.trust())
    headers = {"Authorization": f"Bearer {deployed.key}"}
    with deployed.proxy.client(headers=headers, transport=elsewhere) as stranger:
        assert stranger.get(f"{deployed.proxy.api_url}/v1/orders").status_code == 403
    with deployed.proxy.client(headers=headers) as shop:
        assert shop.get(f"{deployed.proxy.api_url}/v1/orders").status_code == 200
        assert shop.get(f"{deployed.proxy.api_url}/readyz").status_code == 200
        # This machine is allowed without a token, but not through a proxy: that is everybody.
        assert shop.get(f"{deployed.proxy.api_url}/metrics").status_code == 403


@contextmanager
def watching(client: httpx2.Client, url: str) -> Generator[Stream]:
    with client.stream("GET", url) as answer:
        assert answer.status_code == 200, answer.read()
        yield Stream(answer)


def test_a_page_that_watches_sees_the_payment_at_once(deployed: Deployment) -> None:
    order = deployed.create_order("W-1")
    watched = urlsplit(order["watch_url"]).path
    with (
        deployed.proxy.client() as buyer,
        watching(buyer, f"{deployed.proxy.public_url}{watched}") as stream,
    ):
        assert stream.frame()["event"] == "order.state"
        told_at = time.monotonic()
        assert deployed.notify("W-1").content == b"success"
        while (frame := stream.frame()).get("event") != "order.paid":
            pass
        assert time.monotonic() - told_at < 5, "the proxy held the event back"
        assert json.loads(frame["data"])["data"]["status"] == "paid"


def test_a_server_that_follows_events_hears_of_them_at_once(deployed: Deployment) -> None:
    deployed.create_order("E-1")
    with (
        deployed.proxy.client(headers={"Authorization": f"Bearer {deployed.key}"}) as shop,
        watching(shop, f"{deployed.proxy.api_url}/v1/events?types=order.paid") as stream,
    ):
        told_at = time.monotonic()
        deployed.notify("E-1")
        assert stream.event()["data"]["order"]["out_trade_no"] == "E-1"
        assert time.monotonic() - told_at < 5, "the proxy held the event back"


def test_the_buyers_pages_arrive_and_no_token_is_in_the_log(deployed: Deployment) -> None:
    order = deployed.create_order("P-1")
    pay, watch = (urlsplit(order[name]).path for name in ("pay_url", "watch_url"))
    with deployed.proxy.client(follow_redirects=False) as buyer:
        assert buyer.get(f"{deployed.proxy.public_url}{pay}").status_code in (200, 302, 303)
        nonsense = f"{deployed.proxy.public_url}/alipay/return/shop?out_trade_no=P-1&sign=secret"
        assert buyer.get(nonsense).status_code == 400
        with watching(buyer, f"{deployed.proxy.public_url}{watch}") as stream:
            stream.frame()
    # nginx writes its line when the answer has ended.
    deadline = time.monotonic() + 10
    while "/v1/watch/" not in (log := deployed.proxy.access_log):
        assert time.monotonic() < deadline, log
        time.sleep(0.05)
    assert "/pay/***" in log
    for token in (pay.rpartition("/")[2], watch.rpartition("/")[2], "sign=secret"):
        assert token not in log


def test_who_says_that_he_is_this_machine_is_not_believed(deployed: Deployment) -> None:
    claims = {
        "X-Forwarded-For": "127.0.0.1",
        "Forwarded": "for=127.0.0.1",
        "X-Real-IP": "127.0.0.1",
    }
    with deployed.proxy.client(headers=claims) as stranger:
        assert stranger.get(f"{deployed.proxy.api_url}/metrics").status_code == 403
    direct = f"http://127.0.0.1:{deployed.service_port}/metrics"
    assert httpx2.get(direct, trust_env=False, verify=False).status_code == 200
    assert httpx2.get(direct, headers=claims, trust_env=False, verify=False).status_code == 403


def test_plain_http_leads_people_to_https(deployed: Deployment) -> None:
    with deployed.proxy.client() as person:
        answer = person.get(f"http://127.0.0.1:{deployed.proxy.plain_port}/pay/x?y=1")
    assert answer.status_code == 301
    assert answer.headers["location"] == f"https://{NAME}/pay/x?y=1"


def test_a_service_that_is_away_is_an_error_that_alipay_repeats(tmp_path: Path) -> None:
    with proxied(free_port()) as proxy, proxy.client() as alipay:
        answer = alipay.post(
            f"{proxy.public_url}/alipay/notify/shop",
            content=signed(paid("G-1")),
            headers={"Content-Type": FORM},
        )
    assert answer.status_code == 502
    assert answer.content.strip() != b"success"


def test_when_a_box_is_away_the_other_takes_the_notification_in_the_same_request(
    deployed: Deployment,
) -> None:
    for number in range(4):
        deployed.create_order(f"T-{number}")
    with proxied(free_port(), deployed.service_port) as proxy:
        two = replace(deployed, proxy=proxy)
        assert [two.notify(f"T-{number}").content for number in range(4)] == [b"success"] * 4
        two.create_order("T-5")
        until(lambda: "/v1/orders 201" in proxy.access_log)
        assert "502, 200" in proxy.access_log, "nothing was sent to the box that is away"
