"""The V3 gateway: signed headers, bare answers, errors without prefixes."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

from emulator.place import Place
from emulator.test_gateway import aes, unaes

PATH = "/v3/alipay/trade/query"


def call(
    place: Place,
    body: bytes | dict[str, Any],
    path: str = PATH,
    *,
    token: str = "",
    claims: str = "",
    verb: str = "POST",
    **headers: str,
) -> httpx2.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    millis = int(place.clock.now().timestamp() * 1000)
    auth = claims or f"app_id={place.merchant.app_id},nonce=n-1,timestamp={millis}"
    lines = [auth.encode(), verb.encode(), path.encode(), content] + [token.encode()] * bool(token)
    signature = place.merchant.sign(b"".join(line + b"\n" for line in lines))
    sent = {"Authorization": f"ALIPAY-SHA256withRSA {auth},sign={signature}"} | headers
    if token:
        sent["alipay-app-auth-token"] = token
    return place.http.request(verb, path, content=content, headers=sent)


def is_signed(place: Place, answer: httpx2.Response) -> bool:
    headers = answer.headers
    stamp = f"{headers['alipay-timestamp']}\n{headers['alipay-nonce']}\n".encode()
    return place.merchant.alipay_signed(stamp + answer.content + b"\n", headers["alipay-signature"])


def test_a_success_is_the_bare_object_signed_in_its_headers(place: Place) -> None:
    place.merchant.open_page("v-1")
    answer = call(place, {"out_trade_no": "v-1"})
    assert answer.status_code == 200
    assert answer.json()["trade_status"] == "WAIT_BUYER_PAY"
    assert "code" not in answer.json()
    assert is_signed(place, answer)
    assert answer.headers["alipay-trace-id"]


def test_a_business_error_keeps_its_prefix_and_a_gateway_error_loses_it(place: Place) -> None:
    answer = call(place, {"out_trade_no": "none"})
    assert answer.status_code == 400
    assert answer.json()["code"] == "ACQ.TRADE_NOT_EXIST"
    assert answer.json()["links"][0]["desc"] == "解决方案"
    unknown = call(place, {}, claims="app_id=1,nonce=n,timestamp=1700000000000")
    assert (unknown.status_code, unknown.json()["code"]) == (401, "invalid-app-id")


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "missing-signature"),
        ("Bearer x", "invalid-signature-type"),
        ("ALIPAY-SHA256withRSA app_id=1", "missing-signature"),
        ("ALIPAY-SHA256withRSA nonce=1,sign=AAAA", "missing-app-id"),
        ("ALIPAY-SHA256withRSA app_id={app},nonce=1,sign=AAAA", "missing-timestamp"),
        ("ALIPAY-SHA256withRSA app_id={app},timestamp=now,sign=AAAA", "invalid-timestamp"),
        (
            "ALIPAY-SHA256withRSA app_id={app},timestamp=1700000000000,sign=AAAA",
            "invalid-signature",
        ),
        (
            "ALIPAY-SHA256withRSA app_id={app},app_cert_sn=0,timestamp=1700000000000,sign=A",
            "app-cert-not-exist",
        ),
    ],
)
def test_a_bad_authorization_has_its_code(place: Place, header: str, code: str) -> None:
    headers = {"Authorization": header.format(app=place.merchant.app_id)} if header else {}
    answer = place.http.post(PATH, content=b"{}", headers=headers)
    assert answer.status_code in (400, 401)
    assert answer.json()["code"] == code


def test_the_whole_life_of_a_trade(place: Place) -> None:
    terms = {
        "out_trade_no": "v-2",
        "total_amount": "9.00",
        "subject": "x",
        "notify_url": place.shop.notify_url,
    }
    code = call(place, terms, "/v3/alipay/trade/precreate").json()["qr_code"]
    place.http.get(code, follow_redirects=True)
    place.emulator.pay("v-2")
    assert place.shop.received[0].text()["trade_status"] == "TRADE_SUCCESS"
    refund = {"out_trade_no": "v-2", "refund_amount": "1.00", "out_request_no": "r"}
    assert call(place, refund, "/v3/alipay/trade/refund").json()["fund_change"] == "Y"
    asked = call(place, refund, "/v3/alipay/trade/fastpay/refund/query").json()
    assert asked["refund_status"] == "REFUND_SUCCESS"
    assert call(place, terms, "/v3/alipay/trade/cancel").json()["action"] == "refund"
    assert (
        call(place, terms, "/v3/alipay/trade/close").json()["code"]
        == "ACQ.REASON_TRADE_STATUS_INVALID"
    )


def test_certificate_mode_names_alipays_certificate(place: Place) -> None:
    identities = place.emulator.desk.identities
    millis = int(place.clock.now().timestamp() * 1000)
    claims = f"app_id={place.merchant.app_id},app_cert_sn={identities.app().certificate_sn},nonce=n,timestamp={millis}"
    root = {"alipay-root-cert-sn": identities.authority.root_sn}
    answer = call(place, {"out_trade_no": "1"}, claims=claims, **root)
    assert answer.headers["alipay-sn"] == identities.authority.certificate_sn
    assert is_signed(place, answer)
    assert call(place, {}, claims=claims).json()["code"] == "missing-alipay-root-cert-sn"


def test_encrypted_bodies_are_answered_encrypted(place: Place) -> None:
    place.merchant.open_page("v-3")
    key = place.merchant.credentials["encrypt_key"]
    cipher = aes(key, b'{"out_trade_no":"v-3"}').encode()
    answer = call(place, cipher, **{"alipay-encrypt-type": "AES", "Content-Type": "text/plain"})
    assert is_signed(place, answer)
    assert json.loads(unaes(key, answer.text))["out_trade_no"] == "v-3"


def test_the_token_is_signed_and_names_the_merchant(place: Place) -> None:
    place.merchant.open_page("v-4")
    other = place.emulator.desk.identities.app("isv-merchant")
    answer = call(place, {"out_trade_no": "v-4"}, token=other.app_auth_token)
    assert answer.json()["code"] == "ACQ.TRADE_NOT_EXIST"
    answer = call(place, {"out_trade_no": "v-4"}, token="nobody")
    assert (answer.status_code, answer.json()["code"]) == (403, "invalid-app-auth-token")


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("GET", PATH),
        ("POST", "/v3/alipay/nothing"),
        ("POST", "/v3/alipay/fund/trans/refund"),
        ("DELETE", "/v3/x"),
    ],
)
def test_other_paths_and_verbs_are_no_methods(place: Place, verb: str, path: str) -> None:
    answer = call(place, b"" if verb == "GET" else {}, path, verb=verb)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-method")


def test_faults_strike_v3_as_well(place: Place) -> None:
    place.merchant.open_page("v-5")
    place.emulator.set_fault("gateway_20000", times=1)
    answer = call(place, {"out_trade_no": "v-5"})
    assert (answer.status_code, answer.json()["code"]) == (500, "unknow-error")
    place.emulator.set_fault("gateway_unsigned", times=1)
    assert "alipay-signature" not in call(place, {"out_trade_no": "v-5"}).headers
    place.emulator.set_fault("gateway_bad_signature", times=1)
    assert not is_signed(place, call(place, {"out_trade_no": "v-5"}))
