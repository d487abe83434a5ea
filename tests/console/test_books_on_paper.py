"""A day and a month on paper: A4, nothing to click, room for signatures; on a screen they are whole."""

from __future__ import annotations

from datetime import date

import pytest

from console.houses import House
from console.walking import faults, untranslated
from daozhang.service.people.model import Role
from monthly import close_month, fetch_days
from people_here import add_person
from reconciling import pay, to_hour

DAY = date(2026, 3, 31)
PATHS = (f"/m/shop/books/{DAY}", "/m/shop/books/months/2026-03")


@pytest.fixture(scope="module", autouse=True)
def closed(house: House) -> None:
    """The last day of March and the month are closed."""
    world = house.world
    to_hour(world, 12, days=29)
    pay(world, "88.88")
    to_hour(world, 10, days=1)
    fetch_days(world, DAY, DAY)
    context = world.service.context
    one, two = (add_person(context, name, Role.FINANCE) for name in ("one", "two"))
    close_month(world, one, two, DAY)


@pytest.mark.parametrize("path", PATHS)
def test_paper_has_names_and_lines_to_sign_and_nothing_to_click(house: House, path: str) -> None:
    with house.signed_in() as page:
        house.open(page, path)
        assert page.is_visible("[data-print]")  # by a script
        assert page.is_visible("text=Vouchers for other programs")
        page.emulate_media(media="print")
        for gone in ("[data-print]", ".side", ".crumbs", "text=Vouchers for other programs"):
            assert not page.locator(gone).first.is_visible(), gone
        assert page.locator(".sign-line").last.is_visible()
        signed = page.locator(".signatures").inner_text()
        assert "two" in signed or "one" in signed
        # A page of A4 within its margins: 180 mm at 96 dots an inch.
        page.set_viewport_size({"width": 680, "height": 960})
        assert page.locator(".rows thead").first.is_visible()  # and not cut up as on a phone
        cells = page.locator(".rows td").first.evaluate("cell => getComputedStyle(cell).display")
        assert cells == "table-cell"
        assert page.is_visible(f"text={house.world.service.clients.merchant(1).seller_id}")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        assert page.pdf(format="A4").startswith(b"%PDF")
    assert house.problems == []


def test_on_a_phone_each_amount_of_a_month_has_its_name(house: House) -> None:
    with house.signed_in(viewport={"width": 390, "height": 800}) as page:
        house.open(page, PATHS[1])
        sums = page.locator(".named tbody tr").first.locator("td.num")
        said = "cell => getComputedStyle(cell, '::before').content"
        names = [sums.nth(place).evaluate(said) for place in range(4)]
        assert [name.strip(' "') for name in names] == [
            "Opening", "Debits", "Credits", "Closing balance",
        ]  # fmt: skip


@pytest.mark.parametrize("language", ["zh", "en"])
def test_both_are_whole_on_a_phone_and_a_desk(house: House, language: str) -> None:
    for width, theme in ((1280, "dark"), (390, "light")):
        view = {"width": width, "height": 800}
        with house.signed_in(language, color_scheme=theme, viewport=view) as page:
            for path in PATHS:
                house.open(page, path)
                assert untranslated(page, language) == [], path
                assert faults(page) == [], path
                wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert wide <= 0, path
    assert house.strangers() == []
