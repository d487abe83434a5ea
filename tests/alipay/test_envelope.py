"""Which bytes were signed: the scanner against the json module and against what is ambiguous."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daozhang.alipay.envelope import MalformedAnswer, extract_signed, read_object

ROOT = "alipay_trade_query_response"

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
spaces = st.text(alphabet=" \t\r\n", max_size=3)
nodes = st.dictionaries(st.text(), json_values, max_size=5)


def span_bytes(body: str, root: str = ROOT) -> bytes:
    return extract_signed(body.encode(), root).content


@given(
    node=nodes,
    before=st.dictionaries(st.text(min_size=1), json_values, max_size=3),
    after=st.dictionaries(st.text(min_size=1), json_values, max_size=3),
    ascii_only=st.booleans(),
    pad=spaces,
)
def test_the_span_is_the_value_as_it_was_written(node, before, after, ascii_only, pad):
    taken = {ROOT, "error_response", "sign", "alipay_cert_sn"}
    before = {name: value for name, value in before.items() if name not in taken}
    after = {
        name: value for name, value in after.items() if name not in taken and name not in before
    }

    def text(value: object) -> str:
        return json.dumps(value, ensure_ascii=ascii_only)

    members = [(text(name), text(value)) for name, value in before.items()]
    members += [(text(ROOT), text(node))]
    members += [(text(name), text(value)) for name, value in after.items()]
    members += [('"sign"', '"x"')]
    body = "{" + ",".join(f"{pad}{n}{pad}:{pad}{v}{pad}" for n, v in members) + "}"
    if body.count(f'"{ROOT}"') != 1 or not _encodable(body):
        return
    span = extract_signed(body.encode(), ROOT)
    assert span.content == text(node).encode()
    assert span.value == json.loads(body)[ROOT]
    assert (span.sign, span.root, span.encrypted) == ("x", ROOT, False)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@given(st.binary(max_size=200))
def test_arbitrary_bytes_never_crash_it(body):
    with pytest.raises(MalformedAnswer):
        extract_signed(body, ROOT)


@given(body=st.binary(max_size=60), cut=st.integers(0, 60))
def test_damaged_answers_never_crash_it(body, cut):
    whole = b'{"%b":{"code":"10000","msg":"\\"}{"},"sign":"x"}' % ROOT.encode()
    damaged = whole[:cut] + body + whole[cut:]
    try:
        content = extract_signed(damaged, ROOT).content
    except MalformedAnswer:
        return
    assert content in damaged


@given(text=st.text(alphabet=st.characters(codec="gb18030"), max_size=40))
def test_gbk_answers_keep_their_bytes(text):
    node = json.dumps({"code": "40002", "sub_msg": text}, ensure_ascii=False).encode("gb18030")
    body = b'{"%b":%b,"sign":"x"}' % (ROOT.encode(), node)
    span = extract_signed(body, ROOT)
    assert span.content == node
    if span.charset == "gb18030":
        assert span.value == {"code": "40002", "sub_msg": text}


def test_a_gbk_trail_byte_that_looks_like_a_backslash_or_brace():
    node = '{"sub_msg":"許功蓋誠}鑭"}'.encode("gbk")
    assert b"\\" in node
    body = b'{"%b":%b,"sign":"x"}' % (ROOT.encode(), node)
    span = extract_signed(body, ROOT)
    assert (span.content, span.charset) == (node, "gb18030")


def test_an_encrypted_answer_is_signed_with_its_quotes():
    span = extract_signed(b'{"%b"  :  "YWJj==" ,"sign":"x"}' % ROOT.encode(), ROOT)
    assert (span.content, span.encrypted, span.value) == (b'"YWJj=="', True, "YWJj==")


def test_error_response_stands_in_for_the_root():
    span = extract_signed(b'{"error_response":{"code":"40002"},"sign":"x"}', ROOT)
    assert (span.root, span.content) == ("error_response", b'{"code":"40002"}')


def test_certificate_serial_and_missing_sign():
    span = extract_signed(b'{"%b":{},"alipay_cert_sn":"ab"}' % ROOT.encode(), ROOT)
    assert (span.sign, span.alipay_cert_sn) == (None, "ab")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ('{"R":{"a":1},"sign":"x","R":{"a":2}}', "occurs twice"),
        ('{"R":{"a":1},"sign":"x","sign":"y"}', "occurs twice"),
        ('{"R":{"a":1},"sign":"x","\\u0073ign":"y"}', "occurs twice"),
        ('{"R":{"a":{"b":1,"b":2}},"sign":"x"}', "occurs twice"),
        ('{"R":{"a":1},"note":{"R":{}},"sign":"x"}', "more than once"),
        ('{"note":{"R":{}},"R":{"a":1},"sign":"x"}', "more than once"),
        ('{"R":{"a":1},"error_response":{},"sign":"x"}', "both"),
        ('{"other":{"a":1},"sign":"x"}', "neither"),
        ('{"R":[1],"sign":"x"}', "neither an object"),
        ('{"R":null,"sign":"x"}', "neither an object"),
        ('{"R":{"a":1},"sign":7}', "not a text"),
        ('{"R":{"a":NaN},"sign":"x"}', "not JSON"),
        ('{"R":{"a":1},"sign":"x"}}', "not believable JSON"),
        ('{"R":{"a":1},"sign":"x"', "not believable JSON"),
        ("<html>502</html>", "not believable JSON"),
        ("[]", "not an object"),
        ("", "not believable JSON"),
        ('{"R":' + '{"a":' * 100_000 + "1" + "}" * 100_001, "nested too deeply"),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(body, why):
    with pytest.raises(MalformedAnswer, match=why):
        span_bytes(body.replace('"R"', f'"{ROOT}"'))


def test_neither_charset():
    with pytest.raises(MalformedAnswer, match="GB18030"):
        extract_signed(b'{"%b":{"a":"\xff\xff"}}' % ROOT.encode(), ROOT)


def test_no_amount_becomes_a_float():
    assert read_object(b'{"amount":0.10,"count":3}')[0] == {"amount": "0.10", "count": 3}
