"""V3, ``/v3/...``: signing a request, believing an answer (protocol §5). No network.

V3 knows RSA2 and UTF-8 only, and has no pages: those are V2's in every SDK.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote, urlencode

from daozhang.alipay import cipher
from daozhang.alipay.answering import check_signature
from daozhang.alipay.catalogue import method_named
from daozhang.alipay.config import Credentials
from daozhang.alipay.envelope import MalformedAnswer, read_object
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
from daozhang.alipay.gateway import decrypted_object, is_encryption_wanted
from daozhang.alipay.outcomes import failure

_PLACE: Final = re.compile(r"\{(\w+)\}")


def rest_request(credentials: Credentials, call: Call, now: datetime) -> WireRequest:
    """``call`` as a signed V3 request.

    Raises `UnknownMethod` or `ValueError` if V3 has no such method; nothing was sent then.
    """
    if credentials.sign_type != "RSA2":
        raise ValueError("V3 signs with RSA2 only; the credentials are configured for RSA.")
    verb, uri, content = _address(call)
    token = call.app_auth_token or credentials.app_auth_token
    headers, signed_body, body = _body(credentials, call, verb, content)
    text = signed_text(_parties(credentials, now), verb, uri, signed_body, token)
    headers |= {
        "authorization": authorization(credentials, text),
        "accept": "application/json",
        "alipay-request-id": secrets.token_hex(16),
    }
    if token:
        headers["alipay-app-auth-token"] = token
    if credentials.certificates is not None:
        headers["alipay-root-cert-sn"] = credentials.certificates.alipay_root_cert_sn
    return WireRequest(verb, credentials.v3_base_url + uri, headers, body)


def signed_text(
    parties: str, verb: str, uri: str, body: str, app_auth_token: str | None = None
) -> str:
    """The text that a request's signature covers: every line ends with a line feed, an empty body
    is an empty line, ``uri`` is path and query exactly as sent (protocol §5.3)."""
    lines = [parties, verb, uri, body]
    if app_auth_token:
        lines.append(app_auth_token)
    return "".join([f"{line}\n" for line in lines])


def authorization(credentials: Credentials, text: str) -> str:
    """The ``Authorization`` header over ``text``, which begins with the parties."""
    sign = credentials.private_key.sign(text.encode(), "RSA2")
    parties = text.partition("\n")[0]
    return f"ALIPAY-SHA256withRSA {parties},sign={sign}"


def signed_answer(timestamp: str, nonce: str, body: bytes) -> bytes:
    """The bytes that an answer's signature covers (protocol §5.5)."""
    return b"%b\n%b\n%b\n" % (timestamp.encode(), nonce.encode(), body)


def _parties(credentials: Credentials, now: datetime) -> str:
    serial = credentials.certificates and f"app_cert_sn={credentials.certificates.app_cert_sn}"
    parts = [
        f"app_id={credentials.app_id}",
        serial,
        f"nonce={secrets.token_hex(16)}",
        f"timestamp={round(now.timestamp() * 1000)}",
    ]
    return ",".join([part for part in parts if part])


def _address(call: Call) -> tuple[str, str, dict[str, Any]]:
    """Verb, path with query, and what is left of the content for the body."""
    address = method_named(call.method).v3
    if address is None:
        raise ValueError(f"{call.method} exists in V2 only: use a client with protocol='v2'.")
    verb, _, path = address.partition(" ")
    content = {name: value for name, value in call.content.items() if value is not None}
    for name in _PLACE.findall(path):
        if not content.get(name):
            raise ValueError(f"{call.method} needs {name}: it is part of the address.")
        path = path.replace(f"{{{name}}}", quote(str(content.pop(name)), safe=""))
    if call.notify_url:
        content["notify_url"] = call.notify_url
    if call.auth_token:
        content["auth_token"] = call.auth_token
    if verb == "GET":
        query = urlencode(content_texts(content))
        return verb, f"{path}?{query}" if query else path, {}
    return verb, path, content


def _body(
    credentials: Credentials, call: Call, verb: str, content: Mapping[str, Any]
) -> tuple[dict[str, str], str, bytes]:
    """Headers, the text that is signed, and the bytes that are sent."""
    encrypted = is_encryption_wanted(credentials, call) and not call.files
    headers = {"alipay-encrypt-type": "AES"} if encrypted else {}
    if verb == "GET":
        return headers, "", b""
    text = content_json(content)
    if call.files:
        data = {"data": ("application/json", text.encode())}
        content_type, body = multipart(data, call.files)
        return {"content-type": content_type}, text, body
    if encrypted:
        assert credentials.encrypt_key is not None
        text = cipher.encrypt(text.encode(), credentials.encrypt_key)
    headers["content-type"] = "text/plain" if encrypted else "application/json"
    return headers, text, text.encode()


def read_rest_answer(
    credentials: Credentials, call: Call, answer: WireAnswer
) -> Answer | CertificateNeeded:
    """What ``answer`` says to ``call``, once it is believed; or the certificate that this takes.

    Raises `Rejected` for a definite no and `OutcomeUnknown` for everything that is neither a
    verified yes nor a no, 5xx included.
    """
    trace_id = answer.headers.get("alipay-trace-id")
    succeeded = 200 <= answer.status < 300
    if not succeeded and not 400 <= answer.status < 500:
        raise OutcomeUnknown(
            f"Alipay answered with HTTP status {answer.status}.",
            method=call.method,
            cause="status",
            trace_id=trace_id,
        )
    needed = _check_headers(credentials, call, answer, succeeded, trace_id)
    if needed is not None:
        return needed
    fields = _object(credentials, call, answer, succeeded, trace_id)
    if not succeeded:
        raise _no(call.method, answer.status, fields, trace_id)
    return Answer(fields, trace_id)


def _check_headers(
    credentials: Credentials,
    call: Call,
    answer: WireAnswer,
    succeeded: bool,
    trace_id: str | None,
) -> CertificateNeeded | None:
    """A yes must be signed; a no is verified where it is (the gateway writes ``null`` for none)."""
    headers = answer.headers
    sign = headers.get("alipay-signature", "null")
    if sign == "null":
        if not succeeded:
            return None
        raise OutcomeUnknown(
            "The answer says yes but bears no signature, so it cannot be believed.",
            method=call.method,
            cause="unsigned",
            trace_id=trace_id,
        )
    content = signed_answer(
        headers.get("alipay-timestamp", ""), headers.get("alipay-nonce", ""), answer.body
    )
    return check_signature(
        credentials,
        content,
        sign,
        headers.get("alipay-sn"),
        method=call.method,
        trace_id=trace_id,
    )


def _object(
    credentials: Credentials,
    call: Call,
    answer: WireAnswer,
    succeeded: bool,
    trace_id: str | None,
) -> Mapping[str, Any]:
    """The answer's object. Only a yes can come encrypted, and then it begins with no brace."""
    body = answer.body.strip()
    if succeeded and not body:
        return {}
    if succeeded and credentials.encrypt_key is not None and not body.startswith(b"{"):
        text = body.decode("latin-1")
        return decrypted_object(credentials.encrypt_key, text, call.method, trace_id)
    try:
        return read_object(body)[0]
    except MalformedAnswer as problem:
        raise OutcomeUnknown(
            f"HTTP status {answer.status}: {problem}",
            method=call.method,
            cause="malformed",
            trace_id=trace_id,
        ) from None


def _no(method: str, status: int, fields: Mapping[str, Any], trace_id: str | None) -> AlipayError:
    code = fields.get("code")
    if not isinstance(code, str) or not code:
        return OutcomeUnknown(
            f"HTTP status {status}, and the answer names no error code.",
            method=method,
            cause="malformed",
            trace_id=trace_id,
        )
    message = str(fields.get("message") or "")
    return failure(method, str(status), code, message, trace_id=trace_id, response=fields)
