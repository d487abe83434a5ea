"""Pages with rows in them, as a person sees them: both languages, both themes, and on a phone."""

from __future__ import annotations

import pytest

from console.furnishing import furnish
from console.houses import House
from console.walking import faults, untranslated

PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def pages(house: House) -> list[str]:
    house.fill()
    return furnish(house)


@pytest.mark.parametrize(("language", "theme"), [("zh", "light"), ("en", "dark")])
def test_every_page_is_whole(house: House, pages: list[str], language: str, theme: str) -> None:
    house.problems.clear()
    with house.signed_in(language, color_scheme=theme) as page:
        for path in pages:
            house.open(page, path)
            assert page.locator("h1").count() == 1, path
            assert untranslated(page, language) == [], path
            for dialog in page.locator("dialog.sheet").all():
                dialog.evaluate("(one) => one.showModal()")
                assert untranslated(page, language) == [], path
                dialog.evaluate("(one) => one.close()")
            assert faults(page) == [], path
    assert house.problems == []
    assert house.strangers() == []


@pytest.mark.parametrize(("language", "theme"), [("zh", "dark"), ("en", "light")])
def test_alipays_balance_is_asked_for_by_a_button(
    house: House, pages: list[str], language: str, theme: str
) -> None:
    house.problems.clear()
    with house.signed_in(language, color_scheme=theme, viewport=PHONE) as page:
        house.open(page, "/m/shop/payouts")
        page.click("#balance button")
        page.wait_for_selector("#balance table")
        assert untranslated(page, language) == []
        assert faults(page) == []
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert house.problems == []


def test_nothing_is_wider_than_a_phone(house: House, pages: list[str]) -> None:
    with house.signed_in(viewport=PHONE) as page:
        for path in pages:
            house.open(page, path)
            wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, path


def test_both_sides_of_the_bank_are_ticked_until_they_are_even(
    house: House, pages: list[str]
) -> None:
    house.problems.clear()
    with house.signed_in() as page:
        house.open(page, "/m/shop/bank")
        said, button = page.locator("#bank-sum"), page.locator(".bank-bar button")
        assert button.is_disabled()
        page.locator("[data-side=withdrawn] label", has_text="12.34").click()
        page.locator("[data-side=arrived] label", has_text="20260308001").click()
        assert said.inner_text() == "Ticked: 12.34 withdrawn, 12.00 at the bank."
        assert button.is_disabled()
        page.keyboard.press("Tab")  # to the next line
        page.keyboard.press("Space")
        assert said.inner_text() == "Ticked: 12.34 on both sides."
        button.click()
        page.wait_for_url("**/bank/matches")
        assert page.locator("tr[data-row]").count() == 2
    assert house.problems == []
