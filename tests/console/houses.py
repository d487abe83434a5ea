"""A house for the console: the real service and emulator, some orders, people, and a browser."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page

from daozhang.service.audit.model import SYSTEM
from daozhang.service.people.actions import change_own_language, create_owner
from daozhang.service.people.model import Language
from worlds import World

PASSWORD = "four words of green tea"
AXE = Path(sys.prefix) / "assets" / "for_tests" / "axe.js"
AS_IF_A_SCRIPT = "<script>alert('88.88')<script>"
LONG = "🍵" * 256
"""Subjects that a page must show as they are, and not be broken by."""

Theme = str


class House:
    """The world with a browser beside it."""

    def __init__(self, world: World, browser: Browser) -> None:
        self.world = world
        self.browser = browser
        self.base = f"{str(world.api.base_url).rstrip('/')}/console"
        self.problems: list[str] = []
        self.requests: list[str] = []
        self._people = 0

    def fill(self) -> str:
        """Orders in several states; the number of one that was paid and partly refunded."""
        world = self.world
        for amount, subject, paid in (
            ("128.50", "明前龙井 250g", True),
            ("9.90", AS_IF_A_SCRIPT, True),
            ("66.00", LONG, False),
            ("1024.00", "Oolong tea, 1 kg", True),
            ("35.20", "茉莉花茶 100g", False),
        ):
            number = world.order(amount, subject=subject)
            if paid:
                world.pay(number)
            world.advance(61)
        number = world.order(
            "1288.00", subject="武夷岩茶 大红袍 礼盒装", cart_ref="CART-7", metadata={"sku": "A-1"}
        )
        world.pay(number)
        world.advance(5)
        world.refund(number, "88.00", "R-1001")
        world.advance(30)
        return number

    def owner(self, language: str = "en") -> str:
        """An owner with a password; their email."""
        self._people += 1
        email = f"owner{self._people}@example.com"
        context = self.world.service.context
        with context.database.begin() as tx:
            person, _ = create_owner(
                tx, context, SYSTEM, email=email, name="林小满", password=PASSWORD
            )
        change_own_language(context, person, Language(language))
        return email

    @contextmanager
    def visitor(self, **options: Any) -> Generator[Page]:
        """A browser of one's own, whose console and requests are watched."""
        options = {"viewport": {"width": 1280, "height": 820}, "locale": "en-US", **options}
        context: BrowserContext = self.browser.new_context(**options)
        page = context.new_page()
        page.on("console", lambda said: self._note(said.type, said.text))
        page.on("pageerror", lambda error: self._note("error", str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        try:
            yield page
        finally:
            context.close()

    @contextmanager
    def signed_in(self, language: str = "en", **options: Any) -> Generator[Page]:
        """Somebody who has signed in by the page."""
        with self.visitor(**options) as page:
            self.sign_in(page, self.owner(language))
            yield page

    def sign_in(self, page: Page, email: str, password: str = PASSWORD) -> None:
        """Types email and password, as a person does."""
        page.goto(f"{self.base}/sign_in")
        page.fill("input[name=email]", email)
        page.fill("input[name=password]", password)
        page.click("form[action$='/sign_in'] button")

    def open(self, page: Page, path: str) -> None:
        """Goes to a page, and waits until everything of it is there."""
        page.goto(self.base + path, wait_until="load")
        page.wait_for_function("document.readyState === 'complete'")

    def strangers(self) -> list[str]:
        """Requests that went elsewhere."""
        own = urlsplit(self.base).netloc
        return [url for url in self.requests if urlsplit(url).netloc not in ("", own)]

    def _note(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.problems.append(f"{kind}: {text}")


PAGES = (
    "/overview?environment=emulator",
    "/m/shop/overview",
    "/m/shop/overview/at_risk",
    "/m/shop/orders",
    "/m/shop/orders?status=closing",
    "/m/shop/orders?store_id=S-1",
    "/m/shop/exports",
    "/m/shop/refunds",
    "/m/shop/refunds?state=bounced",
    "/m/shop/approvals",
    "/m/shop/approvals/limits",
    "/m/shop/ledger",
    "/m/shop/ledger?from=2026-01-01&to=2026-01-31",
    "/m/shop/ledger/moment",
    "/m/shop/ledger/available",
    "/m/shop/ledger/sales?day=2026-03-02",
    "/m/shop/ledger/entry?kind=payment&key=1",
    "/m/shop/ledger/new",
    "/m/shop/ledger/settings",
    "/m/shop/payouts",
    "/m/shop/bank",
    "/m/shop/bank/matches",
    "/m/shop/bank/statement",
    "/m/shop/holds",
    "/m/shop/agreements",
    "/m/shop/transfers",
    "/m/shop/transfers?state=unknown",
    "/m/shop/transfers/new",
    "/m/shop/transfers/limits",
    "/m/shop/transfers/sheets",
    "/m/shop/transfers/sheets/new",
    "/m/shop/sharing",
    "/m/shop/sharing/settings",
    "/m/shop/sharing/receivers/new",
    "/m/shop/sharing/plans/new",
    "/m/shop/books",
    "/m/shop/books/2026-03-01",
    "/m/shop/books/months/2026-03",
    "/m/shop/books/upload",
    "/m/shop/webhooks",
    "/m/shop/webhooks/new",
    "/m/shop/till",
    "/m/shop/till/find",
    "/m/shop/links",
    "/m/shop/links/new",
    "/m/shop/shifts",
    "/devices",
    "/security",
    "/m/shop/notifications",
    "/m/shop/notifications?status=surprised",
    "/m/shop/notifications/1",
    "/m/shop/notifications/refused",
    "/m/shop/surprises",
    "/m/shop/surprises?show=ended",
    "/health",
    "/jobs",
    "/jobs?status=failed",
    "/security/password",
    "/security/confirm",
    "/people",
    "/people/invite",
    "/people/rights",
    "/people/1",
    "/apikeys",
    "/apikeys?state=revoked",
    "/apikeys/new",
    "/trail",
    "/merchants",
    "/merchants/shop",
    "/apps/1",
)
"""Every page that needs no row of its own; a family adds its pages here."""
