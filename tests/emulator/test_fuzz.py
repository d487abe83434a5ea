"""Whatever is thrown at it, the emulator answers in the shape of its kind, never with a crash."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from emulator.place import Place

FUZZ = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
FORMS = {"Content-Type": "application/x-www-form-urlencoded"}
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
NAMES = st.sampled_from(
    ["out_trade_no", "trade_no", "total_amount", "subject", "refund_amount", "out_request_no",
     "time_expire", "timeout_express", "body", "notify_url", "alipay_cert_sn"]
)  # fmt: skip
METHODS = st.sampled_from(
    ["alipay.trade.query", "alipay.trade.close", "alipay.trade.cancel", "alipay.trade.refund",
     "alipay.trade.fastpay.refund.query", "alipay.trade.precreate", "alipay.trade.page.pay",
     "alipay.open.app.alipaycert.download"]
)  # fmt: skip


@FUZZ
@given(query=st.binary(max_size=60), body=st.binary(max_size=200))
@example(query=b"charset=%ff", body=b"app_id=%00%ff%zz%")
@example(query=b"method=alipay.trade.query&method=x", body=b"")
@example(query=b"", body=b"charset=gbk&app_id=\x81")
def test_bytes_at_the_gateway(place: Place, query: bytes, body: bytes) -> None:
    address = place.http.base_url.join("/gateway.do").copy_with(query=query_of(query))
    answer = place.http.post(address, content=body, headers=FORMS)
    assert answer.status_code == 200
    assert next(iter(json.loads(answer.content).values()))["code"].startswith("4")


def query_of(raw: bytes) -> bytes:
    """``raw`` as a query can travel: what HTTP itself forbids is percent-encoded."""
    return b"".join(
        bytes([byte]) if 0x21 <= byte < 0x7F and byte not in b"#" else b"%%%02X" % byte
        for byte in raw
    )


@FUZZ
@given(
    method=METHODS,
    terms=st.dictionaries(NAMES, JSON | st.sampled_from(["1", "1.00", "a"]), max_size=6),
)
def test_signed_nonsense(place: Place, method: str, terms: dict[str, Any]) -> None:
    parameters = place.merchant.parameters(method, json.dumps(terms))
    answer = place.merchant.post(place.merchant.signed(parameters))
    assert answer.status_code in (200, 302)
    if answer.headers["content-type"].startswith("text/html;charset"):
        assert "code" in place.merchant.verified(answer.content, method)


@FUZZ
@given(
    kind=st.sampled_from(["multipart/form-data", "multipart/form-data;boundary=b", "text/plain"]),
    body=st.binary(max_size=200),
)
@example(
    kind="multipart/form-data;boundary=b", body=b"--b\r\nContent-Disposition:form-data\r\n\r\nx"
)
def test_bytes_of_other_kinds(place: Place, kind: str, body: bytes) -> None:
    answer = place.http.post("/gateway.do", content=body, headers={"Content-Type": kind})
    assert answer.status_code == 200
    assert "sub_code" in answer.text


@FUZZ
@given(
    header=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=80),
    body=st.binary(max_size=80),
)
def test_bytes_at_v3(place: Place, header: str, body: bytes) -> None:
    for authorization in (
        header,
        f"ALIPAY-SHA256withRSA app_id={place.merchant.app_id},{header},sign=AA==",
    ):
        headers = {"Authorization": authorization.strip()}
        answer = place.http.post("/v3/alipay/trade/query", content=body, headers=headers)
        assert 400 <= answer.status_code < 500
        assert answer.json()["code"]


@FUZZ
@given(path=st.sampled_from(["pay", "refund", "clock", "faults", "reset"]), body=JSON)
def test_json_at_the_control_plane(place: Place, path: str, body: Any) -> None:
    if (path == "clock" and isinstance(body, dict)) or (body in ({}, None) and path == "reset"):
        return
    content = json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    answer = place.http.post(f"/_control/{path}", content=content, headers=headers)
    assert answer.status_code in (400, 404)
    assert answer.json()["message"]


def test_a_body_without_end_is_refused(place: Place) -> None:
    answer = place.http.post("/gateway.do", content=b"a" * (5 * 1024 * 1024), headers=FORMS)
    assert "isv.invalid-parameter" in answer.text
