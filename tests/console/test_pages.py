"""Every page, as a person sees it: in both languages, both themes, and on a phone."""

from __future__ import annotations

import re

import pytest

from console.houses import AS_IF_A_SCRIPT, LONG, PAGES, House
from console.walking import faults, untranslated

FIRST_LOAD_BYTES_MAX = 600_000
LATER_LOAD_BYTES_MAX = 60_000


@pytest.fixture(scope="module")
def number(house: House) -> str:
    return house.fill()


# Words do not depend on the theme, nor contrast on the language.
@pytest.mark.parametrize(("language", "theme"), [("zh", "light"), ("en", "dark")])
def test_every_page_is_whole(house: House, number: str, language: str, theme: str) -> None:
    house.problems.clear()
    with house.signed_in(language, color_scheme=theme) as page:
        for path in (*PAGES, f"/m/shop/orders/{number}"):
            house.open(page, path)
            assert untranslated(page, language) == [], path
            assert faults(page) == [], path
            assert page.title().strip(" ·")
    assert house.problems == []
    assert house.strangers() == []


@pytest.mark.parametrize("path", ["/m/shop/overview", "/m/shop/orders", "/m/shop/orders/{number}"])
def test_nothing_is_wider_than_a_phone(house: House, number: str, path: str) -> None:
    with house.signed_in(viewport={"width": 390, "height": 800}) as page:
        house.open(page, path.format(number=number))
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0
        page.click("[popovertarget=side]")
        assert page.is_visible("#side a[data-go=o]")


def test_what_buyers_write_is_shown_as_it_is(house: House, number: str) -> None:
    with house.signed_in() as page:
        house.open(page, "/m/shop/orders")
        subjects = page.locator("td.text").all_text_contents()
        assert AS_IF_A_SCRIPT in subjects
        assert LONG in subjects
        assert page.locator("td.text script").count() == 0


def test_orders_are_narrowed_and_found(house: House, number: str) -> None:
    with house.signed_in() as page:
        house.open(page, "/m/shop/orders")
        assert page.locator("tr[data-row]").count() == 6
        page.click("nav.tabs >> text=Paid")
        assert page.locator("tr[data-row]").count() == 4
        house.open(page, "/m/shop/orders?from=2026-03-03")
        assert page.is_visible("text=No order fits")
        page.keyboard.press("/")
        page.keyboard.type(number)
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/orders/{number}")
        trade = house.world.read(number)["trade_no"]
        page.fill("#search", trade)
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/orders/{number}")


def test_an_order_tells_its_story(house: House, number: str) -> None:
    with house.signed_in() as page:
        house.open(page, f"/m/shop/orders/{number}")
        told = [text.split("\n")[0] for text in page.locator(".story strong").all_text_contents()]
        assert "The end: Alipay has proven that the money went back." in told[:4]
        assert told[-1].startswith("The order over 1288.00 CNY was created")
        assert {"Alipay told us: paid.", "A refund of 88.00 CNY was written down, to be sent."} <= {
            *told
        }
        named = page.locator(".story strong code").all_text_contents()
        assert {"order.paid", "refund.succeeded"} <= {*named}
        assert "Once a person decides" not in page.locator(".columns").inner_text()
        sums = page.locator(".sum").first.inner_text()
        assert re.search(r"Left\s+1,200\.00\s*CNY", sums)
        times = page.locator(".story time")
        assert (times.first.get_attribute("title") or "").endswith("Beijing")


def test_a_payment_turns_the_list_and_the_order_without_a_reload(house: House) -> None:
    number = house.world.order("55.50", subject="白茶")
    with house.signed_in() as page:
        house.open(page, "/m/shop/orders")
        page.evaluate("window.neverLoadedAgain = true")
        row = page.locator(f"tr[data-row='{number}']")
        assert "Not opened yet" in row.inner_text()
        page.wait_for_selector("[data-live-state=on]")
        house.world.pay(number)
        house.world.settle()
        page.locator(f"tr[data-row='{number}'].fresh .state-good").wait_for(timeout=10_000)
        assert page.evaluate("window.neverLoadedAgain") is True


def test_it_is_read_without_scripts(house: House, number: str) -> None:
    with house.signed_in(java_script_enabled=False) as page:
        page.goto(f"{house.base}/m/shop/orders")
        page.click(f"text={number}")
        page.goto(f"{house.base}/m/shop/orders/{number}")
        assert page.is_visible("text=A refund of 88.00")
        page.click(".menu summary[aria-label=You]")
        assert page.is_visible("text=Sign out")


def test_keys_lead_around(house: House, number: str) -> None:
    with house.signed_in() as page:
        house.open(page, "/devices")
        page.keyboard.press("?")
        assert page.is_visible("#keys")
        page.keyboard.press("Escape")
        page.keyboard.press("g")
        page.keyboard.press("o")
        page.wait_for_url("**/m/shop/orders")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_url("**/m/shop/orders/*")


def test_a_page_is_light(house: House, number: str) -> None:
    with house.signed_in() as page:
        network = page.context.new_cdp_session(page)
        network.send("Network.enable")
        sizes: list[float] = []
        network.on("Network.loadingFinished", lambda done: sizes.append(done["encodedDataLength"]))
        network.send("Network.clearBrowserCache")
        house.open(page, "/m/shop/orders")
        first = sum(sizes)
        sizes.clear()
        house.open(page, f"/m/shop/orders/{number}")
        page.wait_for_timeout(200)
        print(f"first load {first:.0f} bytes, later {sum(sizes):.0f}")
        assert 50_000 < first <= FIRST_LOAD_BYTES_MAX
        assert 0 < sum(sizes) <= LATER_LOAD_BYTES_MAX
