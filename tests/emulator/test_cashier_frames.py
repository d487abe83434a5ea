"""The cashier in a frame of the shop's own page: the five values of ``qr_pay_mode``."""

from __future__ import annotations

import httpx2
import pytest

from daozhang.emulator.ledger import TradeStatus
from emulator.place import Place
from emulator.test_cashier import Page, pay

WIDTHS = {"0": "200", "1": "200", "3": "75", "4": "160"}


def framed(place: Place, number: str, mode: str) -> httpx2.Response:
    """What the shop's frame shows."""
    width = {"qrcode_width": "160"} if mode == "4" else {}
    extra = {"return_url": "http://shop.test/back", "notify_url": place.shop.notify_url}
    return place.merchant.open_page(number, qr_pay_mode=mode, **width, **extra)


def may_be_framed(answer: httpx2.Response) -> bool:
    return "frame-ancestors" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize("mode", list(WIDTHS))
def test_a_frame_shows_its_code_and_turns_when_the_phone_has_paid(place: Place, mode: str) -> None:
    frame = framed(place, f"f-{mode}", mode)
    assert may_be_framed(frame)
    shown = Page(frame)
    assert shown.one("img")["width"] == WIDTHS[mode]
    assert not [tag for tag, _ in shown.tags if tag == "form"]
    assert ("88.88</p>" in frame.text) == (mode in "01")
    assert place.emulator.trade(f"f-{mode}").status is TradeStatus.WAIT_BUYER_PAY

    code = shown.one("a", id="code")["href"]
    scan = {"text": code}
    phone = place.http.post("/wallet/scan", data=scan, follow_redirects=True)
    done = pay(place, phone)
    assert "return-link" not in done.text  # it is the frame that leads back to the shop

    place.emulator.settle()
    assert place.shop.received[-1].text()["trade_status"] == "TRADE_SUCCESS"
    state = shown.one("body")["data-state"]
    assert place.http.get(state).json() == {"status": "TRADE_SUCCESS"}
    turned = place.http.get(frame.url)
    assert may_be_framed(turned)
    leads = Page(turned).one("meta", **{"http-equiv": "refresh"})["content"]
    assert leads.startswith("3;url=http://shop.test/back?")
    assert "<img" not in turned.text


def test_mode_2_is_the_cashier_and_whole(place: Place) -> None:
    page = framed(place, "f-2", "2")
    assert may_be_framed(page)
    done = pay(place, page)
    assert may_be_framed(done)
    assert "return-link" in done.text


def test_a_phone_may_mistype_and_leave(place: Place) -> None:
    code = Page(framed(place, "f-5", "4")).one("a", id="code")["href"]
    phone = place.http.get(code, follow_redirects=True)
    again = pay(place, phone, password="000000")
    assert Page(again).one("input", id="password")["aria-invalid"] == "true"
    leave = next(a["href"] for t, a in Page(again).tags if t == "a" and "/left" in a["href"])
    left = place.http.get(leave)
    back = next(a["href"] for t, a in Page(left).tags if t == "a" and "/phone" in a["href"])
    pay(place, place.http.get(back))
    assert place.emulator.trade("f-5").status is TradeStatus.TRADE_SUCCESS


def test_a_frame_that_is_too_late_says_so(place: Place) -> None:
    frame = framed(place, "f-6", "0")
    place.merchant.call("alipay.trade.close", {"out_trade_no": "f-6"})
    late = place.http.get(frame.url)
    assert may_be_framed(late)
    assert "ACQ.TRADE_HAS_CLOSE" in late.content.decode("gbk")


def test_what_nobody_asked_to_embed_refuses_frames(place: Place) -> None:
    page = place.merchant.open_page("f-7")
    assert not may_be_framed(page)
    for path in ("/", "/wallet"):
        assert not may_be_framed(place.http.get(path))
    assert "PAGE_NOT_FOUND" in place.http.get(f"{page.url.path}/phone").content.decode("gbk")
