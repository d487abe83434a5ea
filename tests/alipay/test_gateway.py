"""V2 against a gateway that signs its own way: every answer there is, through both clients."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import padding as block_padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from alipay.fakes import (
    APP_ID,
    APP_KEY,
    ENCRYPT_KEY,
    OTHER_KEY,
    Gateway,
    answering,
    checked,
    compact,
    credentials,
    envelope,
    form,
    gateway_parameters,
    is_signed,
    signature,
)
from alipay.shells import Caller
from daozhang.alipay import (
    File,
    OutcomeUnknown,
    Rejected,
    TradePrecreate,
    TradeQuery,
    UnknownMethod,
)
from daozhang.clock import ManualClock
from daozhang.money import Money

QUERY = TradeQuery(out_trade_no="T1")
PAID = compact({"code": "10000", "msg": "Success", "out_trade_no": "T1", "total_amount": "88.88"})


def encrypted(text: bytes) -> str:
    """AES as protocol §4.1 describes it, spelled out here on its own."""
    padder = block_padding.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(bytes(range(16))), modes.CBC(bytes(16))).encryptor()
    whole = padder.update(text) + padder.finalize()
    return base64.b64encode(encryptor.update(whole) + encryptor.finalize()).decode()


def decrypted(text: str) -> bytes:
    decryptor = Cipher(algorithms.AES(bytes(range(16))), modes.CBC(bytes(16))).decryptor()
    unpadder = block_padding.PKCS7(128).unpadder()
    whole = decryptor.update(base64.b64decode(text)) + decryptor.finalize()
    return unpadder.update(whole) + unpadder.finalize()


def test_a_verified_yes(caller: Caller):
    gateway = answering(envelope(PAID))
    result = caller.call(credentials(), gateway, QUERY)
    assert result.total_amount == Money(8888)
    assert result.trace_id == "trace-2"
    assert result.raw["msg"] == "Success"
    assert len(gateway.requests) == 1


def test_the_request_as_the_protocol_describes_it(caller: Caller):
    clock = ManualClock(datetime(2026, 11, 20, 17, 30, 5, tzinfo=UTC))
    gateway = answering(envelope(b'{"code":"10000"}', root="alipay_trade_precreate_response"))
    operation = TradePrecreate(
        out_trade_no="T-1",
        total_amount=Money.parse("0.10"),
        subject="测试 + 100%",
        time_expire=datetime(2026, 11, 21, tzinfo=UTC),
    )
    caller.call(
        credentials(),
        gateway,
        operation,
        clock=clock,
        notify_url="https://shop.example/notify?a=1&b=2",
        app_auth_token="token",
    )
    (request,) = gateway.requests
    parameters = gateway_parameters(request)
    content = json.loads(parameters.pop("biz_content"))
    parameters.pop("sign")
    assert parameters == {
        "app_id": APP_ID,
        "method": "alipay.trade.precreate",
        "format": "JSON",
        "charset": "utf-8",
        "sign_type": "RSA2",
        "timestamp": "2026-11-21 01:30:05",
        "version": "1.0",
        "notify_url": "https://shop.example/notify?a=1&b=2",
        "app_auth_token": "token",
    }
    assert content == {
        "out_trade_no": "T-1",
        "total_amount": "0.10",
        "subject": "测试 + 100%",
        "time_expire": "2026-11-21 08:00:00",
    }
    assert request.method == "POST"
    assert "charset" in form(request.url.query.decode())
    assert form(request.content).keys() == {"biz_content"}
    assert request.headers["content-type"] == "application/x-www-form-urlencoded;charset=utf-8"


def test_gbk_requests_are_signed_in_gbk(caller: Caller):
    gateway = answering(envelope(PAID.decode().encode("gbk")))
    content = {"out_trade_no": "T1", "note": "测试"}
    caller.call_method(credentials(charset="gbk"), gateway, "alipay.trade.query", content)
    body = form(gateway.requests[0].content)
    query = form(gateway.requests[0].url.query.decode())
    assert query["charset"] == "gbk"
    assert json.loads(checked(query | body, "gbk")["biz_content"]) == content


def test_rsa_with_sha1_only_when_configured(caller: Caller):
    body = b'{"alipay_trade_query_response":%b,"sign":"%b"}' % (
        PAID,
        signature(PAID, sha1=True).encode(),
    )
    gateway = answering(body)
    assert caller.call(credentials(sign_type="RSA"), gateway, QUERY).out_trade_no == "T1"
    assert gateway_parameters(gateway.requests[0])["sign_type"] == "RSA"
    with pytest.raises(OutcomeUnknown) as unknown:
        caller.call(credentials(), answering(body), QUERY)
    assert unknown.value.cause == "signature"


def html(status: int) -> Gateway:
    return answering(b"<html>Bad Gateway</html>", status)


def raising(error: type[httpx2.TransportError]) -> Gateway:
    def respond(request: httpx2.Request) -> httpx2.Response:
        raise error("broken", request=request)

    return Gateway(respond)


TAMPERED = envelope(PAID).replace(b'"88.88"', b'"08.88"')
UNKNOWN: list[tuple[str, Callable[[], Gateway], str]] = [
    ("connection refused", lambda: raising(httpx2.ConnectError), "connect"),
    ("connect timeout", lambda: raising(httpx2.ConnectTimeout), "connect"),
    ("pool exhausted", lambda: raising(httpx2.PoolTimeout), "connect"),
    ("read timeout", lambda: raising(httpx2.ReadTimeout), "timeout"),
    ("write timeout", lambda: raising(httpx2.WriteTimeout), "timeout"),
    ("reset", lambda: raising(httpx2.ReadError), "network"),
    ("half an answer", lambda: raising(httpx2.RemoteProtocolError), "network"),
    ("502 html", lambda: html(502), "status"),
    ("504", lambda: answering(b"", 504), "status"),
    ("redirect", lambda: answering(b"", 302, {"location": "https://evil.example"}), "status"),
    ("a signed yes with status 500", lambda: answering(envelope(PAID), 500), "status"),
    ("200 html", lambda: html(200), "malformed"),
    ("empty", lambda: answering(b""), "malformed"),
    ("truncated json", lambda: answering(envelope(PAID)[:-20]), "malformed"),
    ("another root", lambda: answering(envelope(PAID, root="alipay_x_response")), "malformed"),
    ("wrong key", lambda: answering(envelope(PAID, key=OTHER_KEY)), "signature"),
    ("signed by ourselves", lambda: answering(envelope(PAID, key=APP_KEY)), "signature"),
    ("tampered amount", lambda: answering(TAMPERED), "signature"),
    ("no base64", lambda: answering(envelope(PAID)[:-6] + b'!!"}'), "signature"),
    ("unsigned yes", lambda: answering(envelope(PAID, signed=False)), "unsigned"),
    (
        "unsigned yes without code",
        lambda: answering(envelope(b'{"user_id":"2088"}', signed=False)),
        "unsigned",
    ),
    ("unsigned 10003", lambda: answering(envelope(b'{"code":"10003"}', signed=False)), "unsigned"),
    ("unsigned cipher", lambda: answering(envelope(b'"YWJj"', signed=False)), "unsigned"),
    ("duplicate key", lambda: answering(envelope(b'{"code":"10000","code":"40004"}')), "malformed"),
    (
        "repeated root",
        lambda: answering(
            envelope(PAID)[:-1] + b',"alipay_trade_query_response":{"code":"10000"}}'
        ),
        "malformed",
    ),
    ("encrypted without key", lambda: answering(envelope(b'"YWJj"')), "decryption"),
    ("20000", lambda: answering(envelope(b'{"code":"20000","msg":"x"}')), "system"),
    (
        "20000 unsigned",
        lambda: answering(envelope(b'{"code":"20000"}', signed=False)),
        "system",
    ),
    *[
        (
            sub_code,
            lambda sub_code=sub_code: answering(
                envelope(compact({"code": "40004", "sub_code": sub_code}))
            ),
            "system",
        )
        for sub_code in (
            "ACQ.SYSTEM_ERROR",
            "AQC.SYSTEM_ERROR",
            "aop.ACQ.SYSTEM_ERROR",
            "SYSTEM_ERROR",
            "isp.unknow-error",
            "isp.anything",
            "aop.unknow-error",
        )
    ],
    ("another trade", lambda: answering(envelope(PAID.replace(b"T1", b"T2"))), "malformed"),
    ("broken amount", lambda: answering(envelope(PAID.replace(b"88.88", b"8x"))), "malformed"),
    (
        "amount as a number",
        lambda: answering(envelope(PAID.replace(b'"88.88"', b"8888"))),
        "malformed",
    ),
]


@pytest.mark.parametrize(
    ("make", "cause"),
    [(make, cause) for _, make, cause in UNKNOWN],
    ids=[row[0] for row in UNKNOWN],
)
def test_what_nobody_knows(caller: Caller, make: Callable[[], Gateway], cause: str):
    gateway = make()
    with pytest.raises(OutcomeUnknown) as unknown:
        caller.call(credentials(), gateway, QUERY)
    assert unknown.value.cause == cause
    assert unknown.value.method == "alipay.trade.query"
    assert len(gateway.requests) == 1, "nothing is repeated"


NOT_EXIST = {
    "code": "40004",
    "msg": "Business Failed",
    "sub_code": "ACQ.TRADE_NOT_EXIST",
    "sub_msg": "交易不存在",
}


def test_a_verified_no(caller: Caller):
    with pytest.raises(Rejected) as rejected:
        caller.call(credentials(), answering(envelope(compact(NOT_EXIST))), QUERY)
    error = rejected.value
    assert (error.code, error.sub_code) == ("40004", "ACQ.TRADE_NOT_EXIST")
    assert (error.message, error.trace_id) == ("交易不存在", "trace-2")
    assert error.response == NOT_EXIST
    assert error.hint is not None
    assert "opens the page" in error.hint
    assert "收银台" in error.hint


def test_an_unsigned_error_is_believed_as_an_error_only(caller: Caller):
    body = envelope(
        compact({"code": "40002", "sub_code": "isv.invalid-app-id", "sub_msg": "无效的AppID参数"}),
        signed=False,
    )
    with pytest.raises(Rejected) as rejected:
        caller.call(credentials(), answering(body), QUERY)
    assert rejected.value.sub_code == "isv.invalid-app-id"


def test_an_error_with_a_wrong_signature_proves_nothing(caller: Caller):
    body = envelope(compact(NOT_EXIST), key=OTHER_KEY)
    with pytest.raises(OutcomeUnknown) as unknown:
        caller.call(credentials(), answering(body), QUERY)
    assert unknown.value.cause == "signature"


@pytest.mark.parametrize("signed", [True, False])
def test_an_error_in_gbk_to_a_request_in_utf8(caller: Caller, signed: bool):
    node = json.dumps(NOT_EXIST, ensure_ascii=False).encode("gbk")
    with pytest.raises(Rejected) as rejected:
        caller.call(credentials(), answering(envelope(node, signed=signed)), QUERY)
    assert rejected.value.message == "交易不存在"


def test_error_response_root(caller: Caller):
    node = compact({"code": "40002", "sub_code": "isv.code-invalid", "sub_msg": "授权码code无效"})
    with pytest.raises(Rejected) as rejected:
        caller.call_method(
            credentials(),
            answering(envelope(node, root="error_response")),
            "alipay.system.oauth.token",
            {"grant_type": "authorization_code", "code": "c"},
        )
    assert rejected.value.sub_code == "isv.code-invalid"


def test_10003_is_a_result(caller: Caller):
    node = b'{"code":"10003","msg":" order success pay inprocess","out_trade_no":"T1"}'
    answer = answering(envelope(node, root="alipay_trade_pay_response"))
    assert caller.call_method(credentials(), answer, "alipay.trade.pay", {})["code"] == "10003"


def test_an_escaped_slash_is_signed_with_or_without_its_backslash(caller: Caller):
    node = b'{"code":"10000","qr_code":"https:\\/\\/qr.alipay.com\\/bax"}'
    plain = node.replace(b"\\/", b"/")
    for over in (node, plain):
        answer = answering(envelope(node, over=over))
        fields = caller.call_method(credentials(), answer, "alipay.trade.query", {})
        assert fields["qr_code"] == "https://qr.alipay.com/bax"


def test_a_backslash_before_a_slash_is_not_taken_for_an_escaped_slash(caller: Caller):
    node = b'{"code":"10000","memo":"a\\\\/b"}'
    over = node.replace(b"\\/", b"/")
    with pytest.raises(OutcomeUnknown):
        caller.call_method(
            credentials(), answering(envelope(node, over=over)), "alipay.trade.query", {}
        )


def test_top_level_parameters_travel_beside_the_public_ones(caller: Caller):
    node = b'{"access_token":"a","expires_in":1296000}'
    gateway = answering(envelope(node, root="alipay_system_oauth_token_response"))
    fields = caller.call_method(
        credentials(encrypt_key=ENCRYPT_KEY),
        gateway,
        "alipay.system.oauth.token",
        {"grant_type": "authorization_code", "code": "c", "refresh_token": None},
    )
    assert fields == {"access_token": "a", "expires_in": 1296000}
    parameters = gateway_parameters(gateway.requests[0])
    assert parameters["code"] == "c"
    assert not parameters.keys() & {"biz_content", "refresh_token", "encrypt_type"}


def test_encrypted_both_ways(caller: Caller):
    cipher = compact(encrypted(PAID))
    gateway = answering(envelope(cipher))
    result = caller.call(credentials(encrypt_key=ENCRYPT_KEY), gateway, QUERY)
    assert result.total_amount == Money(8888)
    parameters = gateway_parameters(gateway.requests[0])
    assert parameters["encrypt_type"] == "AES"
    assert json.loads(decrypted(parameters["biz_content"])) == {"out_trade_no": "T1"}


def test_a_plain_error_to_an_encrypted_request(caller: Caller):
    node = compact({"code": "40002", "sub_code": "isv.decryption-error-unknown"})
    with pytest.raises(Rejected) as rejected:
        caller.call(credentials(encrypt_key=ENCRYPT_KEY), answering(envelope(node)), QUERY)
    assert rejected.value.sub_code == "isv.decryption-error-unknown"


@pytest.mark.parametrize(
    "inside", [b"[]", b'{"code":"10000","code":"1"}', b"not json"], ids=["list", "twice", "text"]
)
def test_a_broken_inside(caller: Caller, inside: bytes):
    answer = answering(envelope(compact(encrypted(inside))))
    with pytest.raises(OutcomeUnknown) as unknown:
        caller.call(credentials(encrypt_key=ENCRYPT_KEY), answer, QUERY)
    assert unknown.value.cause == "decryption"


def test_a_cipher_text_of_another_key(caller: Caller):
    answer = answering(envelope(b'"%b"' % base64.b64encode(b"0123456789abcdef" * 2)))
    with pytest.raises(OutcomeUnknown) as unknown:
        caller.call(credentials(encrypt_key=ENCRYPT_KEY), answer, QUERY)
    assert unknown.value.cause == "decryption"


def test_an_encrypted_error_is_an_error(caller: Caller):
    answer = answering(envelope(compact(encrypted(compact(NOT_EXIST)))))
    with pytest.raises(Rejected):
        caller.call(credentials(encrypt_key=ENCRYPT_KEY), answer, QUERY)


def test_encryption_switched_off_for_one_call_and_asked_for_without_a_key(caller: Caller):
    gateway = answering(envelope(PAID))
    caller.call_method(
        credentials(encrypt_key=ENCRYPT_KEY),
        gateway,
        "alipay.trade.query",
        {"a": "b"},
        encrypted=False,
    )
    assert gateway_parameters(gateway.requests[0])["biz_content"] == '{"a":"b"}'
    with pytest.raises(ValueError, match="encrypt_key"):
        caller.call_method(credentials(), gateway, "alipay.trade.query", {"a": "b"}, encrypted=True)
    assert len(gateway.requests) == 1


def test_an_upload_signs_its_texts_and_not_its_files(caller: Caller):
    root = "alipay_offline_material_image_upload_response"
    gateway = answering(envelope(b'{"code":"10000","image_id":"i"}', root=root))
    caller.call_method(
        credentials(),
        gateway,
        "alipay.offline.material.image.upload",
        {"image_type": "jpg", "image_name": "店面"},
        files={"image_content": File('a"\r\nb.jpg', b"\xff\xd8--data", "image/jpeg")},
    )
    (request,) = gateway.requests
    boundary = re.fullmatch(r"multipart/form-data; boundary=(\w+)", request.headers["content-type"])
    assert boundary is not None
    parts = request.content.split(b"--" + boundary[1].encode())
    assert parts[0] == b""
    assert parts[-1] == b"--\r\n"
    assert b'\r\nContent-Disposition: form-data; name="image_type"\r\n\r\njpg\r\n' in parts
    assert (
        b'\r\nContent-Disposition: form-data; name="image_content"; filename="a%22%0D%0Ab.jpg"'
        b"\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8--data\r\n"
    ) in parts
    checked(form(request.url.query.decode()) | {"image_type": "jpg", "image_name": "店面"})


def test_a_media_type_cannot_add_headers():
    with pytest.raises(ValueError, match="media type"):
        File("a", b"", "image/jpeg\r\nX: y")


def test_unknown_methods_are_refused_with_close_ones(caller: Caller):
    gateway = answering(envelope(PAID))
    with pytest.raises(UnknownMethod, match=r"alipay\.trade\.query") as unknown:
        caller.call_method(credentials(), gateway, "alipay.trade.qeury", {})
    assert unknown.value.close[0] == "alipay.trade.query"
    assert not gateway.requests
    caller.call_method(
        credentials(),
        answering(envelope(PAID, root="alipay_new_method_response")),
        "alipay.new.method",
        {},
        unlisted=True,
    )


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ({"total_amount": 88.88}, TypeError),
        ({"nested": [{"amount": 0.1}]}, TypeError),
        ({"total_amount": Money(100, "USD")}, ValueError),
        ({"raw": b"bytes"}, TypeError),
        ({"at": datetime(2026, 1, 1)}, ValueError),  # noqa: DTZ001 - without a zone, to be refused
    ],
)
def test_what_has_no_exact_text_is_not_sent(caller: Caller, content: Any, error: type[Exception]):
    gateway = answering(envelope(PAID))
    with pytest.raises(error):
        caller.call_method(credentials(), gateway, "alipay.trade.query", content)
    assert not gateway.requests


def test_is_signed_can_fail():
    with pytest.raises(InvalidSignature):
        is_signed(b"other", signature(b"text", APP_KEY))
