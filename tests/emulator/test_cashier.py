"""The cashier as a buyer's browser meets it."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest

from daozhang.emulator.ledger import TradeStatus
from emulator.place import Place


class Page(HTMLParser):
    """The parts of a page that a buyer acts on."""

    def __init__(self, answer: httpx2.Response) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.feed(answer.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def one(self, tag: str, **wanted: str) -> dict[str, str]:
        return next(a for t, a in self.tags if t == tag and wanted.items() <= a.items())


def pay(
    place: Place, page: httpx2.Response, password: str = "888888", channel: str = "balance"
) -> httpx2.Response:
    form = Page(page).one("form", id="pay")
    data = {"channel": channel, "password": password}
    return place.http.post(form["action"], data=data, follow_redirects=True)


def test_a_buyer_pays_and_is_led_back_with_a_signed_address(place: Place) -> None:
    page = place.merchant.open_page("k-1", return_url="http://shop.test/back?cart=7#top")
    assert "88.88" in page.text
    done = pay(place, page, channel="bank_card")
    address = Page(done).one("a", id="return-link")["href"]
    parts = urlsplit(address)
    assert (parts.netloc, parts.path, parts.fragment) == ("shop.test", "/back", "top")
    query = dict(parse_qsl(parts.query, strict_parsing=True))
    assert query.pop("cart") == "7"
    signature = query.pop("sign")
    assert set(query) == {
        "charset", "out_trade_no", "method", "total_amount", "trade_no", "auth_app_id", "version",
        "app_id", "sign_type", "seller_id", "timestamp",
    }  # fmt: skip
    del query["sign_type"]
    text = "&".join(f"{name}={query[name]}" for name in sorted(query))
    assert place.merchant.alipay_signed(text.encode(), signature)
    assert query["method"] == "alipay.trade.page.pay.return"
    assert place.emulator.trade("k-1").status is TradeStatus.TRADE_SUCCESS


def test_a_wrong_password_pays_nothing_and_may_be_mended(place: Place) -> None:
    page = place.merchant.open_page("k-2")
    again = pay(place, page, password="123456", channel="credit_card")
    assert Page(again).one("input", id="password")["aria-invalid"] == "true"
    assert "checked" in Page(again).one("input", value="credit_card")
    assert place.emulator.trade("k-2").status is TradeStatus.WAIT_BUYER_PAY
    pay(place, again)
    assert place.emulator.trade("k-2").status is TradeStatus.TRADE_SUCCESS


def test_walking_away_changes_nothing_and_leads_on(place: Place) -> None:
    page = place.merchant.open_page(
        "k-3", method="alipay.trade.wap.pay", quit_url="http://shop.test/quit"
    )
    leave = next(a["href"] for t, a in Page(page).tags if t == "a" and "/left" in a["href"])
    left = Page(place.http.get(leave))
    assert left.one("a", href="http://shop.test/quit")
    assert place.emulator.trade("k-3").status is TradeStatus.WAIT_BUYER_PAY


def test_a_paid_page_shows_success_when_it_is_opened_again(place: Place) -> None:
    page = place.merchant.open_page("k-4")
    place.emulator.pay("k-4")
    again = place.http.get(page.url, follow_redirects=True)
    assert again.url.path.endswith("/done")
    assert place.http.get(page.url.path + "/state").json() == {"status": "TRADE_SUCCESS"}


@pytest.mark.parametrize(("lang", "word"), [("zh", "确认付款"), ("en", "Leave without paying")])
def test_both_languages(place: Place, lang: str, word: str) -> None:
    page = place.merchant.open_page("k-5")
    assert word in place.http.get(f"{page.url.path}?lang={lang}").text


def test_no_page_lets_a_script_or_style_of_its_own_in(place: Place) -> None:
    """What is written into a page is escaped, and inline code would not run anyway."""
    page = place.merchant.open_page(
        "k-6", subject="<script>alert(1)<\\script>", body='"><img src=x onerror=x>'
    )
    done = pay(place, page)
    for answer in (page, done, place.http.get("/")):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        tags = Page(answer).tags
        assert all(a.get("src", "").startswith("/static/") for t, a in tags if t == "script")
        assert not [
            t for t, a in tags if t == "style" or "style" in a or any(n.startswith("on") for n in a)
        ]


@pytest.mark.parametrize(
    "form", [{"channel": "gold", "password": "888888"}, {"channel": "balance"}, {}]
)
def test_a_form_that_is_not_the_pages_own_pays_nothing(place: Place, form: dict[str, str]) -> None:
    page = place.merchant.open_page("k-7")
    answer = place.http.post(f"{page.url.path}/pay", data=form)
    assert answer.status_code in (200, 303)
    assert place.emulator.trade("k-7").status is TradeStatus.WAIT_BUYER_PAY


@pytest.mark.parametrize(
    "path", ["/cashier/none", "/qr/none", "/cashier/none/done", "/cashier/none/left"]
)
def test_unknown_pages_say_so(place: Place, path: str) -> None:
    assert "PAGE_NOT_FOUND" in place.http.get(path).content.decode("gbk")


def test_the_start_page_shows_trades_and_their_attempts(place: Place) -> None:
    place.merchant.open_page("k-8", notify_url=place.shop.notify_url)
    place.emulator.pay("k-8")
    text = place.http.get("/?lang=en").text
    assert "k-8" in text
    assert "acknowledged" in text
    assert "/gateway.do" in text
    stranger = place.http.get("/?lang=en", headers={"Host": "rebound.example"}).text
    assert "k-8" not in stranger
