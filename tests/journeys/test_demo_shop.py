"""The demo's shop, as a newcomer tries it: every way to pay to its end."""

from __future__ import annotations

from collections.abc import Generator

import httpx2
import pytest

from daozhang.demo.browser import Page
from demo_shop import DemoShop, open_shop
from streams import streaming

PASSWORD = "888888"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Generator[DemoShop]:
    with open_shop(tmp_path_factory.mktemp("demo")) as open_:
        yield open_


def shows(page: Page, words: str) -> bool:
    """Whether the page shows ``words`` now: what waits for an event is hidden."""
    before, found, _ = page.text.partition(words)
    return bool(found) and " hidden>" not in before[before.rfind("<div") :]


def pay_at_cashier(shop: DemoShop, cashier: Page) -> Page:
    """The page after the right password."""
    return shop.press(cashier, "/pay?lang=zh", password=PASSWORD)


def chinese(address: str) -> str:
    return f"{address}{'&' if '?' in address else '?'}lang=zh"


def test_the_first_page_leads_to_every_way(shop: DemoShop) -> None:
    doors = {link.removeprefix(shop.address) for link in shop.open("/").links}
    ways = {"/web", "/embedded", "/wap", "/app", "/mini", "/till", "/hold", "/membership"}
    assert ways <= doors
    for way in ways:
        page = shop.open(way)
        assert page.status == 200
        assert page.forms
        assert "商店调用的接口" in page.text
    for name, kind in (("shop.css", "text/css"), ("shop.js", "text/javascript")):
        assert shop.http.get(f"/static/{name}").headers["content-type"].startswith(kind)
    for nothing in ("/static/../api.py", "/static/", "/nothing", "/web/1/2/3"):
        assert shop.http.get(nothing).status_code == 404
    assert shop.http.get("/web/none").status_code == 409


def test_on_a_web_page(shop: DemoShop) -> None:
    order = shop.press(shop.open("/web"), "/web")
    assert shows(order, "等待付款")
    cashier = shop.open(shop.open(order.ids["pay"]["href"]).url + "?lang=zh")
    pay_at_cashier(shop, cashier)
    shop.world.settle()
    assert shows(shop.open(order.url), "到账")


@pytest.mark.parametrize("mode", ["0", "1", "2", "3", "4"])
def test_in_the_shops_own_page_which_is_told_by_events(shop: DemoShop, mode: str) -> None:
    page = shop.press(shop.open("/embedded"), "/embedded", mode=mode)
    frame = page.text.partition("<iframe src=")[2].partition(">")[0]
    size = {"0": (600, 300), "1": (300, 600), "3": (75, 75), "4": (220, 220)}.get(mode, (960, 860))
    assert f"width={size[0]} height={size[1]}" in frame

    inside = shop.open(frame.split('"')[1])
    assert inside.url.startswith(shop.world.emulator.base_url)
    policy = httpx2.get(inside.url, trust_env=False, verify=False).headers[
        "content-security-policy"
    ]
    assert "frame-ancestors" not in policy
    phone = inside if mode == "2" else shop.open(inside.ids["code"]["href"])
    with streaming(shop.watch(page), headers={"Origin": shop.address}) as stream:
        assert stream.event()["data"]["status"] in ("created", "waiting")
        done = shop.press(shop.open(phone.url + "?lang=zh"), "/pay?lang=zh", password=PASSWORD)
        assert "付款成功" in done.text
        shop.world.settle()
        told = stream.event()
    assert (told["type"], told["data"]["status"]) == ("order.paid", "paid")
    script = shop.http.get("/static/shop.js").text
    assert '"order.paid"' in script
    assert "<iframe" not in shop.open(page.url).text


def test_the_page_of_the_shop_may_listen_and_no_other(shop: DemoShop) -> None:
    page = shop.press(shop.open("/embedded"), "/embedded", mode="4")
    for origin, allowed in ((shop.address, shop.address), ("https://evil.example", None)):
        with httpx2.stream(
            "GET", shop.watch(page), headers={"Origin": origin}, trust_env=False, verify=False
        ) as answer:
            assert answer.headers.get("access-control-allow-origin") == allowed


def test_in_a_phones_browser_where_a_buyer_gives_up_and_pays(shop: DemoShop) -> None:
    order = shop.press(shop.open("/wap"), "/wap")
    cashier = shop.open(order.ids["pay"]["href"])
    left = shop.open(next(link for link in cashier.links if "/left" in link))
    back = shop.open(next(link for link in left.links if link.endswith("/quit")))
    assert "您离开了支付宝" in back.text
    assert shows(back, "等待付款")
    cashier = shop.open(shop.open(back.ids["pay"]["href"]).url + "?lang=zh")
    pay_at_cashier(shop, cashier)
    shop.world.settle()
    assert shows(shop.open(order.url), "到账")


@pytest.mark.parametrize("way", ["app", "mini"])
def test_in_an_app_and_in_a_mini_program(shop: DemoShop, way: str) -> None:
    order = shop.press(shop.open(f"/{way}"), f"/{way}")
    number = shop.number(order)

    def on_the_sheet(page: Page, code: str) -> Page:
        sheet = shop.press(page, f"/{way}/{number}/pay")
        assert sheet.url.startswith(f"{shop.world.emulator.base_url}/sheet/")
        done = shop.http.post(sheet.forms[0].action, data={"code": code})
        return shop.open(Page(done).ids["return-link"]["href"])

    left = on_the_sheet(order, "6001")
    assert "<kbd>6001</kbd>" in left.text
    assert shows(left, "等待付款")
    paid = on_the_sheet(left, "9000")
    assert "<kbd>9000</kbd>" in paid.text
    assert ("支付宝签名有效" in paid.text) == (way == "app")
    assert 'class="said good" id=show' in paid.text
    assert shows(paid, "到账")


def test_an_app_that_lost_the_network_is_paid_all_the_same(shop: DemoShop) -> None:
    order = shop.press(shop.open("/app"), "/app")
    sheet = shop.press(order, "/pay")
    done = shop.http.post(sheet.forms[0].action, data={"code": "6002"})
    back = shop.open(Page(done).ids["return-link"]["href"])
    assert "支付宝签名有效" not in back.text
    assert shows(back, "到账")


def test_a_deposit_by_our_code_is_taken_in_part_and_let_go(shop: DemoShop) -> None:
    hold = shop.press(shop.open("/hold"), "/hold", way="qr")
    number = shop.number(hold)
    assert "等待买家确认冻结" in hold.text
    code = next(link for link in hold.links if link.startswith(shop.world.emulator.base_url + "/"))
    assert code in shop.open(hold.url).links  # looking again shows the same code
    asks = next(link for link in hold.links if "/freeze/" in link)
    shop.press(shop.open(asks + "?lang=zh"), "/agree?lang=zh")
    shop.world.settle()

    frozen = shop.open(hold.url)
    assert "¥500.00" in frozen.text
    shop.press(frozen, "/capture", amount="120.00")
    shop.world.settle()
    taken = shop.open(hold.url)
    assert "¥120.00" in taken.text
    assert "¥380.00" in taken.text
    for came_from, back in ((taken.url, taken.url), ("https://evil.example/", f"{shop.address}/")):
        too_much = shop.http.post(
            f"{hold.url}/capture", data={"amount": "900.00"}, headers={"Referer": came_from}
        )
        assert too_much.status_code == 409
        assert back in Page(too_much).links

    shop.press(taken, "/release")  # all that remains, as the field says
    shop.world.settle()
    settled = shop.open(hold.url)
    assert "已结清" in settled.text
    assert str(shop.world.emulator.holds[-1].rest) == "0.00"
    assert shop.world.emulator.holds[-1].number == number


def test_a_deposit_by_the_buyers_code(shop: DemoShop) -> None:
    hold = shop.press(shop.open("/hold"), "/hold", way="barcode")
    code = shop.world.emulator.payment_code("asks")
    assert "等待买家确认冻结" in shop.press(hold, "/scan", auth_code=code).text
    shop.world.emulator.play_hold(shop.number(hold), "confirm")
    shop.world.settle()
    assert "仍冻结" in shop.open(hold.url).text


@pytest.mark.parametrize("kind", ["sign", "pay"])
def test_a_membership_is_signed_and_its_period_charged_once(shop: DemoShop, kind: str) -> None:
    today = shop.world.clock.now().date().isoformat()
    page = shop.press(shop.open("/membership"), "/membership", kind=kind, first_on=today)
    assert "等待买家签约" in page.text
    alipay = shop.open(shop.open(page.ids["sign"]["href"]).url + "?lang=zh")
    if kind == "sign":
        shop.press(alipay, "/agree?lang=zh")
    else:
        pay_at_cashier(shop, alipay)
    shop.world.settle()

    active = shop.open(page.url)
    assert f"扣款日 {today}" in active.text
    shop.press(active, "/charge")
    shop.world.settle()
    charged = shop.open(page.url)
    assert "已扣" in charged.text
    again = shop.press(charged, "/charge")
    assert again.status == 409
    assert 'class="state bad"' in again.text

    shop.press(charged, "/unsign")
    shop.world.settle()
    assert "不再扣款" in shop.open(page.url).text
