"""The demo's till, as the person at the counter uses it: its pages, against the service and a phone."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from daozhang.demo.browser import Page
from demo_shop import DemoShop, open_shop

NOT_YET, PAID, OVER = "请勿交付商品", "可以交付商品", "未收款"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Generator[DemoShop]:
    with open_shop(tmp_path_factory.mktemp("till")) as open_:
        yield open_


def sale(shop: DemoShop, way: str, amount: str = "8.88") -> Page:
    """The page of a new sale."""
    page = shop.press(shop.open("/till"), "/till", amount=amount, way=way)
    assert page.status == 200
    assert f"¥</small>{amount}" in page.text
    return page


def test_a_scanned_code_pays_at_once(shop: DemoShop) -> None:
    shown = shop.press(sale(shop, "barcode"), "/scan", auth_code=shop.world.emulator.payment_code())
    assert PAID in shown.text
    assert NOT_YET not in shown.text
    assert "下一笔" in shown.text


def test_goods_stay_until_the_buyer_has_confirmed(shop: DemoShop) -> None:
    page = sale(shop, "barcode")
    code = shop.world.emulator.payment_code("asks")
    assert NOT_YET in shop.press(page, "/scan", auth_code=code).text
    shop.world.emulator.confirm(shop.number(page))
    shop.world.settle()
    assert PAID in shop.open(page.url).text


def test_what_is_no_payment_code_is_refused_in_words(shop: DemoShop) -> None:
    page = sale(shop, "barcode")
    shown = shop.press(page, "/scan", auth_code="6901234567892")
    assert "16 至 24 位数字" in shown.text
    assert PAID not in shown.text
    paid = shop.press(shown, "/scan", auth_code=shop.world.emulator.payment_code())
    assert PAID in paid.text


def test_a_sale_is_given_up(shop: DemoShop) -> None:
    page = sale(shop, "barcode")
    asked = shop.press(page, "/scan", auth_code=shop.world.emulator.payment_code("asks"))
    shop.press(asked, "/cancel")
    shop.world.advance(10)
    assert OVER in shop.open(page.url).text


def test_a_code_is_shown_and_its_payment_seen(shop: DemoShop) -> None:
    page = sale(shop, "qr")
    assert ".svg" in page.text
    assert NOT_YET in page.text
    code = next(link for link in page.links if "/qr/" in link)
    assert code in shop.open(page.url).links  # looking again shows the same code
    assert shop.open(code).status == 200
    shop.world.emulator.pay(shop.number(page))
    shop.world.settle()
    assert PAID in shop.open(page.url).text


def test_a_code_that_nobody_scanned_is_closed(shop: DemoShop) -> None:
    page = sale(shop, "qr")
    shop.press(page, "/cancel")
    shop.world.advance(10)
    assert PAID not in shop.open(page.url).text


def test_an_amount_that_is_none_is_refused_in_words(shop: DemoShop) -> None:
    shown = shop.press(shop.open("/till"), "/till", amount="abc", way="qr")
    assert shown.status == 409
    assert 'class="state bad"' in shown.text
