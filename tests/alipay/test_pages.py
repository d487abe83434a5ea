"""Addresses, forms and order strings: what the buyer's browser would send is signed."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alipay.fakes import ENCRYPT_KEY, checked, credentials, form
from daozhang.alipay import Alipay, Call, TradeAppPay, TradePagePay, TradeWapPay
from daozhang.money import Money

ADDRESSES = {
    "notify_url": "https://shop.example/n?a=1&b=%20",
    "return_url": "https://shop.example/r?x=<>\"'",
}
texts = st.text(
    alphabet=st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=30
).filter(str.strip)


def page(subject: str, kind: Any = TradePagePay) -> Any:
    return kind(out_trade_no="T1", total_amount=Money(8888), subject=subject)


class Form(HTMLParser):
    """What a browser makes of the form: its address and its fields."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.action = ""
        self.fields: dict[str, str] = {}
        self.tags: list[str] = []
        self.nonce: str | None = None
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        if tag == "form":
            assert values["method"] == "post"
            self.action = values["action"]
        elif tag == "input":
            assert values["type"] == "hidden"
            self.fields[values["name"]] = values["value"]
        elif tag == "script":
            self.nonce = values.get("nonce")


@given(subject=texts)
def test_the_address_is_signed_whatever_the_subject(subject: str):
    address = Alipay(credentials()).page_url(page(subject), **ADDRESSES)
    parts = urlsplit(address)
    assert (parts.scheme, parts.path, parts.fragment) == ("https", "/gateway.do", "")
    parameters = checked(form(parts.query))
    assert {name: parameters[name] for name in ADDRESSES} == ADDRESSES
    assert json.loads(parameters["biz_content"]) == {
        "out_trade_no": "T1",
        "total_amount": "88.88",
        "subject": subject,
        "product_code": "FAST_INSTANT_TRADE_PAY",
    }


@given(subject=texts)
def test_the_form_is_what_was_signed_whatever_the_subject(subject: str):
    html = Alipay(credentials()).page_form(page(subject), **ADDRESSES, script_nonce='n"1')
    read = Form(html)
    assert read.tags == ["form", "input", "button", "script"]
    assert read.nonce == 'n"1'
    parameters = checked(form(urlsplit(read.action).query) | read.fields)
    assert json.loads(parameters["biz_content"])["subject"] == subject


@pytest.mark.parametrize("subject", ['"><script>alert(1)</script>', "&quot;&amp;&lt;", "'\n"])
def test_nothing_in_a_subject_leaves_its_attribute(subject: str):
    html = Alipay(credentials()).page_form(page(subject))
    assert html.count("<script") == 1
    assert json.loads(Form(html).fields["biz_content"])["subject"] == subject


def test_wap_has_its_own_method_and_product():
    address = Alipay(credentials()).page_url(page("茶", TradeWapPay))
    parameters = checked(form(urlsplit(address).query))
    assert parameters["method"] == "alipay.trade.wap.pay"
    assert json.loads(parameters["biz_content"])["product_code"] == "QUICK_WAP_WAY"


@given(subject=texts)
def test_the_order_string_is_signed_and_has_no_plus(subject: str):
    operation = page(subject, TradeAppPay)
    text = Alipay(credentials()).order_string(operation, notify_url=ADDRESSES["notify_url"])
    assert "+" not in text
    pairs = dict(part.split("=", 1) for part in text.split("&"))
    parameters = checked({name: unquote(value) for name, value in pairs.items()})
    assert json.loads(parameters["biz_content"])["subject"] == subject
    assert "return_url" not in parameters


def test_pages_are_v2_in_plain_text_whatever_the_client():
    own = credentials(encrypt_key=ENCRYPT_KEY, app_auth_token="token")
    address = Alipay(own, protocol="v3").page_url(page("茶"))
    parameters = checked(form(urlsplit(address).query))
    assert json.loads(parameters["biz_content"])["subject"] == "茶"
    assert "encrypt_type" not in parameters
    assert parameters["app_auth_token"] == "token"


def test_gbk_pages():
    own = credentials(charset="gbk")
    address = Alipay(own).page_url(page("茶 €𠮷"))
    parameters = checked(form(urlsplit(address).query), "gbk")
    assert json.loads(parameters["biz_content"])["subject"] == "茶 €𠮷"
    assert 'accept-charset="gbk"' in Alipay(own).page_form(page("茶"))


def test_any_page_method_by_name():
    address = Alipay(credentials()).page_url(
        Call("alipay.trade.page.refund", {"out_trade_no": "T1", "refund_amount": Money(1)})
    )
    parameters = checked(form(urlsplit(address).query))
    assert json.loads(parameters["biz_content"]) == {"out_trade_no": "T1", "refund_amount": "0.01"}
