"""Ways in: password and code, passkey, invitation; what keeps others out; and the way out."""

from __future__ import annotations

import re
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page
from pyotp.totp import TOTP

from console.houses import PASSWORD, House
from console.walking import faults, untranslated
from daozhang.console.headers import HEADERS
from daozhang.service.audit.model import SYSTEM
from daozhang.service.people.actions import create_owner


def invite(house: House, email: str) -> str:
    """A one-time token, as the command line makes one."""
    context = house.world.service.context
    with context.database.begin() as tx:
        _, token = create_owner(tx, context, SYSTEM, email=email, name="周明", password=None)
    assert token is not None
    return token


def virtual_authenticator(page: Page) -> None:
    """A passkey device that says yes to everything."""
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    options: dict[str, Any] = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_doors_are_whole_in_both_languages(house: House, language: str) -> None:
    locale = {"zh": "zh-CN", "en": "en-US"}[language]
    token = invite(house, f"{language}@example.com")
    with house.visitor(locale=locale) as page:
        for path in ("/sign_in", f"/invitation/{token}"):
            house.open(page, path)
            assert untranslated(page, language) == []
            assert faults(page) == []
        other = page.locator(".door-foot button:not([aria-pressed])")
        other.click()
        assert untranslated(page, {"zh": "en", "en": "zh"}[language]) == []


def test_the_invited_choose_a_password_and_are_in(house: House) -> None:
    token = invite(house, "new@example.com")
    with house.visitor() as page:
        house.open(page, f"/invitation/{token}")
        page.fill("input[name=password]", "newnewnewnew")
        page.click("button.btn-primary")
        assert page.is_visible(".field-says")
        page.fill("input[name=password]", "a long walk by the lake")
        page.click("button.btn-primary")
        page.wait_for_url("**/m/shop/o*")
    with house.visitor() as page:
        house.open(page, f"/invitation/{token}")
        assert page.is_visible("text=This is over")


def test_a_wrong_password_is_told_and_many_lock(house: House) -> None:
    email = house.owner()
    with house.visitor() as page:
        house.sign_in(page, email, "not the right one")
        assert "do not go together" in page.inner_text("[role=alert]")
        assert page.input_value("input[name=email]") == email
        for _ in range(5):
            house.sign_in(page, email, "not the right one")
        house.sign_in(page, email)
        assert "Too many failures" in page.inner_text("[role=alert]")
        house.world.advance(3600)
        house.sign_in(page, email)
        page.wait_for_url("**/m/shop/o*")


def test_an_authenticator_app_is_set_up_and_then_asked_for(house: House) -> None:
    email = house.owner()
    clock = house.world.clock
    with house.visitor() as page:
        house.sign_in(page, email)
        page.wait_for_url("**/m/shop/o*")
        house.open(page, "/security/app")
        assert page.locator("img.qr").evaluate("(img) => img.naturalWidth") > 100
        secret = page.inner_text(".middle code")
        page.fill("input[name=code]", TOTP(secret).at(clock.now()))
        page.click("button.btn-primary")
        codes = page.locator(".codes code").all_text_contents()
        assert len(codes) == 10
    house.world.advance(61)
    with house.visitor() as page:
        house.sign_in(page, email)
        page.wait_for_url("**/sign_in/code?*")
        page.fill("input[name=code]", "000000")
        page.click("button.btn-primary")
        assert page.is_visible(".field-says")
        # The password alone is no way in.
        house.open(page, "/m/shop/orders")
        assert "/sign_in" in page.url
        house.sign_in(page, email)
        page.fill("input[name=code]", TOTP(secret).at(clock.now()))
        page.click("button.btn-primary")
        page.wait_for_url("**/m/shop/o*")


def test_a_passkey_lets_in_by_itself(house: House) -> None:
    email = house.owner()
    with house.visitor() as page:
        virtual_authenticator(page)
        house.sign_in(page, email)
        page.wait_for_url("**/m/shop/o*")
        house.open(page, "/security")
        page.fill("input[name=name]", "工作手机")
        page.click("[data-passkey=make]")
        page.wait_for_selector("strong:has-text('工作手机')")
        page.click(".menu summary[aria-label=You]")
        page.click("text=Sign out")
        page.wait_for_url("**/sign_in")
        page.click("[data-passkey=use]")
        page.wait_for_url("**/m/shop/o*")


def test_a_device_is_ended_from_another(house: House) -> None:
    email = house.owner()
    with house.visitor() as lost, house.visitor() as page:
        house.sign_in(lost, email)
        lost.wait_for_url("**/m/shop/o*")
        house.sign_in(page, email)
        page.wait_for_url("**/m/shop/o*")
        house.open(page, "/devices")
        page.click("button[name=session]")
        page.wait_for_load_state()
        assert page.locator("tbody tr").count() == 1
        house.open(lost, "/m/shop/orders")
        assert "/sign_in" in lost.url


def test_a_form_that_is_not_ours_changes_nothing(house: House) -> None:
    with house.signed_in() as page:
        page.wait_for_url("**/m/shop/o*")
        cookies = {one["name"]: one["value"] for one in page.context.cookies()}  # pyright: ignore[reportTypedDictNotRequiredAccess]
        token = page.get_attribute("meta[name=csrf]", "content")
    own = {"sec-fetch-site": "same-origin"}
    with httpx2.Client(cookies=cookies, trust_env=False, verify=False) as client:
        for fields, headers in (
            ({}, own),
            ({"csrf": "AAAA"}, own),
            ({"csrf": token}, {"sec-fetch-site": "cross-site"}),
        ):
            refused = client.post(f"{house.base}/sign_out", data=fields, headers=headers)
            assert refused.status_code == 403
        assert client.get(f"{house.base}/devices").status_code == 200
        ended = client.post(f"{house.base}/sign_out", data={"csrf": token}, headers=own)
        assert ended.status_code == 303
        assert client.get(f"{house.base}/devices").status_code == 303


def test_nobody_is_led_to_another_site(house: House) -> None:
    for address in ("https://elsewhere.example/", "//elsewhere.example/", "/\\elsewhere.example"):
        with house.visitor() as page:
            house.open(page, f"/sign_in?next={address}")
            page.fill("input[name=email]", house.owner())
            page.fill("input[name=password]", PASSWORD)
            page.click("form[action$='/sign_in'] button")
            page.wait_for_url("**/m/shop/o*")
            assert page.url.startswith(house.base)


def test_every_answer_has_the_headers(house: House) -> None:
    with httpx2.Client(trust_env=False, verify=False) as client:
        page = client.get(f"{house.base}/sign_in")
        asset = re.search(r'href="([^"]+console\.css)"', page.text)
        assert asset is not None
        style = client.get(house.base.removesuffix("/console") + asset[1])
        missing = client.get(f"{house.base}/nothing")
        for answer in (page, style, missing):
            assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        assert page.headers["cache-control"] == "no-store"
        assert "immutable" in style.headers["cache-control"]
        assert style.headers["content-encoding"] == "gzip"
        assert (style.status_code, missing.status_code) == (200, 404)


def test_the_demos_one_time_address_signs_in_once(house: House) -> None:
    token = invite(house, "demo@example.com")
    with house.visitor() as page:
        house.open(page, f"/welcome/{token}")
        page.wait_for_url("**/m/shop/o*")
    with house.visitor() as page:
        house.open(page, f"/welcome/{token}")
        assert page.is_visible("text=This is over")
