"""V3 against a gateway that signs its own way, through both clients."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from alipay.fakes import (
    APP_ID,
    ENCRYPT_KEY,
    OTHER_KEY,
    Authority,
    Gateway,
    answering,
    compact,
    credentials,
    envelope,
    gateway_parameters,
    is_signed,
    rest_headers,
)
from alipay.shells import Caller
from alipay.test_gateway import decrypted, encrypted, raising
from daozhang.alipay import File, OutcomeUnknown, Rejected, TradeQuery
from daozhang.alipay.certificates import cert_sn
from daozhang.clock import ManualClock
from daozhang.money import Money

QUERY = TradeQuery(out_trade_no="T1")
PAID = compact({"out_trade_no": "T1", "trade_status": "TRADE_SUCCESS", "total_amount": "88.88"})
NOW = datetime(2024, 6, 7, 10, 41, 51, 579000, tzinfo=UTC)


def signed(body: bytes, status: int = 200, **options: Any) -> Gateway:
    return answering(body, status, rest_headers(body, **options))


def authorized(request: httpx2.Request, body: bytes, token: str | None = None) -> dict[str, str]:
    """What the Authorization header says, once its signature over the request is proven."""
    scheme, _, rest = request.headers["authorization"].partition(" ")
    assert scheme == "ALIPAY-SHA256withRSA"
    parties, sign = rest.rsplit(",sign=", 1)
    uri = request.url.raw_path
    lines = [parties.encode(), request.method.encode(), uri, body] + (
        [token.encode()] if token else []
    )
    assert is_signed(b"".join(line + b"\n" for line in lines), sign)
    return dict(part.split("=", 1) for part in parties.split(","))


def test_a_verified_yes_and_its_request(caller: Caller):
    gateway = signed(PAID)
    result = caller.call(
        credentials(), gateway, QUERY, protocol="v3", clock=ManualClock(NOW), app_auth_token="tok"
    )
    assert (result.total_amount, result.trace_id) == (Money(8888), "trace-3")
    (request,) = gateway.requests
    assert (request.method, request.url.raw_path) == ("POST", b"/v3/alipay/trade/query")
    assert request.content == b'{"out_trade_no":"T1"}'
    said = authorized(request, request.content, "tok")
    assert (said["app_id"], said["timestamp"]) == (APP_ID, "1717756911579")
    assert re.fullmatch("[0-9a-f]{32}", said["nonce"])
    assert request.headers["alipay-app-auth-token"] == "tok"
    assert request.headers["content-type"] == "application/json"
    assert re.fullmatch("[0-9a-f]{32}", request.headers["alipay-request-id"])


def test_nonces_differ(caller: Caller):
    gateway = signed(PAID)
    for _ in range(2):
        caller.call(credentials(), gateway, QUERY, protocol="v3", clock=ManualClock(NOW))
    first, second = (authorized(one, one.content)["nonce"] for one in gateway.requests)
    assert first != second


def test_notify_url_becomes_a_field(caller: Caller):
    gateway = signed(b'{"qr_code":"q"}')
    caller.call_method(
        credentials(),
        gateway,
        "alipay.trade.precreate",
        {"out_trade_no": "T1"},
        protocol="v3",
        notify_url="https://shop.example/n",
    )
    assert json.loads(gateway.requests[0].content) == {
        "out_trade_no": "T1",
        "notify_url": "https://shop.example/n",
    }


def test_a_get_signs_its_query_as_sent(caller: Caller):
    gateway = signed(b'{"bill_download_url":"u"}')
    caller.call_method(
        credentials(),
        gateway,
        "alipay.data.dataservice.bill.downloadurl.query",
        {"bill_type": "测 试", "bill_date": "2026-11-20"},
        protocol="v3",
    )
    (request,) = gateway.requests
    assert request.method == "GET"
    assert request.url.query == b"bill_type=%E6%B5%8B+%E8%AF%95&bill_date=2026-11-20"
    authorized(request, b"")


def test_a_place_in_the_path(caller: Caller):
    gateway = signed(b'{"status":"x"}')
    method = "alipay.merchant.tradecomplain.query"
    caller.call_method(credentials(), gateway, method, {"complain_event_id": "a/b"}, protocol="v3")
    assert gateway.requests[0].url.raw_path == b"/v3/alipay/merchant/tradecomplain/a%2Fb"
    with pytest.raises(ValueError, match="complain_event_id"):
        caller.call_method(credentials(), gateway, method, {}, protocol="v3")


def test_what_v3_does_not_have(caller: Caller):
    gateway = signed(PAID)
    with pytest.raises(ValueError, match="V2 only"):
        caller.call_method(
            credentials(), gateway, "alipay.trade.order.onsettle.query", protocol="v3"
        )
    with pytest.raises(ValueError, match="RSA2 only"):
        caller.call(credentials(sign_type="RSA"), gateway, QUERY, protocol="v3")
    assert not gateway.requests


TAMPERED = answering(PAID.replace(b"88.88", b"08.88"), 200, rest_headers(PAID))
UNKNOWN: list[tuple[str, Callable[[], Gateway], str]] = [
    ("refused", lambda: raising(httpx2.ConnectError), "connect"),
    ("timeout", lambda: raising(httpx2.ReadTimeout), "timeout"),
    ("reset", lambda: raising(httpx2.ReadError), "network"),
    ("500 json", lambda: signed(b'{"code":"SYSTEM_ERROR","message":"x"}', 500), "status"),
    ("502 html", lambda: answering(b"<html>", 502), "status"),
    ("redirect", lambda: answering(b"", 307, {"location": "https://evil.example"}), "status"),
    ("404 html", lambda: answering(b"<html>", 404), "malformed"),
    ("400 without code", lambda: answering(b'{"message":"x"}', 400), "malformed"),
    ("unsigned yes", lambda: answering(PAID), "unsigned"),
    ("null sign", lambda: answering(PAID, 200, {"alipay-signature": "null"}), "unsigned"),
    ("wrong key", lambda: signed(PAID, key=OTHER_KEY), "signature"),
    ("tampered", lambda: TAMPERED, "signature"),
    (
        "no timestamp",
        lambda: answering(PAID, 200, {"alipay-signature": rest_headers(PAID)["alipay-signature"]}),
        "signature",
    ),
    ("signed html", lambda: signed(b"<html>"), "malformed"),
    ("truncated", lambda: signed(PAID[:-5]), "malformed"),
    ("twice", lambda: signed(b'{"out_trade_no":"T1","out_trade_no":"T1"}'), "malformed"),
    ("another trade", lambda: signed(PAID.replace(b"T1", b"T2")), "malformed"),
    ("cipher without key", lambda: signed(b"YWJj"), "malformed"),
    (
        "error signed wrongly",
        lambda: signed(b'{"code":"ACQ.TRADE_NOT_EXIST"}', 400, key=OTHER_KEY),
        "signature",
    ),
    *[
        (code, lambda code=code: signed(compact({"code": code}), 400), "system")
        for code in ("ACQ.SYSTEM_ERROR", "unknow-error", "SYSTEM_ERROR", "invalid-response-data")
    ],
]


@pytest.mark.parametrize(
    ("make", "cause"),
    [(make, cause) for _, make, cause in UNKNOWN],
    ids=[row[0] for row in UNKNOWN],
)
def test_what_nobody_knows(caller: Caller, make: Callable[[], Gateway], cause: str):
    gateway = make()
    before = len(gateway.requests)
    with pytest.raises(OutcomeUnknown) as unknown:
        caller.call(credentials(), gateway, QUERY, protocol="v3")
    assert unknown.value.cause == cause
    assert len(gateway.requests) == before + 1, "nothing is repeated"


@pytest.mark.parametrize("how", ["signed", "unsigned", "null", "gbk"])
def test_a_no(caller: Caller, how: str):
    text = json.dumps(
        {"code": "ACQ.TRADE_NOT_EXIST", "message": "交易不存在", "links": []}, ensure_ascii=False
    )
    body = text.encode("gbk" if how == "gbk" else "utf-8")
    headers = {
        "signed": rest_headers(body),
        "unsigned": {"alipay-trace-id": "trace-3"},
        "null": {"alipay-signature": "null", "alipay-trace-id": "trace-3"},
        "gbk": rest_headers(body),
    }[how]
    with pytest.raises(Rejected) as rejected:
        caller.call(credentials(), answering(body, 400, headers), QUERY, protocol="v3")
    error = rejected.value
    assert (error.code, error.sub_code) == ("400", "ACQ.TRADE_NOT_EXIST")
    assert (error.message, error.trace_id) == ("交易不存在", "trace-3")


def test_a_gateway_code_without_its_prefix_has_its_hint(caller: Caller):
    with pytest.raises(Rejected) as rejected:
        caller.call(
            credentials(), answering(b'{"code":"invalid-app-id"}', 400), QUERY, protocol="v3"
        )
    assert "app id" in (rejected.value.hint or "")


def test_an_empty_signed_yes(caller: Caller):
    fields = caller.call_method(
        credentials(), signed(b"", 204), "alipay.trade.query", {}, protocol="v3"
    )
    assert fields == {}


def test_encrypted_both_ways(caller: Caller):
    gateway = signed(encrypted(PAID).encode())
    own = credentials(encrypt_key=ENCRYPT_KEY)
    assert caller.call(own, gateway, QUERY, protocol="v3").total_amount == Money(8888)
    (request,) = gateway.requests
    authorized(request, request.content)
    assert json.loads(decrypted(request.content.decode())) == {"out_trade_no": "T1"}
    assert request.headers["content-type"] == "text/plain"
    assert request.headers["alipay-encrypt-type"] == "AES"


def test_a_plain_error_and_a_broken_cipher_to_an_encrypted_request(caller: Caller):
    own = credentials(encrypt_key=ENCRYPT_KEY)
    with pytest.raises(Rejected):
        caller.call(own, signed(b'{"code":"invalid-encrypt"}', 400), QUERY, protocol="v3")
    with pytest.raises(OutcomeUnknown) as unknown:
        caller.call(own, signed(b"YWJj"), QUERY, protocol="v3")
    assert unknown.value.cause == "decryption"


def test_an_encrypted_get_has_its_header_and_no_body(caller: Caller):
    gateway = signed(encrypted(b'{"bill_download_url":"u"}').encode())
    fields = caller.call_method(
        credentials(encrypt_key=ENCRYPT_KEY),
        gateway,
        "alipay.data.dataservice.bill.downloadurl.query",
        {"bill_type": "trade"},
        protocol="v3",
    )
    assert fields == {"bill_download_url": "u"}
    assert gateway.requests[0].content == b""
    assert gateway.requests[0].headers["alipay-encrypt-type"] == "AES"


def test_an_upload_signs_its_data_part(caller: Caller):
    gateway = signed(b'{"complain_event_id":"1"}')
    caller.call_method(
        credentials(encrypt_key=ENCRYPT_KEY),
        gateway,
        "alipay.merchant.tradecomplain.feedback.submit",
        {"complain_event_id": "1", "feedback_content": "好"},
        files={"feedback_images": File("a.png", b"\x89PNG", "image/png")},
        protocol="v3",
    )
    (request,) = gateway.requests
    data = '{"complain_event_id":"1","feedback_content":"好"}'.encode()
    authorized(request, data)
    assert b'name="data"\r\nContent-Type: application/json\r\n\r\n' + data in request.content
    assert b'name="feedback_images"; filename="a.png"\r\nContent-Type: image/png' in request.content
    assert "alipay-encrypt-type" not in request.headers


def test_certificate_mode(caller: Caller):
    authority = Authority()
    own = credentials(alipay_public_key=None, certificates=authority.certificates())
    new = authority.certificate(OTHER_KEY, "alipay new")
    sn = cert_sn(new)

    def respond(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/gateway.do":
            parameters = gateway_parameters(request)
            assert parameters["method"] == "alipay.open.app.alipaycert.download"
            content = base64.b64encode(new).decode()
            node = compact({"code": "10000", "alipay_cert_content": content})
            root = "alipay_open_app_alipaycert_download_response"
            return httpx2.Response(200, content=envelope(node, root=root))
        headers = rest_headers(PAID, key=OTHER_KEY, sn=sn)
        return httpx2.Response(200, content=PAID, headers=headers)

    gateway = Gateway(respond)
    assert caller.call(own, gateway, QUERY, protocol="v3").out_trade_no == "T1"
    first = gateway.requests[0]
    assert own.certificates is not None
    assert authorized(first, first.content)["app_cert_sn"] == own.certificates.app_cert_sn
    assert first.headers["alipay-root-cert-sn"] == own.certificates.alipay_root_cert_sn
    assert len(gateway.requests) == 2


def test_certificate_mode_without_a_serial(caller: Caller):
    own = credentials(alipay_public_key=None, certificates=Authority().certificates())
    with pytest.raises(OutcomeUnknown) as unknown:
        caller.call(own, signed(PAID), QUERY, protocol="v3")
    assert unknown.value.cause == "certificate"
