"""The V2 gateway: what it checks, in which order, and how its answers are laid out."""

from __future__ import annotations

import base64
import html
import json
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from emulator.place import Place

QUERY = "alipay.trade.query"


def node_of(answer: httpx2.Response) -> dict[str, Any]:
    content = json.loads(answer.content)
    return next(value for name, value in content.items() if name.endswith("_response"))


@pytest.mark.parametrize(
    ("change", "sub_code"),
    [
        ({"app_id": ""}, "isv.missing-app-id"),
        ({"app_id": "2021000000000000"}, "isv.invalid-app-id"),
        ({"method": ""}, "isv.missing-method"),
        ({"method": "alipay.trade.queri"}, "isv.invalid-method"),
        ({"timestamp": ""}, "isv.missing-timestamp"),
        ({"timestamp": "2026-03-02T09:00:00Z"}, "isv.invalid-timestamp"),
        ({"version": ""}, "isv.missing-version"),
        ({"format": "yaml"}, "isv.invalid-format"),
        ({"sign_type": ""}, "isv.missing-signature-type"),
        ({"sign_type": "MD5"}, "isv.invalid-signature-type"),
        ({"sign": ""}, "isv.missing-signature"),
        ({"sign": "AAAA"}, "isv.invalid-signature"),
        ({"charset": "utf-7"}, "isv.invalid-charset"),
        ({"app_cert_sn": "0" * 32}, "isv.app-cert-not-exist"),
    ],
)
def test_each_breach_has_its_sub_code(place: Place, change: dict[str, str], sub_code: str) -> None:
    parameters = place.merchant.signed(place.merchant.parameters(QUERY, {"out_trade_no": "1"}))
    answer = place.merchant.post(parameters | change)
    assert answer.status_code == 200
    assert node_of(answer)["sub_code"] == sub_code


def test_the_app_is_checked_before_the_method_and_the_signature_last(place: Place) -> None:
    everything_wrong = {
        "app_id": "1",
        "method": "x",
        "timestamp": "x",
        "sign": "x",
        "version": "1.0",
    }
    order = ["isv.invalid-app-id", "isv.invalid-method", "isv.invalid-timestamp"]
    mended = {"app_id": place.merchant.app_id, "method": QUERY, "timestamp": "2026-03-02 09:00:00"}
    for sub_code, (name, value) in zip(order, mended.items(), strict=True):
        assert node_of(place.merchant.post(everything_wrong))["sub_code"] == sub_code
        everything_wrong[name] = value
    everything_wrong["sign_type"] = "RSA2"
    assert node_of(place.merchant.post(everything_wrong))["sub_code"] == "isv.invalid-signature"


def test_a_bad_signature_is_answered_signed_and_echoes_the_escaped_sign_string(
    place: Place,
) -> None:
    parameters = place.merchant.parameters(QUERY, {"out_trade_no": "测试"})
    answer = place.merchant.post(parameters | {"sign": place.merchant.sign(b"else")})
    node = place.merchant.verified(answer.content, QUERY)
    text = "&".join(f"{name}={parameters[name]}" for name in sorted(parameters))
    assert (node["code"], node["sub_code"]) == ("40002", "isv.invalid-signature")
    assert node["sub_msg"].startswith(
        "验签出错，建议检查签名字符串或签名私钥与应用公钥是否匹配，网关生成的验签字符串为："
    )
    assert node["sub_msg"].endswith(html.escape(text, quote=True))
    assert "&amp;charset=utf-8&amp;" in node["sub_msg"]


def test_before_the_app_is_known_answers_are_not_signed(place: Place) -> None:
    answer = place.merchant.post({"app_id": "2021000000000000", "method": QUERY})
    assert list(json.loads(answer.content)) == ["alipay_trade_query_response"]


def test_the_layout_is_compact_with_the_node_first_and_the_signature_last(place: Place) -> None:
    answer = place.merchant.post(
        place.merchant.signed(place.merchant.parameters(QUERY, {"out_trade_no": "1"}))
    )
    assert answer.content.startswith(b'{"alipay_trade_query_response":{"code":"40004",')
    assert b'"},"sign":"' in answer.content
    assert answer.content.endswith(b'"}')
    assert answer.headers["content-type"] == "text/html;charset=utf-8"
    assert len(answer.headers["trace_id"]) == 32


def test_query_and_body_are_merged_and_get_is_taken(place: Place) -> None:
    signed = place.merchant.signed(place.merchant.parameters(QUERY, {"out_trade_no": "1"}))
    body = {"biz_content": signed.pop("biz_content")}
    split = place.http.post("/gateway.do", params=signed, data=body)
    got = place.http.get("/gateway.do", params=signed | body)
    for answer in (split, got):
        assert place.merchant.verified(answer.content, QUERY)["sub_code"] == "ACQ.TRADE_NOT_EXIST"


def test_a_parameter_given_twice_with_different_values_is_refused(place: Place) -> None:
    signed = place.merchant.signed(place.merchant.parameters(QUERY, {"out_trade_no": "1"}))
    answer = place.http.post("/gateway.do?version=2.0", data=signed)
    assert node_of(answer)["sub_code"] == "isv.invalid-parameter"


def test_multipart_is_read_as_the_java_sdk_writes_it(place: Place) -> None:
    signed = place.merchant.signed(place.merchant.parameters(QUERY, {"out_trade_no": "1"}))
    part = '\r\n--1700000000000\r\nContent-Disposition:form-data;name="biz_content"\r\nContent-Type:text/plain\r\n\r\n'
    file = '\r\n--1700000000000\r\nContent-Disposition:form-data;name="image";filename="a.png"\r\nContent-Type:image/png\r\n\r\n\x89PNG'
    body = part + signed.pop("biz_content") + file + "\r\n--1700000000000--\r\n"
    answer = place.http.post(
        "/gateway.do",
        params=signed,
        content=body.encode("latin-1"),
        headers={"Content-Type": "multipart/form-data;boundary=1700000000000;charset=utf-8"},
    )
    assert place.merchant.verified(answer.content, QUERY)["sub_code"] == "ACQ.TRADE_NOT_EXIST"


def test_a_signature_over_kept_empty_parameters_holds_with_a_warning(place: Place) -> None:
    """The official Node SDK signs ``notify_url=``."""
    parameters = place.merchant.parameters(QUERY, {"out_trade_no": "1"}, notify_url="")
    text = "&".join(f"{name}={parameters[name]}" for name in sorted(parameters))
    answer = place.merchant.post(parameters | {"sign": place.merchant.sign(text.encode())})
    assert place.merchant.verified(answer.content, QUERY)["sub_code"] == "ACQ.TRADE_NOT_EXIST"
    assert "empty" in answer.headers["x-emulator-warning"]


def test_gbk_requests_are_read_and_answered_in_gbk(place: Place) -> None:
    address = place.merchant.page_address("gbk-1", charset="gbk", body="到账")
    assert place.http.get(address, follow_redirects=True).status_code == 200
    parameters = place.merchant.parameters(QUERY, {"out_trade_no": "gbk-1"}, charset="gbk")
    answer = place.merchant.post(place.merchant.signed(parameters))
    assert "到账".encode("gbk") in answer.content
    assert answer.headers["content-type"] == "text/html;charset=GBK"


def test_rsa_with_sha1_is_taken_and_given(place: Place) -> None:
    parameters = place.merchant.parameters(QUERY, {"out_trade_no": "1"}, sign_type="RSA")
    text = "&".join(f"{name}={parameters[name]}" for name in sorted(parameters))
    signature = place.merchant.sign(text.encode(), hashes.SHA1())
    assert (
        node_of(place.merchant.post(parameters | {"sign": signature}))["sub_code"]
        == "ACQ.TRADE_NOT_EXIST"
    )


def test_certificate_mode_follows_app_cert_sn(place: Place) -> None:
    app = place.emulator.desk.identities.app()
    authority = place.emulator.desk.identities.authority
    serials = {"app_cert_sn": app.certificate_sn, "alipay_root_cert_sn": authority.root_sn}
    parameters = place.merchant.signed(
        place.merchant.parameters(QUERY, {"out_trade_no": "1"}, **serials)
    )
    body = place.merchant.post(parameters).content
    middle = f',"alipay_cert_sn":"{authority.certificate_sn}","sign":"'.encode()
    node, _, signature = body.removeprefix(b'{"alipay_trade_query_response":').partition(middle)
    assert place.merchant.alipay_signed(node, signature.removesuffix(b'"}'))
    answer = place.merchant.post(parameters | {"alipay_root_cert_sn": "0"})
    assert node_of(answer)["sub_code"] == "isv.invalid-alipay-root-cert-sn"


def test_alipays_certificate_can_be_downloaded(place: Place) -> None:
    authority = place.emulator.desk.identities.authority
    method = "alipay.open.app.alipaycert.download"
    node = place.merchant.call(method, {"alipay_cert_sn": authority.certificate_sn})
    assert base64.b64decode(node["alipay_cert_content"]) == authority.certificate_path.read_bytes()
    unknown = place.merchant.call(method, {"alipay_cert_sn": "0" * 32})
    assert unknown["sub_code"] == "isv.alipay-cert-not-exist"


def aes(key: str, text: bytes) -> str:
    padder = PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(base64.b64decode(key)), modes.CBC(bytes(16))).encryptor()
    return base64.b64encode(encryptor.update(padder.update(text) + padder.finalize())).decode()


def unaes(key: str, text: str) -> bytes:
    decryptor = Cipher(algorithms.AES(base64.b64decode(key)), modes.CBC(bytes(16))).decryptor()
    unpadder = PKCS7(128).unpadder()
    return unpadder.update(decryptor.update(base64.b64decode(text))) + unpadder.finalize()


def test_encrypted_content_is_read_and_answered_encrypted_and_signed_with_its_quotes(
    place: Place,
) -> None:
    key = place.merchant.credentials["encrypt_key"]
    cipher = aes(key, b'{"out_trade_no":"1"}')
    parameters = place.merchant.parameters(QUERY, cipher, encrypt_type="AES")
    body = place.merchant.post(place.merchant.signed(parameters)).content
    content = json.loads(body)
    quoted = json.dumps(content["alipay_trade_query_response"]).encode()
    assert place.merchant.alipay_signed(quoted, content["sign"])
    assert b"ACQ.TRADE_NOT_EXIST" in unaes(key, content["alipay_trade_query_response"])


def test_undecryptable_content_is_answered_in_clear(place: Place) -> None:
    node = place.merchant.call(QUERY, "bm90IGEgY2lwaGVy", encrypt_type="AES")
    assert node["sub_code"] == "isv.decryption-error-unknown"


@pytest.mark.parametrize(
    "content", ["", "[]", "{", "null", '{"a":1,"a":2}', "1" * 5000, "[" * 100_000]
)
def test_content_that_is_no_object_is_refused(place: Place, content: str) -> None:
    node = place.merchant.call(QUERY, content)
    assert node["sub_code"] in ("isv.invalid-parameter", "ACQ.INVALID_PARAMETER")


def test_methods_that_only_alipay_has_are_told_apart(place: Place) -> None:
    node = place.merchant.call("alipay.fund.trans.refund", {})
    assert node["sub_code"] == "isv.invalid-method"
    assert "尚未实现" in node["sub_msg"]
    app_pay = place.merchant.call("alipay.trade.app.pay", {})
    assert "order_string" in app_pay["sub_msg"]


def test_an_isv_acts_for_the_merchant_whose_token_it_sends(place: Place) -> None:
    other = place.emulator.desk.identities.app("isv-merchant")
    place.merchant.open_page("isv-1")
    own = place.merchant.call(QUERY, {"out_trade_no": "isv-1"})
    assert own["code"] == "10000"
    for_other = place.merchant.call(
        QUERY, {"out_trade_no": "isv-1"}, app_auth_token=other.app_auth_token
    )
    assert for_other["sub_code"] == "ACQ.TRADE_NOT_EXIST"
    unknown = place.merchant.call(QUERY, {"out_trade_no": "isv-1"}, app_auth_token="nobody")
    assert (unknown["code"], unknown["sub_code"]) == ("20001", "aop.invalid-app-auth-token")


def test_an_old_timestamp_warns_and_is_refused_only_when_strict(place: Place) -> None:
    parameters = place.merchant.parameters(
        QUERY, {"out_trade_no": "1"}, timestamp="2026-02-01 00:00:00"
    )
    answer = place.merchant.post(place.merchant.signed(parameters))
    assert "timestamp" in answer.headers["x-emulator-warning"]
    place.merchant.control("POST", f"switches/{place.merchant.app_id}", strict_timestamp=True)
    answer = place.merchant.post(place.merchant.signed(parameters))
    assert node_of(answer)["sub_code"] == "isv.invalid-timestamp"


def test_slashes_are_escaped_on_demand_and_signed_as_sent(place: Place) -> None:
    place.merchant.control("POST", f"switches/{place.merchant.app_id}", escape_slashes=True)
    biz = {"out_trade_no": "qr-slash", "total_amount": "1.00", "subject": "x"}
    parameters = place.merchant.signed(place.merchant.parameters("alipay.trade.precreate", biz))
    answer = place.merchant.post(parameters)
    assert b"http:\\/\\/127.0.0.1" in answer.content
    assert place.merchant.verified(answer.content, "alipay.trade.precreate")["qr_code"].startswith(
        "http://"
    )


def test_a_page_with_a_bad_signature_is_an_html_page_in_gbk(place: Place) -> None:
    answer = place.http.get(place.merchant.page_address("bad-1") + "&extra=1")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=GBK"
    assert "isv.invalid-signature" in answer.content.decode("gbk")
