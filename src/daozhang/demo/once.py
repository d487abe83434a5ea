"""One payment seen through without a person: each step done, looked at, and printed as a line."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlsplit

import httpx2

from daozhang.demo.browser import Browser, Page
from daozhang.demo.world import DemoFailed, World
from daozhang.money import Money

WAIT_SECONDS: Final = 30.0
PASSWORD: Final = "888888"
"""The emulator's payment password, as its cashier page shows it."""

REFUND: Final = "8.88"

_Found = TypeVar("_Found")


def play(world: World, say: Callable[[str], None]) -> None:
    """Plays a payment and a partial refund through; raises `DemoFailed` at what goes wrong."""
    browser = Browser()
    headers = {"Authorization": f"Bearer {world.api_key}"}
    client = httpx2.Client(base_url=world.service, headers=headers, timeout=15, trust_env=False)
    listener = Listener(world)
    try:
        listener.start()
        Play(world, browser, client, listener, say).run()
    except httpx2.HTTPError as error:
        raise DemoFailed(f"a request failed: {error!r}") from error
    finally:
        listener.stop()
        client.close()
        browser.close()


class Listener:
    """Follows ``GET /v1/events`` in a thread, as a shop's server would."""

    def __init__(self, world: World) -> None:
        self._client = httpx2.Client(timeout=httpx2.Timeout(10, read=60), trust_env=False)
        self._url = f"{world.service}/v1/events"
        self._headers = {"Authorization": f"Bearer {world.api_key}"}
        self._thread = threading.Thread(target=self._follow, name="demo-events", daemon=True)
        self._connected = threading.Event()
        self._stopping = threading.Event()
        self.events: list[dict[str, Any]] = []
        self.problem: str | None = None

    def start(self) -> None:
        """Returns once the stream is open, so that nothing after this is missed."""
        self._thread.start()
        if not self._connected.wait(WAIT_SECONDS) or self.problem:
            raise DemoFailed(f"the stream of events does not open: {self.problem}")

    def stop(self) -> None:
        """Ends the stream."""
        self._stopping.set()
        self._client.close()

    def _follow(self) -> None:
        try:
            with self._client.stream("GET", self._url, headers=self._headers) as answer:
                if answer.status_code != 200:
                    self.problem = f"status {answer.status_code}: {answer.read().decode()}"
                    return
                self._connected.set()
                for line in answer.iter_lines():
                    if line.startswith("data: "):
                        self.events.append(json.loads(line.removeprefix("data: ")))
        except (httpx2.HTTPError, httpx2.StreamError, OSError, RuntimeError) as error:
            # Closing the client under the stream is how `stop` ends it.
            if not self._stopping.is_set():
                self.problem = repr(error)
        finally:
            self._connected.set()


class Play:
    """The steps, one method each, in their order."""

    def __init__(
        self,
        world: World,
        browser: Browser,
        client: httpx2.Client,
        listener: Listener,
        say: Callable[[str], None],
    ) -> None:
        self._world = world
        self._browser = browser
        self._client = client
        self._listener = listener
        self._say = say
        self._number = ""

    def run(self) -> None:
        """All steps."""
        order_page = self._create()
        cashier = self._open_cashier(order_page)
        self._pay(cashier)
        self._see_booked()
        self._refund()
        self._compare_books()

    def _create(self) -> Page:
        product = self._browser.open(f"{self._world.shop}/web")
        _require(bool(product.forms), "the shop's page has no form to buy with")
        page = self._browser.submit(product.forms[0])
        self._number = urlsplit(page.url).path.removeprefix("/web/")
        order = self._order()
        _require(order["status"] == "created", f"a new order is {order['status']}")
        self._say(f"order created     {self._number}, CNY {order['amount']}")
        return page

    def _open_cashier(self, order_page: Page) -> Page:
        cashier = self._browser.open(order_page.ids["pay"]["href"])
        at_cashier = cashier.status == 200 and cashier.url.startswith(self._world.emulator)
        _require(at_cashier, f"the pay address leads to {cashier.url} ({cashier.status})")
        self._say(f"page opened       {cashier.url.partition('?')[0]}")
        return cashier

    def _pay(self, page: Page) -> None:
        """Fills in the cashier's forms until the buyer is back at the service."""
        back = f"{self._world.service}/alipay/return/"
        for _ in range(6):
            if page.url.startswith(back):
                break
            onward = next((link for link in page.links if link.startswith(back)), None)
            if onward is not None:
                page = self._browser.open(onward)
                continue
            forms = [form for form in page.forms if form.method == "post"]
            _require(bool(forms), f"the cashier shows no form to pay with at {page.url}")
            form = next((form for form in forms if form.password_field), forms[0])
            if form.password_field:
                form.fields[form.password_field] = PASSWORD
            page = self._browser.submit(form)
            _require(page.status == 200, f"the cashier answers {page.status} at {page.url}")
        _require(page.url.startswith(back), f"the buyer did not come back; the end was {page.url}")
        _require(page.status == 200, f"the return page answers {page.status}")
        self._say("paid              at the cashier; the buyer is back at the return page")

    def _see_booked(self) -> None:
        told = self._await("Alipay's notification", lambda: self._told(0))
        self._say(f"notified          {len(told)} notification, answered success")
        recorded = self._await("a verified notification", lambda: self._recorded(1))
        self._say(f"verified          the signature of {recorded[0]['notify_id']}")
        order = self._await("the order to be paid", lambda: self._order_if(status="paid"))
        _require(order["amount"] == "88.88", f"booked {order['amount']} instead of 88.88")
        self._say(f"booked            trade {order['trade_no']} is {order['status']}")
        event = self._await("order.paid", lambda: self._event("order.paid"))
        self._say(f"event             {event['type']} {event['id']}")

    def _refund(self) -> None:
        body = {"out_request_no": f"{self._number}-r1", "amount": REFUND, "reason": "demo"}
        answer = self._client.post(f"/v1/orders/{quote(self._number)}/refunds", json=body)
        _require(answer.is_success, f"the refund was answered {answer.status_code}: {answer.text}")
        event = self._await("refund.succeeded", lambda: self._event("refund.succeeded"))
        self._say(f"partial refund    CNY {REFUND}, {event['type']} {event['id']}")
        self._await("the notice of the refund", lambda: self._told(1))
        self._await("the notice of the refund to be applied", lambda: self._applied(2))
        self._say("refund notified   and answered success")

    def _compare_books(self) -> None:
        order = self._order()
        answer = httpx2.get(
            f"{self._world.emulator}/_control/trades/{quote(self._number)}", trust_env=False
        )
        _require(answer.is_success, f"the emulator does not know the trade: {answer.text}")
        trade = answer.json()
        theirs = (Money.parse(trade["total_amount"]), Money.parse(trade["refunded_amount"]))
        ours = (Money.parse(order["amount"]), Money.parse(order["refunded_amount"]))
        _require(ours == theirs, f"the books differ: here {ours}, at the emulator {theirs}")
        _require(order["trade_no"] == trade["trade_no"], "the trade numbers differ")
        _require(not order["attention"], "the order wants a person's attention")
        paid = [event for event in self._listener.events if event["type"] == "order.paid"]
        _require(len(paid) == 1, f"order.paid was announced {len(paid)} times")
        self._say(
            f"books equal       paid {order['amount']}, refunded {order['refunded_amount']}, "
            "here and at the emulator, to the fen"
        )

    def _order(self) -> dict[str, Any]:
        answer = self._client.get(f"/v1/orders/{quote(self._number)}")
        _require(answer.is_success, f"reading the order: {answer.status_code} {answer.text}")
        return answer.json()

    def _order_if(self, status: str) -> dict[str, Any] | None:
        order = self._order()
        return order if order["status"] == status else None

    def _told(self, more_than: int) -> list[dict[str, Any]] | None:
        """The emulator's attempts that were answered ``success``, once there are that many."""
        answer = httpx2.get(
            f"{self._world.emulator}/_control/notifications",
            params={"out_trade_no": self._number},
            trust_env=False,
        )
        told: list[dict[str, Any]] = answer.json()["notifications"]
        attempts = [attempt for notification in told for attempt in notification["attempts"]]
        good = [attempt for attempt in attempts if attempt["answer"] == "success"]
        return good if len(good) > more_than else None

    def _recorded(self, at_least: int) -> list[dict[str, Any]] | None:
        """The service's own record; what could not be verified is never in it."""
        story = self._client.get(f"/v1/orders/{quote(self._number)}/story").json()
        found = [entry for entry in story["entries"] if entry["kind"] == "notification"]
        return found if len(found) >= at_least else None

    def _applied(self, at_least: int) -> list[dict[str, Any]] | None:
        recorded = self._recorded(at_least) or []
        applied = [entry for entry in recorded if entry["status"] == "applied"]
        return applied if len(applied) >= at_least else None

    def _event(self, wanted: str) -> dict[str, Any] | None:
        if self._listener.problem:
            raise DemoFailed(f"the stream of events broke: {self._listener.problem}")
        return next((event for event in self._listener.events if event["type"] == wanted), None)

    def _await(self, what: str, look: Callable[[], _Found | None]) -> _Found:
        deadline = time.monotonic() + WAIT_SECONDS
        while (found := look()) is None:
            if time.monotonic() > deadline:
                raise DemoFailed(f"{what} did not come within {WAIT_SECONDS:.0f} seconds")
            time.sleep(0.1)
        return found


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise DemoFailed(otherwise)
