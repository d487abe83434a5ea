"""V2, ``gateway.do``: signing a request, believing an answer (protocol §2 to §4). No network."""

from __future__ import annotations

import functools
import re
from base64 import b64decode
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

from daozhang.alipay import cipher
from daozhang.alipay.answering import check_signature
from daozhang.alipay.catalogue import TOP_LEVEL_METHODS
from daozhang.alipay.config import Credentials
from daozhang.alipay.envelope import MalformedAnswer, SignedSpan, extract_signed, read_object
from daozhang.alipay.errors import AlipayError, OutcomeUnknown
from daozhang.alipay.exchange import (
    Answer,
    Call,
    CertificateNeeded,
    WireAnswer,
    WireRequest,
    content_json,
    content_texts,
    multipart,
)
from daozhang.alipay.outcomes import failure
from daozhang.clock import to_beijing_text

SUCCESS_CODES: Final = frozenset({"10000", "10003"})
"""10003 is the barcode payment that waits for its buyer: a result, to be asked about."""

_ESCAPED_SLASH: Final = re.compile(rb"(?<!\\)((?:\\\\)*)\\/")
"""A slash escaped in JSON; a backslash that is itself escaped, before a slash, is none."""

_RECURRING: Final = frozenset({"method", "timestamp", "notify_url", "return_url"})
_quoted = functools.lru_cache(maxsize=512)(quote_plus)

DOWNLOAD_METHOD: Final = "alipay.open.app.alipaycert.download"


def gateway_request(credentials: Credentials, call: Call, now: datetime) -> WireRequest:
    """``call`` as a signed request: public parameters in the query, the rest in the body."""
    public, own = parameters(credentials, call, now)
    if call.files:
        texts = {name: (None, value.encode(credentials.charset)) for name, value in own.items()}
        content_type, body = multipart(texts, call.files)
    else:
        content_type = f"application/x-www-form-urlencoded;charset={credentials.charset}"
        body = form_text(own, credentials.charset).encode("ascii")
    return WireRequest(
        verb="POST",
        url=f"{credentials.gateway_url}?{form_text(public, credentials.charset)}",
        headers={"content-type": content_type, "accept": "application/json"},
        body=body,
    )


def parameters(
    credentials: Credentials, call: Call, now: datetime
) -> tuple[dict[str, str], dict[str, str]]:
    """The parameters of ``call``: the public ones with their ``sign``, and the method's own."""
    own = _own_parameters(credentials, call)
    public = _public_parameters(credentials, call, now)
    if _is_encrypted(credentials, call):
        public["encrypt_type"] = "AES"
    public["sign"] = credentials.private_key.sign(
        request_text({**own, **public}).encode(credentials.charset), credentials.sign_type
    )
    return public, own


def request_text(texts: Mapping[str, str]) -> str:
    """The text that a request's signature covers: every parameter that is not empty, by name,
    values raw, ``sign_type`` among them (protocol §2.2)."""
    return "&".join([f"{name}={text}" for name, text in sorted(texts.items()) if text])


def form_text(texts: Mapping[str, str], charset: str) -> str:
    """``texts`` percent-encoded, as in a query or a form."""
    if charset.lower() != "utf-8":
        return urlencode(texts, encoding=charset)
    return "&".join([f"{name}={_form_value(name, text)}" for name, text in texts.items()])


def _form_value(name: str, text: str) -> str:
    """One value percent-encoded. Quoting took as long as everything else beside the signature
    before the signature was told apart from text, and what recurs was kept."""
    if name == "sign":  # base64
        return text.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    return _quoted(text) if name in _RECURRING else quote_plus(text)


def _public_parameters(credentials: Credentials, call: Call, now: datetime) -> dict[str, str]:
    certificates = credentials.certificates
    texts = {
        "app_id": credentials.app_id,
        "method": call.method,
        "format": "JSON",
        "charset": credentials.charset,
        "sign_type": credentials.sign_type,
        "timestamp": to_beijing_text(now),
        "version": "1.0",
        "notify_url": call.notify_url,
        "return_url": call.return_url,
        "app_auth_token": call.app_auth_token or credentials.app_auth_token,
        "auth_token": call.auth_token,
        "app_cert_sn": certificates.app_cert_sn if certificates else None,
        "alipay_root_cert_sn": certificates.alipay_root_cert_sn if certificates else None,
    }
    return {name: text for name, text in texts.items() if text}


def _own_parameters(credentials: Credentials, call: Call) -> dict[str, str]:
    if _is_top_level(call):
        return {name: text for name, text in content_texts(call.content).items() if text}
    if not call.content:
        return {}
    text = content_json(call.content, credentials.charset)
    if _is_encrypted(credentials, call):
        assert credentials.encrypt_key is not None
        text = cipher.encrypt(text.encode(credentials.charset), credentials.encrypt_key)
    return {"biz_content": text}


def _is_top_level(call: Call) -> bool:
    return bool(call.files) or call.method in TOP_LEVEL_METHODS


def _is_encrypted(credentials: Credentials, call: Call) -> bool:
    """Only what carries ``biz_content`` can be encrypted (protocol §4.2)."""
    if _is_top_level(call) or not call.content or call.method == DOWNLOAD_METHOD:
        return False
    return is_encryption_wanted(credentials, call)


def is_encryption_wanted(credentials: Credentials, call: Call) -> bool:
    """Whether ``call`` asks for encryption, or leaves it to credentials that hold a key."""
    wanted = credentials.encrypt_key is not None if call.encrypted is None else call.encrypted
    if wanted and credentials.encrypt_key is None:
        raise ValueError("Encryption was asked for, but the credentials hold no encrypt_key.")
    return wanted


def read_gateway_answer(
    credentials: Credentials, call: Call, answer: WireAnswer
) -> Answer | CertificateNeeded:
    """What ``answer`` says to ``call``, once it is believed; or the certificate that this takes.

    Raises `Rejected` for a definite no and `OutcomeUnknown` for everything that is neither a
    verified yes nor a no: another status, no JSON, no signature on a yes, a wrong one.
    """
    trace_id = answer.headers.get("trace_id")
    if answer.status != 200:
        raise OutcomeUnknown(
            f"The gateway answered with HTTP status {answer.status}.",
            method=call.method,
            cause="status",
            trace_id=trace_id,
        )
    try:
        span = extract_signed(answer.body, root_of(call.method))
    except MalformedAnswer as problem:
        raise OutcomeUnknown(
            str(problem), method=call.method, cause="malformed", trace_id=trace_id
        ) from None
    if span.sign is None:
        raise _unsigned(call.method, span, trace_id)
    needed = _check_span(credentials, call, span, trace_id)
    if needed is not None:
        return needed
    fields = _fields(credentials, call, span, trace_id)
    if says_no(span, fields):
        raise _no(call.method, fields, trace_id)
    return Answer(fields, trace_id)


def root_of(method: str) -> str:
    """The name under which the answer to ``method`` stands."""
    return method.replace(".", "_") + "_response"


def says_no(span: SignedSpan, fields: Mapping[str, Any]) -> bool:
    """Whether an answer's object is an error. Success of ``oauth.token`` carries no code at all."""
    code = fields.get("code")
    if code is None:
        return span.root == "error_response" or bool(fields.get("sub_code"))
    return str(code) not in SUCCESS_CODES


def _unsigned(method: str, span: SignedSpan, trace_id: str | None) -> AlipayError:
    """An answer without a signature can only say no: some of the gateway's early errors are so
    (protocol §3.1). Anything else could be anybody's."""
    if isinstance(span.value, Mapping) and says_no(span, span.value):
        return _no(method, span.value, trace_id)
    return OutcomeUnknown(
        "The answer bears no signature and is not an error, so it cannot be believed.",
        method=method,
        cause="unsigned",
        trace_id=trace_id,
    )


def _no(method: str, fields: Mapping[str, Any], trace_id: str | None) -> AlipayError:
    return failure(
        method,
        str(fields.get("code") or ""),
        str(fields.get("sub_code") or ""),
        str(fields.get("sub_msg") or fields.get("msg") or ""),
        trace_id=trace_id,
        response=fields,
    )


def _check_span(
    credentials: Credentials, call: Call, span: SignedSpan, trace_id: str | None
) -> CertificateNeeded | None:
    """Verifies the bytes as they came and, if they hold ``\\/``, once more with ``/`` instead:
    some of Alipay's systems sign before they escape (protocol §3.2)."""
    assert span.sign is not None
    sign, serial = span.sign, span.alipay_cert_sn
    try:
        return check_signature(
            credentials, span.content, sign, serial, method=call.method, trace_id=trace_id
        )
    except OutcomeUnknown:
        if rb"\/" not in span.content:
            raise
    unescaped = _ESCAPED_SLASH.sub(rb"\1/", span.content)
    return check_signature(
        credentials, unescaped, sign, serial, method=call.method, trace_id=trace_id
    )


def _fields(
    credentials: Credentials, call: Call, span: SignedSpan, trace_id: str | None
) -> Mapping[str, Any]:
    """The object of a verified answer, decrypted if it came encrypted."""
    if isinstance(span.value, Mapping):
        return span.value
    if credentials.encrypt_key is None:
        raise OutcomeUnknown(
            "The answer is encrypted, but the credentials hold no encrypt_key.",
            method=call.method,
            cause="decryption",
            trace_id=trace_id,
        )
    return decrypted_object(credentials.encrypt_key, span.value, call.method, trace_id)


def decrypted_object(
    encrypt_key: str, text: str, method: str, trace_id: str | None
) -> Mapping[str, Any]:
    """The JSON object inside an encrypted answer. Raises `OutcomeUnknown` if there is none."""
    try:
        return read_object(cipher.decrypt(text, encrypt_key))[0]
    except ValueError as problem:
        raise OutcomeUnknown(
            f"The answer could not be decrypted: {problem}",
            method=method,
            cause="decryption",
            trace_id=trace_id,
        ) from None


def download_call(sn: str) -> Call:
    """The call that fetches Alipay's certificate ``sn``."""
    return Call(DOWNLOAD_METHOD, {"alipay_cert_sn": sn}, encrypted=False)


def read_download(answer: WireAnswer) -> bytes:
    """The certificate (PEM) inside the answer to `download_call`, not yet trusted: its signature
    could only be verified with the certificate itself, so its chain must prove it (§1.4).

    Raises `MalformedAnswer`.
    """
    if answer.status != 200:
        raise MalformedAnswer(f"The download answered with HTTP status {answer.status}.")
    span = extract_signed(answer.body, root_of(DOWNLOAD_METHOD))
    content = "" if isinstance(span.value, str) else span.value.get("alipay_cert_content")
    if not content or not isinstance(content, str):
        raise MalformedAnswer("The download answered without a certificate.")
    try:
        return b64decode(content, validate=True)
    except ValueError:
        raise MalformedAnswer("The downloaded certificate is not base64.") from None
