"""V2 in certificate mode: which certificate an answer names, and how a new one proves itself."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from alipay.fakes import (
    ALIPAY_KEY,
    APP_KEY,
    ENCRYPT_KEY,
    OTHER_KEY,
    Authority,
    Gateway,
    answering,
    compact,
    credentials,
    envelope,
    gateway_parameters,
)
from alipay.shells import Caller
from daozhang.alipay import (
    OutcomeUnknown,
    TradeQuery,
)
from daozhang.alipay.certificates import cert_sn

QUERY = TradeQuery(out_trade_no="T1")
PAID = compact({"code": "10000", "msg": "Success", "out_trade_no": "T1", "total_amount": "88.88"})


def cert_world(**download: Any) -> tuple[Any, Authority, Callable[..., Gateway]]:
    """Credentials, the authority behind them, and a gateway that signs with a new certificate."""
    authority = Authority()
    certificates = authority.certificates()
    new = authority.certificate(OTHER_KEY, "alipay new", **download)

    def gateway(content: bytes = new, status: int = 200) -> Gateway:
        sn = cert_sn(new)

        def respond(request: httpx2.Request) -> httpx2.Response:
            parameters = gateway_parameters(request)
            if parameters["method"] == "alipay.open.app.alipaycert.download":
                assert json.loads(parameters["biz_content"]) == {"alipay_cert_sn": sn}
                node = compact(
                    {"code": "10000", "alipay_cert_content": base64.b64encode(content).decode()}
                )
                root = "alipay_open_app_alipaycert_download_response"
                return httpx2.Response(
                    status, content=envelope(node, root=root, key=OTHER_KEY, sn=sn)
                )
            return httpx2.Response(200, content=envelope(PAID, key=OTHER_KEY, sn=sn))

        return Gateway(respond)

    own = credentials(alipay_public_key=None, certificates=certificates, encrypt_key=ENCRYPT_KEY)
    return own, authority, gateway


def test_certificate_mode_names_its_certificates(caller: Caller):
    own, _, _ = cert_world()
    gateway = answering(envelope(PAID, sn=own.certificates.alipay_cert_sn))
    assert caller.call(own, gateway, QUERY).out_trade_no == "T1"
    parameters = gateway_parameters(gateway.requests[0])
    assert parameters["app_cert_sn"] == own.certificates.app_cert_sn
    assert parameters["alipay_root_cert_sn"] == own.certificates.alipay_root_cert_sn


def test_an_unknown_certificate_is_fetched_checked_and_kept(caller: Caller):
    own, _, make = cert_world()
    gateway = make()
    assert caller.call(own, gateway, QUERY).out_trade_no == "T1"
    methods = [gateway_parameters(request)["method"] for request in gateway.requests]
    assert methods == ["alipay.trade.query", "alipay.open.app.alipaycert.download"]
    assert caller.call(own, gateway, QUERY).out_trade_no == "T1"
    assert len(gateway.requests) == 3, "the certificate was kept"


@pytest.mark.parametrize("days", [(-30, -1), (1, 30)], ids=["expired", "not yet"])
def test_a_certificate_out_of_its_time_is_not_believed(caller: Caller, days: tuple[int, int]):
    own, _, make = cert_world(days=days)
    with pytest.raises(OutcomeUnknown) as unknown:
        caller.call(own, make(), QUERY)
    assert unknown.value.cause == "certificate"


def stranger() -> bytes:
    """A certificate that a root issued which is not the merchant's."""
    return Authority(key=APP_KEY).certificate(OTHER_KEY, "alipay new")


@pytest.mark.parametrize(
    ("content", "status"),
    [(stranger(), 200), (b"no certificate", 200), (b"", 200), (stranger(), 502)],
    ids=["bad chain", "no certificate", "empty", "status"],
)
def test_what_was_fetched_must_prove_itself(caller: Caller, content: bytes, status: int):
    own, _, make = cert_world()
    gateway = make(content, status)
    with pytest.raises(OutcomeUnknown) as unknown:
        caller.call(own, gateway, QUERY)
    assert unknown.value.cause == "certificate"
    assert len(gateway.requests) == 2


def test_another_root_under_the_right_serial(caller: Caller):
    """The serial covers issuer and number only, so a stranger's certificate can have the same."""
    own, _, _ = cert_world()
    forged = stranger()
    sn = cert_sn(forged)

    def respond(request: httpx2.Request) -> httpx2.Response:
        if b"alipaycert.download" not in request.url.query:
            return httpx2.Response(200, content=envelope(PAID, key=OTHER_KEY, sn=sn))
        node = compact({"code": "10000", "alipay_cert_content": base64.b64encode(forged).decode()})
        root = "alipay_open_app_alipaycert_download_response"
        return httpx2.Response(200, content=envelope(node, root=root))

    with pytest.raises(OutcomeUnknown) as unknown:
        caller.call(own, Gateway(respond), QUERY)
    assert unknown.value.cause == "certificate"


def test_the_download_times_out(caller: Caller):
    own, _, make = cert_world()
    first = make()

    def respond(request: httpx2.Request) -> httpx2.Response:
        if b"alipaycert.download" in request.url.query:
            raise httpx2.ReadTimeout("slow", request=request)
        return first.respond(request)

    with pytest.raises(OutcomeUnknown) as unknown:
        caller.call(own, Gateway(respond), QUERY)
    assert unknown.value.cause == "certificate"


@pytest.mark.parametrize("sn", [None, "", "../../etc", "A" * 32])
def test_an_answer_must_name_its_certificate(caller: Caller, sn: str | None):
    own, _, _ = cert_world()
    gateway = answering(envelope(PAID, sn=sn))
    with pytest.raises(OutcomeUnknown) as unknown:
        caller.call(own, gateway, QUERY)
    assert unknown.value.cause == "certificate"
    assert len(gateway.requests) == 1, "no download for what is no serial"


def test_in_key_mode_a_serial_beside_the_answer_changes_nothing(caller: Caller):
    gateway = answering(envelope(PAID, sn="ab" * 16, key=ALIPAY_KEY))
    assert caller.call(credentials(), gateway, QUERY).out_trade_no == "T1"
