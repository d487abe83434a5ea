"""Every published vector is reproduced, or refused, as it says. None is left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, urlsplit

import pytest

from daozhang.alipay import cipher, gateway, rest
from daozhang.alipay.certificates import cert_sn, read_facts, root_sn, split
from daozhang.alipay.config import VerifyingKeys
from daozhang.alipay.envelope import extract_signed
from daozhang.alipay.errors import Untrusted
from daozhang.alipay.keys import PublicKey
from daozhang.alipay.notify import read_signed, verify
from daozhang.alipay.returns import verify_return

FILE = json.loads((Path(__file__).parent / "data/vectors.json").read_text("utf-8"))
VECTORS: dict[str, dict[str, Any]] = {vector["id"]: vector for vector in FILE["vectors"]}
LEGACY = "mapi_"
CHECKED = [vector for vector in VECTORS.values() if not vector["kind"].startswith(LEGACY)]


def key_of(vector: dict[str, Any]) -> PublicKey:
    return PublicKey.load(vector["public_key"])


def referred(vector: dict[str, Any]) -> dict[str, Any]:
    return {**VECTORS[vector["ref"]], **vector} if "ref" in vector else vector


def body_of(vector: dict[str, Any]) -> bytes:
    """A notification's body as it came, or as its fields make it."""
    if "wire" in vector:
        return vector["wire"].encode("ascii")
    params = {**vector["params"], **vector.get("change", {})}
    return "&".join(f"{name}={quote_plus(value)}" for name, value in params.items()).encode()


def request_text(vector: dict[str, Any]) -> str:
    params = {name: text for name, text in vector["params"].items() if name != "sign"}
    return gateway.request_text(params)


def notification_holds(vector: dict[str, Any]) -> bool:
    try:
        verify(body_of(vector), key_of(vector))
    except Untrusted:
        return False
    return True


def check_notify_v1(vector: dict[str, Any]) -> None:
    vector = referred(vector)
    assert notification_holds(vector) is vector["expected"] is True
    if "sign_string" in vector and "change" not in vector:
        _, signed = read_signed(body_of(vector), key_of(vector))
        assert signed.decode() == vector["sign_string"]


def check_notify_negative(vector: dict[str, Any]) -> None:
    whole = referred(vector)
    assert vector["expected"] is False
    if vector["id"].endswith(".as_v2"):
        text = request_text(whole)
        assert not key_of(whole).verify(text.encode(), whole["params"]["sign"])
    elif vector["id"].endswith(".gbk_as_utf8"):
        rewritten = whole["wire"].replace("%B2%E2%CA%D4", quote_plus("测试"))
        assert rewritten != whole["wire"]
        assert not notification_holds({**whole, "wire": rewritten})
    else:
        assert not notification_holds(whole)


def check_return_v1(vector: dict[str, Any]) -> None:
    page = verify_return(urlsplit(vector["url"]).query, key_of(vector))
    assert page.out_trade_no == vector["params"]["out_trade_no"]
    assert str(page.total_amount) == vector["params"]["total_amount"]


def check_return_negative(vector: dict[str, Any]) -> None:
    whole = referred(vector)
    query = urlsplit(whole["url"]).query
    spoilt = query.replace("%2B", "+")
    assert spoilt != query
    with pytest.raises(Untrusted):
        verify_return(spoilt, key_of(whole))


def check_response_key_mode(vector: dict[str, Any]) -> None:
    if "body" in vector:
        span = extract_signed(vector["body"].encode(), vector["root"])
        assert span.content == vector["signed_substring"].encode()
        sign = span.sign
    else:
        sign = vector["sign"]
    assert sign is not None
    assert key_of(vector).verify(vector["signed_substring"].encode(), sign)


def check_response_negative(vector: dict[str, Any]) -> None:
    whole = referred(vector)
    span = extract_signed(whole["body"].encode(), whole["root"])
    again = json.dumps(json.loads(span.content)).encode()
    assert span.sign is not None
    assert again != span.content
    assert not key_of(whole).verify(again, span.sign)


def check_extract(vector: dict[str, Any]) -> None:
    span = extract_signed(vector["body"].encode(), vector["root"])
    assert span.content.decode() == vector["expected"]


def check_cert_sn(vector: dict[str, Any]) -> None:
    if "chain" not in vector:
        assert cert_sn(vector["pem"]) == vector["expected"]
        facts = read_facts(split(vector["pem"])[0])
        assert facts.issuer == vector["issuer_string"]
        assert str(facts.serial) == vector["serial_decimal"]
        return
    assert root_sn(vector["pem"]) == vector["expected"]
    for der, link in zip(split(vector["pem"]), vector["chain"], strict=True):
        facts = read_facts(der)
        assert (facts.issuer, str(facts.serial)) == (link["issuer_string"], link["serial_decimal"])
        assert (facts.signature_oid, facts.sn) == (link["sig_oid"], link["sn"])


def check_verify_v2(vector: dict[str, Any]) -> None:
    text = request_text(vector)
    assert text == vector["sign_string"]
    sign_type = vector["params"]["sign_type"]
    assert key_of(vector).verify(text.encode(), vector["params"]["sign"], sign_type)
    other = "RSA" if sign_type == "RSA2" else "RSA2"
    assert not key_of(vector).verify(text.encode(), vector["params"]["sign"], other)


def check_sign_v2(vector: dict[str, Any]) -> None:
    text = vector["sign_string"].encode()
    assert key_of(vector).verify(text, vector["expected"], vector["sign_type"])


def check_aes(vector: dict[str, Any]) -> None:
    encrypted = cipher.encrypt(vector["plaintext"].encode(), vector["key"])
    assert encrypted == vector["ciphertext"] == vector["expected"]
    assert cipher.decrypt(encrypted, vector["key"]).decode() == vector["plaintext"]


def check_aes_v2(vector: dict[str, Any]) -> None:
    assert cipher.decrypt_v2(vector["ciphertext"], vector["key"]).decode() == vector["expected"]


def check_v3_request(vector: dict[str, Any]) -> None:
    text = rest.signed_text(
        vector["auth_string"],
        vector["method"],
        vector["uri"],
        vector["body"] or "",
        vector["app_auth_token"],
    )
    assert text == vector["sign_string"]
    assert key_of(vector).verify(text.encode(), vector["expected"])
    header = f"ALIPAY-SHA256withRSA {vector['auth_string']},sign={vector['expected']}"
    assert header == vector["authorization"]


def check_v3_response(vector: dict[str, Any]) -> None:
    headers = vector["headers"]
    signed = rest.signed_answer(
        headers["alipay-timestamp"], headers["alipay-nonce"], vector["body"].encode()
    )
    assert signed == vector["sign_string"].encode()
    assert key_of(vector).verify(signed, headers["alipay-signature"])


CHECKS = {
    "notify_v1": check_notify_v1,
    "notify_negative": check_notify_negative,
    "return_v1": check_return_v1,
    "return_negative": check_return_negative,
    "response_key_mode": check_response_key_mode,
    "response_negative": check_response_negative,
    "extract": check_extract,
    "cert_sn": check_cert_sn,
    "verify_v2": check_verify_v2,
    "sign_v2": check_sign_v2,
    "aes_cbc_zero_iv": check_aes,
    "aes_v2_iv_prefixed": check_aes_v2,
    "v3_request": check_v3_request,
    "v3_response": check_v3_response,
}


def test_no_vector_is_left_out() -> None:
    assert {vector["kind"] for vector in CHECKED} == set(CHECKS)
    legacy = [vector for vector in VECTORS.values() if vector["kind"].startswith(LEGACY)]
    assert len(CHECKED) + len(legacy) == len(FILE["vectors"])
    assert len(CHECKED) == 43


@pytest.mark.parametrize("vector", CHECKED, ids=lambda vector: vector["id"])
def test_vector(vector: dict[str, Any]) -> None:
    CHECKS[vector["kind"]](vector)


def test_what_alipay_signed_is_refused_with_any_byte_of_it_changed() -> None:
    vector = VECTORS["notify.v1.node.yuque"]
    body, key = body_of(vector), key_of(vector)
    keys = VerifyingKeys((key,))
    harmless = body.index(b"sign_type=")
    for place in range(0, len(body), 7):
        changed = bytearray(body)
        changed[place] ^= 1
        if harmless <= place < harmless + len(b"sign_type=RSA2"):
            continue  # sign_type is not signed, and decides nothing
        with pytest.raises(Untrusted):
            verify(bytes(changed), keys)
