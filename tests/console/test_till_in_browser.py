"""The till as a cashier has it in their hands: a tablet, a scanner that types, and a buyer's phone."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest
from playwright.sync_api import Page, ViewportSize

from console.browsers import chromium, find_chromium
from console.houses import House
from console.walking import faults, untranslated
from daozhang.service.people.actions import change_own_language
from daozhang.service.people.model import Language, Role
from people_here import PASSWORD, add_person
from worlds import running

TABLET: ViewportSize = {"width": 820, "height": 1180}
PHONE: ViewportSize = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Generator[House]:
    found = find_chromium()
    if isinstance(found, str):
        pytest.skip(found)
    with running(tmp_path_factory.mktemp("till")) as world, chromium(found) as browser:
        yield House(world, browser)


def test_a_cashier_sells_on_a_tablet(
    house: House, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    folder = Path(request.config.getoption("--screenshots") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    world = house.world
    for language, theme in (("zh", "light"), ("en", "dark")):
        person = add_person(world.service.context, f"cashier-{language}", Role.CASHIER)
        change_own_language(world.service.context, person, Language(language))
        with house.visitor(viewport=TABLET, color_scheme=theme, has_touch=True) as page:

            def look(name: str, page: Page = page, kind: str = f"{language}.{theme}") -> None:
                assert untranslated(page, kind[:2]) == [], name
                assert faults(page) == [], name
                page.screenshot(path=folder / f"till-{name}.{kind}.tablet.png", full_page=True)
                page.set_viewport_size(PHONE)
                wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert wide <= 0, name
                page.screenshot(path=folder / f"till-{name}.{kind}.phone.png", full_page=True)
                page.set_viewport_size(TABLET)

            house.sign_in(page, person.email, PASSWORD)
            page.wait_for_url("**/m/shop/**")
            house.open(page, "/m/shop/till")
            look("open")
            page.fill("input[name=store]", "HZ-01")
            page.fill("input[name=terminal]", "T-3")
            page.press("input[name=terminal]", "Enter")
            _sell_by_scanning(house, page, look)
            _sell_by_showing(house, page, look)
            house.open(page, "/m/shop/till")
            look("till")
            house.open(page, "/m/shop/till/find?amount=18.88")
            look("find")
            _links(house, page, look)
            house.open(page, "/m/shop/till")
            page.click("a[href*='/shifts/shf_']")
            page.wait_for_selector("input[name=noted_barcode]")
            look("hand-over")
            page.fill("input[name=noted_barcode]", "18.00")
            page.fill("input[name=note]", "少一张小票")
            page.press("input[name=note]", "Enter")
            page.wait_for_selector(".signatures")
            look("handed-over")
            house.open(page, "/m/shop/shifts")
            look("shifts")
    assert house.problems == []
    alipay = house.world.emulator.base_url
    assert [url for url in house.strangers() if not url.startswith(alipay)] == []


def _sell_by_scanning(house: House, page: Page, look: object) -> None:
    assert callable(look)
    for key in ("1", "8", ".", "8", "8", "8"):  # a third place is not typed
        page.click(f"[data-digit='{key}']")
    assert page.input_value("#amount") == "18.88"
    page.click("[data-digit=back]")
    page.keyboard.type("8")
    page.click("button[value=barcode]")
    page.wait_for_selector("#auth_code:focus")
    look("scan")
    page.click("[data-sound]")
    assert page.get_attribute("[data-sound]", "aria-pressed") == "true"
    page.focus("#auth_code")
    # A scanner types and ends with Enter.
    page.keyboard.type(house.world.emulator.payment_code("declines"))
    page.keyboard.press("Enter")
    page.wait_for_selector("#sale[data-state=declined]")
    look("declined")
    page.keyboard.type(house.world.emulator.payment_code("asks"))
    page.keyboard.press("Enter")
    page.wait_for_selector("#sale[data-state=buyer_confirms]")
    look("confirms")
    page.evaluate("window.neverLoadedAgain = true")
    number = page.url.rpartition("/")[2]
    house.world.emulator.confirm(number)
    house.world.settle()
    page.wait_for_selector("#sale[data-state=paid]", timeout=15_000)
    assert page.evaluate("window.neverLoadedAgain") is True
    look("paid")
    page.click(".sale-refund summary")
    look("refund")
    page.click(".sale-doors a")


def _sell_by_showing(house: House, page: Page, look: object) -> None:
    assert callable(look)
    page.wait_for_selector("#amount:focus")
    page.keyboard.type("66")
    page.click("button[value=qr]")
    page.wait_for_selector("#sale[data-state=show_code] img")
    assert (
        page.locator("#sale-code").evaluate("(img) => img.decode().then(() => img.naturalWidth)")
        > 100
    )
    look("code")
    page.evaluate("window.neverLoadedAgain = true")
    number = page.url.rpartition("/")[2].partition("?")[0]
    world = house.world
    world.browser.get(world.api.post(f"/v1/orders/{number}/qr_code").json()["qr_code"])
    world.emulator.pay(number)
    world.settle()
    page.wait_for_selector("#sale[data-state=paid]", timeout=15_000)
    assert page.evaluate("window.neverLoadedAgain") is True


def _links(house: House, page: Page, look: object) -> None:
    assert callable(look)
    house.open(page, "/m/shop/links")
    look("links-empty" if page.locator("table.rows").count() == 0 else "links")
    house.open(page, "/m/shop/links/new")
    look("link-new")
    page.fill("input[name=amount]", "128.00")
    page.fill("input[name=subject]", "定金: 西湖龙井礼盒")
    page.press("input[name=subject]", "Enter")
    page.wait_for_selector("#link-code")
    look("link")
    address = page.get_attribute("[data-copy*='/pay/link/']", "data-copy")
    assert address is not None
    with house.visitor(viewport={"width": 1280, "height": 900}) as payer:
        payer.goto(address)
        assert faults(payer) == []
        payer.evaluate("window.neverLoadedAgain = true")
        with house.visitor(
            viewport=PHONE, user_agent="Mozilla/5.0 (iPhone) Mobile/15E148"
        ) as phone:
            phone.goto(address)
            assert faults(phone) == []
            phone.click("button.onward")
            phone.wait_for_url(f"{house.world.emulator.base_url}/**")
            number = house.world.api.get("/v1/orders", params={"limit": 1}).json()["data"][0]
            house.world.emulator.pay(number["out_trade_no"])
            house.world.settle()
        payer.wait_for_selector("main[data-state=paid]", timeout=15_000)
        assert payer.evaluate("window.neverLoadedAgain") is True
    page.wait_for_selector("#link .state-good >> nth=0", timeout=15_000)
