"""The wallet as a page: a person shows a code, answers what the phone is asked, and scans."""

from __future__ import annotations

import re

import pytest

from emulator.place import Place
from emulator.test_barcode import charge
from emulator.test_holds import VOUCHER, ask, freeze, terms


def show(place: Place, **how: str) -> str:
    """The code that the page shows."""
    page = place.http.post("/wallet/code?lang=en", data=how, follow_redirects=True)
    assert page.status_code == 200
    assert "seconds left" in page.text
    assert "data:image/png" in page.text
    found = re.search(r'id="code">(.*?)</p>', page.text)
    assert found is not None
    return re.sub(r"<.*?>", "", found[1])


def answer(place: Place, kind: str, number: str, agree: str) -> str:
    form = {"kind": kind, "number": number, "agree": agree}
    return place.http.post("/wallet/answer?lang=zh", data=form, follow_redirects=True).text


def test_a_code_that_is_shown_pays_once(place: Place) -> None:
    code = show(place, behaviour="pays", channel="huabei")
    paid = charge(place, "w-1", code)
    assert (paid["code"], paid["fund_bill_list"][0]["fund_channel"]) == ("10000", "PCREDIT")
    assert code[:4] not in place.http.get(f"/wallet?code={code}").text
    assert show(place, behaviour="pays", face="yes").startswith("fp")


@pytest.mark.parametrize(("agree", "status"), [("yes", "TRADE_SUCCESS"), ("no", "WAIT_BUYER_PAY")])
def test_the_phone_is_asked_and_its_owner_answers(place: Place, agree: str, status: str) -> None:
    assert charge(place, "w-2", show(place, behaviour="asks"))["code"] == "10003"
    page = place.http.get("/wallet?lang=zh").text
    assert "请确认付款" in page
    assert "w-2" in page
    assert "请确认付款" not in answer(place, "trade", "w-2", agree)
    assert place.emulator.trade("w-2").status.value == status
    assert "交易状态不合法" in answer(place, "trade", "w-2", "yes")


def test_a_freeze_is_confirmed_on_the_phone(place: Place) -> None:
    freeze(place, "w-3", "asks")
    assert "请确认冻结" in place.http.get("/wallet?lang=zh").text
    assert "请确认冻结" not in answer(place, "hold", "w-3", "yes")
    assert place.emulator.holds[0].status.value == "AUTHORIZED"


def test_a_code_of_this_emulator_is_opened_and_no_other_address(place: Place) -> None:
    made = ask(place, VOUCHER, terms("w-4"))["code_value"]
    page = place.http.post("/wallet/scan", data={"text": made}, follow_redirects=True)
    assert "w-4" in page.text
    for elsewhere in ("https://evil.example/qr/abc", "//evil.example", "/_control/reset", ""):
        led = place.http.post("/wallet/scan", data={"text": elsewhere})
        assert led.headers["location"].startswith("/wallet?")


def test_a_browser_that_sends_the_wallets_own_form_is_let_in(place: Place) -> None:
    """A browser names its origin with a form, unless the page forbids it to: then it says ``null``."""
    assert place.http.get("/wallet").headers["referrer-policy"] == "same-origin"
    own = {"Origin": str(place.http.base_url).rstrip("/")}
    made = place.http.post("/wallet/code", headers=own)
    assert made.headers["location"].startswith("/wallet?")
    assert "FORBIDDEN" in place.http.post("/wallet/code", headers={"Origin": "null"}).text


def test_the_wallet_is_for_this_machine(place: Place) -> None:
    for path in ("code", "answer", "scan"):
        refused = place.http.post(f"/wallet/{path}", headers={"Origin": "https://evil.example"})
        assert "FORBIDDEN" in refused.text
    named = place.http.get("/wallet", headers={"Host": "evil.example"})
    assert "FORBIDDEN" in named.text
    wrong = place.http.post("/wallet/code", data={"behaviour": "steals"})
    assert "INVALID_FORM" in wrong.text
