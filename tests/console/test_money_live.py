"""What needs a browser of refunds, holds, agreements and webhooks: dialogs, keys, and what turns by itself."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest
from playwright.sync_api import Page

import agreeing
import holding
from console.browsers import chromium, find_chromium
from console.houses import House
from console.walking import faults, untranslated
from daozhang.money import Money
from daozhang.service.approvals.model import Approval
from daozhang.service.people.actions import change_own_language
from daozhang.service.people.model import Language, Role
from daozhang.service.refunds.approving import refund_as
from people_here import PASSWORD, add_person
from receivers import Answer, receiver
from worlds import running


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Generator[House]:
    found = find_chromium()
    if isinstance(found, str):
        pytest.skip(found)
    directory: Path = tmp_path_factory.mktemp("money")
    chosen = {"webhooks_allow_private": True}
    with running(directory, host="localhost", chosen=chosen) as world, chromium(found) as browser:
        yield House(world, browser)


def wait_live(page: Page) -> None:
    """Until the page hears of what changes."""
    page.wait_for_selector("[data-live-state=on]")


def test_two_people_send_money_back_and_the_inbox_turns_by_itself(house: House) -> None:
    world = house.world
    context = world.service.context
    cashier = add_person(context, "cashier", Role.CASHIER)
    change_own_language(context, cashier, Language.ENGLISH)
    number = world.order("300.00", subject="高山乌龙")
    world.pay(number)
    world.settle()
    with house.signed_in() as boss, house.visitor() as till:
        house.open(boss, "/m/shop/approvals/limits")
        boss.fill("input[name=per_order]", "100")
        boss.click("text=Save")
        boss.wait_for_url("**/approvals")
        assert boss.is_visible("text=Nothing waits for a second person")
        wait_live(boss)
        boss.evaluate("window.neverLoadedAgain = true")

        asked = refund_as(
            context,
            world.service.jobs,
            cashier,
            1,
            number,
            out_request_no="R-1",
            amount=Money.parse("260.00"),
            reason="尺码不对",
        )
        assert isinstance(asked, Approval)
        boss.wait_for_selector(f"tr[data-row='{asked.id}']", timeout=10_000)
        assert boss.inner_text(".waiting-count") == "1"
        assert boss.evaluate("window.neverLoadedAgain") is True

        house.sign_in(till, cashier.email, PASSWORD)
        till.wait_for_url("**/m/shop/orders")
        house.open(till, f"/m/shop/approvals/{asked.id}")
        assert not till.is_visible("[data-open=approve]")
        assert till.is_visible("[data-open=withdraw]")
        wait_live(till)

        boss.keyboard.press("j")
        boss.keyboard.press("Enter")
        boss.wait_for_url(f"**/approvals/{asked.id}")
        boss.click("[data-open=approve]")
        assert faults(boss) == []
        boss.keyboard.press("Escape")
        assert not boss.is_visible("#approve")
        boss.click("[data-open=approve]")
        boss.fill("#approve input[name=note]", "好的")
        boss.click("#approve .btn-primary")
        boss.wait_for_url("**/refunds/*")
        till.wait_for_selector(".state-good:has-text('Approved')", timeout=10_000)
        wait_live(boss)
        world.settle()
        boss.wait_for_selector("h1 .state-good:has-text('Refunded')", timeout=10_000)
        assert boss.locator(".waiting-count").count() == 0
    assert world.refunds(number)[0]["status"] == "succeeded"
    assert house.problems == []


def test_an_endpoint_is_tried_and_its_delivery_turns_by_itself(house: House) -> None:
    world = house.world
    with receiver() as hook, house.signed_in() as page:
        house.open(page, "/m/shop/webhooks")
        page.click("text=Add an endpoint")
        page.fill("input[name=url]", hook.url)
        page.click("text=Add it")
        secret = page.inner_text(".secret code")
        assert secret.startswith("whsec_")
        page.click("text=I have kept it")
        page.wait_for_url("**/webhooks/whe_*")
        wait_live(page)
        hook.answer = lambda _got: Answer(500, b"closed for the night")
        page.click("text=Send a test event")
        page.wait_for_url("**/deliveries/*")
        wait_live(page)
        world.settle()
        page.wait_for_selector(".state-bad:has-text('Not accepted')", timeout=10_000)
        assert page.is_visible("text=closed for the night")
        hook.answer = lambda _got: Answer(200)
        world.advance(10)
        page.wait_for_selector("h1 .state-good:has-text('Delivered')", timeout=10_000)
        assert page.locator("section.card .raw").count() == 3
        assert faults(page) == []
        # A dialog that is open is not taken from under the hands, whatever changes.
        page.go_back()
        page.wait_for_url("**/webhooks/whe_*")
        wait_live(page)
        page.click("[data-open=rotate]")
        number = world.order("5.00")
        world.pay(number)
        world.settle()
        page.wait_for_timeout(1200)
        assert page.is_visible("#rotate")
        page.keyboard.press("Escape")
        page.wait_for_selector("td:has-text('order.paid')", timeout=10_000)
    assert house.problems == []
    assert house.strangers() == []


@pytest.mark.parametrize(("language", "theme"), [("zh", "light"), ("en", "dark")])
def test_every_page_with_a_row_is_whole(house: House, language: str, theme: str) -> None:
    world = house.world
    house.problems.clear()
    with receiver() as hook:
        world.api.post("/v1/webhook_endpoints", json={"url": hook.url, "description": "ERP 系统"})
        hold = holding.frozen(world, title="客房押金")
        holding.capture(world, hold, "120.00", f"{hold}-minibar")
        world.settle()
        agreement = agreeing.signed(world, ahead=3, plan=False)
        number = world.order("88.00", subject="Tea")
        world.pay(number)
        world.refund(number, "8.00", "R-1")
        world.settle()
        with house.signed_in(
            language, color_scheme=theme, viewport={"width": 390, "height": 844}
        ) as page:
            house.open(page, "/m/shop/refunds")
            refund = page.get_attribute("tr[data-row]", "data-row")
            house.open(page, "/m/shop/webhooks")
            endpoint = page.locator("[data-row]").last.get_attribute("data-row")
            house.open(page, f"/m/shop/webhooks/{endpoint}")
            delivery = page.get_attribute("tr[data-row]", "data-row")
            for path in (
                f"/refunds/{refund}",
                f"/holds/{hold}",
                "/holds",
                f"/agreements/{agreement}",
                "/agreements",
                "/webhooks",
                f"/webhooks/{endpoint}",
                f"/webhooks/{endpoint}/edit",
                f"/webhooks/{endpoint}/deliveries/{delivery}",
                "/approvals?state=approved",
            ):
                house.open(page, f"/m/shop{path}")
                assert untranslated(page, language) == [], path
                assert faults(page) == [], path
                wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert wide <= 0, path
            for path, dialogs in (
                (f"/holds/{hold}", ("capture", "release")),
                (f"/agreements/{agreement}", ("charge", "move", "end")),
                (f"/webhooks/{endpoint}", ("rotate", "pause", "remove", "resend")),
            ):
                house.open(page, f"/m/shop{path}")
                for dialog in dialogs:
                    page.click(f"[data-open={dialog}]")
                    assert untranslated(page, language) == [], dialog
                    assert faults(page) == [], dialog
                    page.keyboard.press("Escape")
    assert house.problems == []
    assert house.strangers() == []
