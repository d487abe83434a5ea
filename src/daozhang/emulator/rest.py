"""The V3 gateway, ``/v3/...``: signed headers and bodies instead of signed parameters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from daozhang.emulator import errors, wire
from daozhang.emulator.calls import Outcome, TimedOut, carry_out, method_named
from daozhang.emulator.desk import Desk
from daozhang.emulator.errors import GatewayError
from daozhang.emulator.gateway import ECHO, invalid_token
from daozhang.emulator.identity import App
from daozhang.emulator.methods.catalogue import NOT_IMITATED, V3_GET, V3_PATHS, Method
from daozhang.emulator.methods.terms import Call
from daozhang.emulator.notifier import Notifier
from daozhang.emulator.requests import REFUSED_AFTER, read_body
from daozhang.emulator.wire import Unreadable

SCHEME: Final = "ALIPAY-SHA256withRSA "
_MILLISECONDS: Final = re.compile(r"[0-9]{13}", re.ASCII)


@dataclass(slots=True)
class Talk:
    """What is known of a request so far."""

    app: App | None = None
    certificate_mode: bool = False
    encrypted: bool = False


class Rest:
    """The endpoint of every path under ``/v3/``."""

    def __init__(self, desk: Desk, notifier: Notifier, methods: dict[str, Method]) -> None:
        self._desk = desk
        self._notifier = notifier
        self._methods = methods

    async def handle(self, request: Request) -> Response:
        """Any verb, any path under ``/v3/``."""
        talk = Talk()
        try:
            body = await _body(request)
            call = self._authenticate(request, body, talk)
            method = method_named(self._methods, call.method)
            outcome = await carry_out(self._desk, self._notifier, method, call)
        except GatewayError as problem:
            outcome = Outcome(None, problem)
        except TimedOut:
            return Response(
                "<html><h1>504 Gateway Time-out</h1></html>", 504, media_type="text/html"
            )
        return self._answer(talk, outcome)

    def _authenticate(self, request: Request, body: bytes, talk: Talk) -> Call:
        claims, signed, signature = _authorization(request)
        app = self._app_of(claims)
        talk.app = app
        method = _method_of(request)
        self._check_time(claims, app)
        if "app_cert_sn" in claims:
            self._check_certificates(request, claims, app)
            talk.certificate_mode = True
        token = request.headers.get("alipay-app-auth-token", "")
        content = _signed_content(request, signed, body, token)
        if not wire.verify(app.public_key, content, signature):
            shown = content.decode("utf-8", "replace")
            raise GatewayError("40002", "isv.invalid-signature", ECHO + shown)
        merchant = app
        if token:
            merchant = self._desk.identities.app_by_token(token) or _no_merchant()
        return Call(
            method=method,
            app=app,
            merchant=merchant,
            terms=self._content(request, body, app, talk),
            now=self._desk.now(),
        )

    def _app_of(self, claims: dict[str, str]) -> App:
        app_id = claims.get("app_id", "")
        if not app_id:
            raise errors.missing("app-id")
        app = self._desk.identities.app_by_id(app_id)
        if app is None:
            raise errors.invalid("isv.invalid-app-id")
        return app

    def _check_time(self, claims: dict[str, str], app: App) -> None:
        timestamp = claims.get("timestamp", "")
        if not timestamp:
            raise errors.missing("timestamp")
        if not _MILLISECONDS.fullmatch(timestamp):
            raise errors.invalid("isv.invalid-timestamp")
        away_seconds = abs(int(timestamp) / 1000 - self._desk.now().timestamp())
        strict = self._desk.switches(app.app_id).strict_timestamp
        if strict and away_seconds > REFUSED_AFTER.total_seconds():
            raise errors.invalid("isv.invalid-timestamp")

    def _check_certificates(self, request: Request, claims: dict[str, str], app: App) -> None:
        if claims["app_cert_sn"] != app.certificate_sn:
            raise errors.invalid("isv.app-cert-not-exist")
        root = request.headers.get("alipay-root-cert-sn", "")
        if not root:
            raise errors.missing("alipay-root-cert-sn")
        if root != self._desk.identities.authority.root_sn:
            raise errors.invalid("isv.invalid-alipay-root-cert-sn")

    def _content(self, request: Request, body: bytes, app: App, talk: Talk) -> dict[str, Any]:
        if request.method == "GET":
            return dict(request.query_params)
        kind = request.headers.get("alipay-encrypt-type", "")
        if kind and kind != "AES":
            raise errors.invalid("isv.invalid-encrypt-type")
        try:
            content = wire.decrypt(body, app.aes_key) if kind and body else body
        except Unreadable as problem:
            raise errors.invalid("isv.decryption-error-unknown") from problem
        talk.encrypted = bool(kind)
        try:
            return wire.read_json_object(content) if content else {}
        except Unreadable as problem:
            raise errors.invalid("isv.invalid-parameter", f"body: {problem}") from problem

    def _answer(self, talk: Talk, outcome: Outcome) -> Response:
        status, text, media_type = 200, "", "application/json;charset=utf-8"
        trace_id = wire.random_hex()
        if outcome.error is not None:
            status = outcome.error.v3_status
            text = wire.compact_json(_error_content(outcome.error, trace_id))
        else:
            # V2 tells its own codes in the answer; here the status of HTTP is the code.
            said = {k: v for k, v in (outcome.content or {}).items() if k not in ("code", "msg")}
            text = wire.compact_json(said)
            if talk.encrypted and talk.app is not None:
                text = wire.encrypt(text.encode(), talk.app.aes_key)
                media_type = "text/plain;charset=utf-8"
        body = text.encode("gb18030" if outcome.in_gbk else "utf-8")
        headers = {"alipay-trace-id": trace_id, "content-type": media_type}
        if not outcome.unsigned and talk.app is not None:
            headers |= self._signature_headers(talk, outcome, body)
        return Response(body, status, headers)

    def _signature_headers(self, talk: Talk, outcome: Outcome, body: bytes) -> dict[str, str]:
        authority = self._desk.identities.authority
        timestamp = str(int(self._desk.now().timestamp() * 1000))
        nonce = wire.random_hex()
        signed = f"{timestamp}\n{nonce}\n".encode() + body + b"\n"
        if outcome.spoil_signature:
            signed += b"\n"
        headers = {
            "alipay-timestamp": timestamp,
            "alipay-nonce": nonce,
            "alipay-signature": wire.sign(authority.private_key, signed),
        }
        if talk.certificate_mode:
            headers["alipay-sn"] = authority.certificate_sn
        return headers


async def _body(request: Request) -> bytes:
    try:
        return await read_body(request)
    except Unreadable as problem:
        raise errors.invalid("isv.invalid-parameter", str(problem)) from problem


def _authorization(request: Request) -> tuple[dict[str, str], str, str]:
    """The claims of the Authorization header, the text that is signed, and the signature."""
    header = request.headers.get("authorization", "")
    if not header:
        raise errors.missing("signature")
    if not header.startswith(SCHEME):
        raise errors.invalid("isv.invalid-signature-type", f"Authorization: {SCHEME.strip()} ...")
    signed, mark, signature = header.removeprefix(SCHEME).rpartition(",sign=")
    if not mark:
        raise errors.missing("signature")
    claims: dict[str, str] = {}
    for claim in signed.split(","):
        name, _, value = claim.partition("=")
        claims[name.strip()] = value.strip()
    return claims, signed, signature


def _method_of(request: Request) -> str:
    path = request.url.path
    method = V3_PATHS.get(path)
    verb = "GET" if method in V3_GET else "POST"
    if method is not None and request.method == verb:
        return method
    if method is not None:
        raise errors.invalid("isv.invalid-method", f"{path}只接受{verb} (this path is {verb})")
    name = path.removeprefix("/v3/").replace("/", ".")
    known = name in NOT_IMITATED
    detail = (
        "支付宝有此接口，但本仿真器尚未实现 (Alipay has it, this emulator has not)" if known else ""
    )
    raise errors.invalid("isv.invalid-method", detail)


def _signed_content(request: Request, claims: str, body: bytes, token: str) -> bytes:
    """What V3 signs: claims, verb, address as on the wire, body, and the token if there is one."""
    uri: bytes = request.scope.get("raw_path") or request.url.path.encode()
    uri = uri.partition(b"?")[0]
    query: bytes = request.scope["query_string"]
    if query:
        uri += b"?" + query
    lines = [claims.encode("latin-1"), request.method.encode(), uri, body]
    if token:
        lines.append(token.encode("latin-1"))
    return b"".join(line + b"\n" for line in lines)


def _no_merchant() -> App:
    raise invalid_token()


def _error_content(problem: GatewayError, trace_id: str) -> dict[str, Any]:
    link = f"https://open.alipay.com/api/errCheck?traceId={trace_id}&source=openapi"
    return {
        "code": problem.v3_code,
        "links": [{"link": link, "desc": "解决方案"}],
        "message": problem.sub_msg,
    }
