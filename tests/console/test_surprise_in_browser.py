"""A surprise in a browser: it comes by itself, is taken and dismissed by keyboard, on pages that are whole."""

from __future__ import annotations

import pytest

from console.houses import House
from console.test_inbox import told_wrong, unclaimed
from console.walking import faults, untranslated


def test_a_surprise_comes_and_goes_by_itself(house: House) -> None:
    with house.signed_in() as page, house.signed_in() as beside:
        house.open(page, "/m/shop/surprises")
        assert page.is_visible("text=Everything fits")
        page.wait_for_selector("[data-live-state=on]")
        number, surprise = told_wrong(house.world)
        page.locator(f"tr[data-row='{surprise}']").wait_for(timeout=15_000)

        house.open(beside, f"/m/shop/surprises/{surprise}")
        beside.click("text=Take it")
        beside.click("[data-open=dismiss]")
        beside.wait_for_selector("dialog#dismiss[open]")
        beside.fill("#dismiss-note", "a test")
        beside.keyboard.press("Enter")
        beside.wait_for_selector("text=How it ended")
        page.wait_for_selector("text=Everything fits", timeout=15_000)
        assert house.world.read(number)["attention"] is False
    assert house.problems == []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_its_page_is_whole(house: House, language: str) -> None:
    _, surprise = unclaimed(house.world)
    path = f"/m/shop/surprises/{surprise}"
    for width, theme in ((1280, "dark"), (390, "light")):
        view = {"width": width, "height": 800}
        with house.signed_in(language, color_scheme=theme, viewport=view) as page:
            for each in (path, "/m/shop/notifications/1", "/health", "/jobs"):
                house.open(page, each)
                assert untranslated(page, language) == [], each
                assert faults(page) == [], each
                wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert wide <= 0, each
    assert house.strangers() == []
