"""Keys: every wrapping in which people have them, and a sentence for what is no key."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from hypothesis import given, settings
from hypothesis import strategies as st

from alipay.fakes import ALIPAY_KEY, APP_KEY, ENCRYPT_KEY, Authority, private_key, public_key
from daozhang.alipay.config import Credentials, Environment
from daozhang.alipay.errors import ConfigurationError, KeyIsYourOwn, KeyProblem
from daozhang.alipay.keys import PrivateKey, PublicKey

DER, PEM = serialization.Encoding.DER, serialization.Encoding.PEM
PLAIN = serialization.NoEncryption()
PKCS1, PKCS8 = (
    serialization.PrivateFormat.TraditionalOpenSSL,
    serialization.PrivateFormat.PKCS8,
)
PRIVATE_DERS = [APP_KEY.private_bytes(DER, form, PLAIN) for form in (PKCS1, PKCS8)]
PUBLIC_DERS = [
    APP_KEY.public_key().public_bytes(DER, form)
    for form in (
        serialization.PublicFormat.PKCS1,
        serialization.PublicFormat.SubjectPublicKeyInfo,
    )
]
CERTIFICATE = Authority().certificate(APP_KEY, "app")
PRIVATE_LABELS = ["", "PRIVATE KEY", "RSA PRIVATE KEY", "PUBLIC KEY"]
PUBLIC_LABELS = ["", "PUBLIC KEY", "RSA PUBLIC KEY", "CERTIFICATE", "RSA PRIVATE KEY"]


@st.composite
def wrapping(draw: st.DrawFn, ders: list[bytes], labels: list[str]) -> str | bytes:
    """One of ``ders`` as somebody might have it: cut into lines, under any header, and spoilt."""
    der = draw(st.sampled_from(ders))
    if draw(st.integers(0, 9)) == 0:
        return der
    text = base64.b64encode(der).decode()
    width = draw(st.sampled_from([len(text), 64, 76, 20]))
    end = draw(st.sampled_from(["\n", "\r\n", "\\n", " \n", "\n\n", "\\r\\n"]))
    lines = end.join(text[at : at + width] for at in range(0, len(text), width))
    if label := draw(st.sampled_from(labels)):
        lines = f"-----BEGIN {label}-----{end}{lines}{end}-----END {label}-----"
    if draw(st.booleans()):
        lines = (
            draw(st.sampled_from([" ", "\t", "\n", '"', "'", "\ufeff", "\u00a0", "\u200b"])) + lines
        )
    if draw(st.booleans()):
        lines += draw(st.sampled_from([" ", "\n\n", '"', "'", end]))
    form = draw(st.sampled_from(["str", "utf-8", "utf-16", "utf-8-sig"]))
    return lines if form == "str" else lines.encode(form)


@settings(max_examples=100, deadline=None)
@given(wrapping(PRIVATE_DERS, PRIVATE_LABELS))
def test_a_private_key_is_the_same_in_every_wrapping(wrapped: str | bytes) -> None:
    assert PrivateKey.load(wrapped).fingerprint == private_key(APP_KEY).fingerprint


@settings(max_examples=300, deadline=None)
@given(wrapping(PUBLIC_DERS, PUBLIC_LABELS))
def test_a_public_key_is_the_same_in_every_wrapping(wrapped: str | bytes) -> None:
    assert PublicKey.load(wrapped) == public_key(APP_KEY)


def test_a_certificate_gives_its_public_key() -> None:
    assert PublicKey.load(CERTIFICATE) == public_key(APP_KEY)
    assert PublicKey.load(CERTIFICATE.decode().replace("\n", "\r\n")) == public_key(APP_KEY)


def test_a_path_is_read_only_when_it_is_a_path(tmp_path: Path) -> None:
    file = tmp_path / "app_private_key.pem"
    file.write_bytes(APP_KEY.private_bytes(PEM, PKCS8, PLAIN))
    assert PrivateKey.load(file).fingerprint == private_key(APP_KEY).fingerprint
    with pytest.raises(KeyProblem, match=r"pathlib\.Path"):
        PrivateKey.load(str(file))
    with pytest.raises(KeyProblem, match="cannot be read"):
        PrivateKey.load(tmp_path / "absent.pem")


EC_KEY = ec.generate_private_key(ec.SECP256R1())
LOCKED = APP_KEY.private_bytes(PEM, PKCS8, serialization.BestAvailableEncryption(b"secret"))
LOCKED_OLD = APP_KEY.private_bytes(PEM, PKCS1, serialization.BestAvailableEncryption(b"secret"))
PRIVATE_PEM = APP_KEY.private_bytes(PEM, PKCS8, PLAIN)
PUBLIC_BASE64 = base64.b64encode(PUBLIC_DERS[1]).decode()
PRIVATE_BASE64 = base64.b64encode(PRIVATE_DERS[1]).decode()
EC_PRIVATE = EC_KEY.private_bytes(PEM, PKCS8, PLAIN)
EC_PUBLIC = EC_KEY.public_key().public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("", "empty"),
        (b" \r\n", "empty"),
        (PUBLIC_BASE64, "public key or certificate"),
        (CERTIFICATE, "public key or certificate"),
        (LOCKED, "encrypted"),
        (LOCKED_OLD, "encrypted"),
        (EC_PRIVATE, "RSA"),
        (PRIVATE_BASE64[:-200], "cut off"),
        (PRIVATE_BASE64[:-201], "Copy it again"),
        (ENCRYPT_KEY, "AES"),
        ("keys/app_private_key.pem", "file name"),
        ("../app_private_key.txt", "file name"),
        ("密钥", "neither PEM, DER nor base64"),
        ("x" * 70_000, "no key"),
    ],
)
def test_what_is_no_private_key_is_named(source: str | bytes, says: str) -> None:
    with pytest.raises(KeyProblem, match=says):
        PrivateKey.load(source)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("", "empty"),
        (PRIVATE_PEM, "private key"),
        (PRIVATE_BASE64, "private key"),
        (base64.b64encode(PRIVATE_DERS[0]), "private key"),
        (LOCKED, "private key"),
        (EC_PUBLIC, "RSA"),
        (EC_PRIVATE, "private key"),
        (PUBLIC_BASE64[:-40], "cut off"),
        (ENCRYPT_KEY, "AES"),
        ("alipay_public_key.pem", "file name"),
    ],
)
def test_what_is_no_public_key_is_named(source: str | bytes, says: str) -> None:
    with pytest.raises(KeyProblem, match=says):
        PublicKey.load(source)


@pytest.mark.parametrize("dashes", ["----", "------", "---"])
def test_a_miscounted_dash_does_no_harm(dashes: str) -> None:
    pem = PRIVATE_PEM.decode().replace("-----", dashes)
    assert PrivateKey.load(pem).fingerprint == private_key(APP_KEY).fingerprint


def test_no_message_or_repr_holds_a_private_key() -> None:
    key = PrivateKey.load(PRIVATE_PEM)
    assert key.pkcs8_base64()[40:80] not in repr(key)
    with pytest.raises(KeyProblem) as problem:
        PublicKey.load(PRIVATE_PEM)
    assert PRIVATE_BASE64[40:80] not in str(problem.value)
    with pytest.raises(KeyProblem) as cut:
        PrivateKey.load(PRIVATE_BASE64[:-201] + "!")
    assert PRIVATE_BASE64[40:80] not in str(cut.value)


@pytest.mark.parametrize(("sign_type", "sha"), [("RSA2", hashes.SHA256()), ("RSA", hashes.SHA1())])
def test_signatures_are_pkcs1_with_the_one_hash(sign_type: str, sha: hashes.HashAlgorithm) -> None:
    key, other = private_key(APP_KEY), "RSA" if sign_type == "RSA2" else "RSA2"
    signed = key.sign(b"text", sign_type)  # type: ignore[arg-type]
    assert base64.b64decode(signed) == APP_KEY.sign(b"text", padding.PKCS1v15(), sha)
    assert key.public.verify(b"text", signed, sign_type)  # type: ignore[arg-type]
    assert key.public.verify(b"text", signed.encode(), sign_type)  # type: ignore[arg-type]
    assert not key.public.verify(b"text", signed, other)  # type: ignore[arg-type]
    assert not key.public.verify(b"Text", signed, sign_type)  # type: ignore[arg-type]


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(max_size=400), st.binary(max_size=400)))
def test_a_bad_signature_is_false_and_never_an_error(signature: str | bytes) -> None:
    assert not public_key(ALIPAY_KEY).verify(b"text", signature)


def test_base64_is_strict() -> None:
    signed = private_key(APP_KEY).sign(b"text")
    for spoilt in (
        signed[:100] + "\n" + signed[100:],
        signed + "=",
        signed.rstrip("="),
        " " + signed,
    ):
        assert not private_key(APP_KEY).public.verify(b"text", spoilt)


def test_both_exports_load_again() -> None:
    key = private_key(APP_KEY)
    assert base64.b64decode(key.pkcs1_base64()) == PRIVATE_DERS[0]
    assert base64.b64decode(key.pkcs8_base64()) == PRIVATE_DERS[1]
    assert key.public.base64() == PUBLIC_BASE64


def made(**changes: object) -> Credentials:
    values: dict[str, object] = {
        "app_id": "2021000000000001",
        "environment": Environment.PRODUCTION,
        "private_key": private_key(APP_KEY),
        "alipay_public_key": public_key(ALIPAY_KEY),
    }
    return Credentials(**(values | changes))  # type: ignore[arg-type]


def test_the_apps_own_key_is_refused_as_alipays() -> None:
    with pytest.raises(KeyIsYourOwn, match="own"):
        made(alipay_public_key=public_key(APP_KEY))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"alipay_public_key": None}, "either"),
        ({"gateway_url": "https://openapi.example.com/gateway.do"}, "gateway_url"),
        ({"v3_base_url": "http://127.0.0.1:1"}, "v3_base_url"),
        ({"environment": Environment.SANDBOX, "gateway_url": "http://x/"}, "gateway_url"),
        ({"encrypt_key": "short"}, "encrypt_key"),
        ({"charset": "koi8-r"}, "charset"),
    ],
)
def test_what_does_not_go_together_is_named(changes: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        made(**changes)


def test_only_the_emulator_has_addresses_of_its_own() -> None:
    emulator = made(
        environment=Environment.EMULATOR,
        gateway_url="http://127.0.0.1:9/gateway.do",
        v3_base_url="http://127.0.0.1:9/",
    )
    assert emulator.gateway_url == "http://127.0.0.1:9/gateway.do"
    assert emulator.v3_base_url == "http://127.0.0.1:9"
    assert made().gateway_url == "https://openapi.alipay.com/gateway.do"


def test_credentials_never_show_a_secret() -> None:
    shown = repr(made(encrypt_key=ENCRYPT_KEY, app_auth_token="token-of-a-shop"))
    assert ENCRYPT_KEY not in shown
    assert "token-of-a-shop" not in shown
    assert private_key(APP_KEY).pkcs8_base64()[40:80] not in shown


def test_alipays_published_keys_load() -> None:
    vectors = json.loads((Path(__file__).parent / "data/vectors.json").read_text("utf-8"))
    for text in vectors["alipay_public_keys"].values():
        assert PublicKey.load(text).base64() == text
