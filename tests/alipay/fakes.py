"""A gateway of the tests' own: it answers through httpx2.MockTransport and signs with made keys.

It reads requests with the standard library, not with the code under test.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from daozhang.alipay import Credentials, Environment, PrivateKey, PublicKey
from daozhang.alipay.certificates import CertificateSet

APP_ID = "2021000000000001"
ENCRYPT_KEY = base64.b64encode(bytes(range(16))).decode()

APP_KEY = rsa.generate_private_key(65537, 2048)
ALIPAY_KEY = rsa.generate_private_key(65537, 2048)
OTHER_KEY = rsa.generate_private_key(65537, 2048)
ROOT_KEY = rsa.generate_private_key(65537, 2048)


def private_key(key: rsa.RSAPrivateKey) -> PrivateKey:
    return PrivateKey.load(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def public_key(key: rsa.RSAPrivateKey) -> PublicKey:
    return PublicKey.load(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )


def credentials(**changes: Any) -> Credentials:
    values: dict[str, Any] = {
        "app_id": APP_ID,
        "private_key": private_key(APP_KEY),
        "alipay_public_key": public_key(ALIPAY_KEY),
        "environment": Environment.SANDBOX,
    }
    return Credentials(**(values | changes))


def signature(content: bytes, key: rsa.RSAPrivateKey = ALIPAY_KEY, *, sha1: bool = False) -> str:
    algorithm = hashes.SHA1() if sha1 else hashes.SHA256()
    return base64.b64encode(key.sign(content, padding.PKCS1v15(), algorithm)).decode()


def is_signed(content: bytes, sign: str, *, sha1: bool = False) -> bool:
    """Whether the app signed ``content``; raises if not."""
    algorithm = hashes.SHA1() if sha1 else hashes.SHA256()
    APP_KEY.public_key().verify(base64.b64decode(sign), content, padding.PKCS1v15(), algorithm)
    return True


def compact(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def envelope(
    node: bytes,
    *,
    root: str = "alipay_trade_query_response",
    key: rsa.RSAPrivateKey = ALIPAY_KEY,
    sn: str | None = None,
    signed: bool = True,
    over: bytes | None = None,
) -> bytes:
    """A V2 answer around ``node``, signed over it (or over ``over``)."""
    tail = b""
    if sn is not None:
        tail += b',"alipay_cert_sn":"%b"' % sn.encode()
    if signed:
        tail += b',"sign":"%b"' % signature(node if over is None else over, key).encode()
    return b'{"%b":%b%b}' % (root.encode(), node, tail)


def rest_headers(
    body: bytes, *, key: rsa.RSAPrivateKey = ALIPAY_KEY, sn: str | None = None
) -> dict[str, str]:
    """The headers with which V3 signs ``body``."""
    stamp, nonce = "1717756911576", "4f14052a803e6219a069e9635961a5a5"
    headers = {
        "alipay-timestamp": stamp,
        "alipay-nonce": nonce,
        "alipay-signature": signature(f"{stamp}\n{nonce}\n".encode() + body + b"\n", key),
        "alipay-trace-id": "trace-3",
    }
    return headers | ({"alipay-sn": sn} if sn else {})


def form(text: str | bytes) -> dict[str, str]:
    """A query or form, decoded; no name twice."""
    raw = text.decode("ascii") if isinstance(text, bytes) else text
    pairs = parse_qsl(raw, keep_blank_values=True, strict_parsing=bool(raw))
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def gateway_parameters(request: httpx2.Request) -> dict[str, str]:
    """All text parameters of a V2 request, query and form together, its signature checked."""
    query = form(urlsplit(str(request.url)).query)
    body = form(request.content)
    assert not query.keys() & body.keys()
    return checked(query | body)


def checked(parameters: Mapping[str, str], charset: str = "utf-8") -> dict[str, str]:
    """``parameters`` of which the sign has been proven to be the app's."""
    text = "&".join(
        f"{name}={value}" for name, value in sorted(parameters.items()) if value and name != "sign"
    )
    sha1 = parameters["sign_type"] == "RSA"
    assert is_signed(text.encode(charset), parameters["sign"], sha1=sha1)
    return dict(parameters)


Respond = Callable[[httpx2.Request], httpx2.Response]


@dataclass
class Gateway:
    """Plays ``respond`` and keeps every request."""

    respond: Respond
    requests: list[httpx2.Request] = field(default_factory=list[httpx2.Request])

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        return self.respond(request)

    @property
    def transport(self) -> httpx2.MockTransport:
        return httpx2.MockTransport(self)


def answering(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Gateway:
    """A gateway that always answers the same."""
    kept = {"trace_id": "trace-2"} | dict(headers or {})
    return Gateway(lambda _: httpx2.Response(status, headers=kept, content=body))


@dataclass
class Authority:
    """A root of the tests' own, and what it issues."""

    name: x509.Name = field(
        default_factory=lambda: x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
                x509.NameAttribute(NameOID.COMMON_NAME, "Test Root R1"),
            ]
        )
    )
    key: rsa.RSAPrivateKey = ROOT_KEY

    def certificate(
        self,
        key: rsa.RSAPrivateKey,
        common_name: str,
        *,
        days: tuple[int, int] = (-1, 365),
        authority: bool = False,
    ) -> bytes:
        now = datetime.now(UTC)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        made = (
            x509.CertificateBuilder()
            .subject_name(self.name if authority else subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + timedelta(days=days[0]))
            .not_valid_after(now + timedelta(days=days[1]))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .sign(self.key, hashes.SHA256())
        )
        return made.public_bytes(serialization.Encoding.PEM)

    def certificates(self) -> CertificateSet:
        """App, Alipay and root, as a merchant has them."""
        return CertificateSet.load(
            app=self.certificate(APP_KEY, "app"),
            alipay=self.certificate(ALIPAY_KEY, "alipay"),
            root=self.certificate(self.key, "root", authority=True),
        )
