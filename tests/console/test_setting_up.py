"""What is walked through once: an app step by step, and every page of setting up and of "no"."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page
from pyotp.totp import TOTP

from console.apps import given_to, upload
from console.houses import PASSWORD, House
from console.walking import faults, untranslated

LOCALES = {"zh": "zh-CN", "en": "en-US"}


def whole(page: Page, language: str) -> None:
    """A page is in one language, and axe finds nothing serious."""
    assert untranslated(page, language) == [], page.url
    assert faults(page) == [], page.url
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, page.url


def send(page: Page, button: str) -> None:
    with page.expect_navigation():
        page.click(button)


def test_an_app_is_added_by_hand_and_its_key_changes(house: House) -> None:
    world = house.world
    given = given_to(world)
    with house.signed_in() as page:
        house.open(page, "/merchants")
        send(page, "form[action$='/apps/new'] button")
        draft = page.url
        page.fill("[name=app_id]", given["app_id"])
        page.fill("[name=gateway_url]", given["gateway_url"])
        page.press("[name=app_id]", "Enter")
        page.wait_for_selector("form[action$='/make']")
        whole(page, "en")
        send(page, "form[action$='/make'] button")
        public = page.get_attribute(".upload [data-copy]", "data-copy") or ""
        whole(page, "en")
        # The wrong one of two keys, as it happens to people.
        page.fill("#alipay_public_key", public)
        send(page, "form[action$='/alipay'] button")
        assert "your own app public key" in page.inner_text("[role=alert]")
        # The lid is closed and opened again.
        page.goto(draft)
        assert page.get_attribute(".upload [data-copy]", "data-copy") == public
        page.fill("#alipay_public_key", given["alipay_public_key"])
        send(page, "form[action$='/alipay'] button")
        send(page, "form[action$='/prove'] button")
        assert page.is_visible(".notice-bad")
        whole(page, "en")
        upload(world, given["app_id"], public)
        send(page, "form[action$='/prove'] button")
        assert page.is_visible(".notice-good")
        page.fill("[name=name]", "明前茶铺")
        page.fill("[name=seller_id]", given["seller_id"])
        page.fill("[name=slug]", "tea")
        whole(page, "en")
        send(page, "form[action$='/finish'] button")
        assert page.url.endswith("/merchants/tea?new=yes")
        whole(page, "en")
        send(page, "form[action$='/notify'] button")
        assert page.locator(".notice-good").filter(has_text="success").is_visible()
        page.click("text=Keys of its app")
        send(page, "form[action$='/own_key'] button")
        assert page.is_visible("text=Until then the present key acts alone.")
        whole(page, "en")
        page.click("[data-open^=drop-]")
        send(page, "dialog[open] .btn-danger")
        assert page.is_visible("text=Dropped")
    assert house.strangers() == []


@pytest.mark.parametrize(("language", "theme"), [("zh", "dark"), ("en", "light")])
def test_what_is_set_up_once_is_whole(house: House, language: str, theme: str) -> None:
    options = {"locale": LOCALES[language], "color_scheme": theme}
    email = house.owner(language)
    with house.visitor(**options) as page:
        house.sign_in(page, email)
        page.wait_for_url("**/m/shop/o*")
        house.open(page, "/people/invite")
        page.fill("[name=name]", "周明")
        page.fill("[name=email]", f"zhou-{language}@example.com")
        send(page, ".narrow form .btn-primary")
        whole(page, language)
        invited = page.get_attribute(".secret [data-copy]", "data-copy") or ""
        house.open(page, "/apikeys/new")
        page.fill("[name=name]", "网店")
        page.check("[name=merchant_shop]")
        page.check("[name='scope_orders:read']")
        send(page, ".narrow form .btn-primary")
        assert re.match("dz_", page.inner_text(".secret code"))
        whole(page, language)
        house.open(page, "/security/app")
        whole(page, language)
        secret = page.inner_text(".middle code")
        page.fill("input[name=code]", TOTP(secret).at(house.world.clock.now()))
        send(page, "form .btn-primary")
        assert page.locator(".codes code").count() == 10
        whole(page, language)
        # What is refused, and what is not there.
        for path in (
            "/people/999999",
            f"/people/{2**63}",
            "/m/nobody/orders",
            "/merchants/nobody",
            "/apps/999",
        ):
            house.open(page, path)
            assert page.is_visible(".nothing")
            whole(page, language)
    with house.visitor(**options) as page:
        page.goto(invited)
        whole(page, language)
        page.fill("input[name=password]", "too short")
        page.evaluate("document.querySelector('form').noValidate = true")
        send(page, "form .btn-primary")
        assert page.is_visible(".field-says")
        whole(page, language)
        for path in ("/invitation/none", "/nowhere"):
            house.open(page, path)
            whole(page, language)
        house.sign_in(page, email)
        page.wait_for_url("**/sign_in/code?*")
        whole(page, language)
        page.fill("input[name=code]", "000000")
        send(page, "form[action$='/sign_in/code'] .btn-primary")
        whole(page, language)
        house.sign_in(page, email, "not the right one")
        whole(page, language)


def test_a_sign_in_that_is_confirmed_anew_leads_back(house: House) -> None:
    with house.signed_in() as page:
        page.wait_for_url("**/m/shop/o*")
        house.world.clock.advance(601)
        house.open(page, "/people/invite")
        assert "/security/confirm?" in page.url
        page.fill("input[name=password]", PASSWORD)
        send(page, "form .btn-primary")
        assert page.url.endswith("/people/invite")
