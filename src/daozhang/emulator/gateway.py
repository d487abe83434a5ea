"""The V2 gateway, ``/gateway.do``: reads, checks and answers requests as Alipay's does.

The order of the checks is Alipay's: the app before the method, that before the time, and the
signature last, so that a wrong key is not blamed for a wrong app id.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from daozhang.clock import from_beijing_text
from daozhang.emulator import errors, pages, wire
from daozhang.emulator.calls import Outcome, TimedOut, carry_out, method_named
from daozhang.emulator.desk import Desk
from daozhang.emulator.errors import GatewayError
from daozhang.emulator.identity import App
from daozhang.emulator.ledger import Declined
from daozhang.emulator.methods.catalogue import APP_PAY, PAGES, Method
from daozhang.emulator.methods.terms import Call
from daozhang.emulator.notifier import Notifier
from daozhang.emulator.requests import METHOD_NAME, REFUSED_AFTER, STALE_AFTER, read_body
from daozhang.emulator.wire import Form, Unreadable

ECHO: Final = "验签出错，建议检查签名字符串或签名私钥与应用公钥是否匹配，网关生成的验签字符串为："
_FORMATS: Final = ("", "json", "xml")


@dataclass(slots=True)
class Conversation:
    """What is known of a request so far; an answer is made from it at any point."""

    root: str = "error_response"
    method: str = ""
    charset: str = "utf-8"
    sign_type: str = "RSA2"
    app: App | None = None
    certificate_mode: bool = False
    encrypted: bool = False
    warnings: list[str] = field(default_factory=list[str])


class Gateway:
    """The endpoint, and the same checks for order strings that an app hands over."""

    def __init__(self, desk: Desk, notifier: Notifier, methods: dict[str, Method]) -> None:
        self._desk = desk
        self._notifier = notifier
        self._methods = methods

    async def handle(self, request: Request) -> Response:
        """``GET`` and ``POST /gateway.do``."""
        talk = Conversation()
        try:
            form = await self._read(request, talk)
            call = self.authenticate(form, talk)
            if call.method in PAGES:
                return self._hand_out(call)
            method = method_named(self._methods, call.method)
            outcome = await carry_out(self._desk, self._notifier, method, call)
        except GatewayError as problem:
            if talk.method in PAGES:
                return pages.problem_page(request, problem.sub_code, problem.sub_msg)
            outcome = Outcome(None, problem, unsigned=not problem.signed)
            talk.encrypted = False
        except TimedOut:
            return Response(
                "<html><h1>504 Gateway Time-out</h1></html>", 504, media_type="text/html"
            )
        return self._answer(talk, outcome)

    async def _read(self, request: Request, talk: Conversation) -> Form:
        try:
            body = await read_body(request)
            content_type = request.headers.get("content-type", "").encode("latin-1")
            query = wire.split_pairs(request.scope["query_string"])
            if content_type.lower().startswith(b"multipart/"):
                form = wire.merge((query, wire.split_multipart(body, content_type)))
            else:
                form = wire.merge((query, wire.split_pairs(body)))
        except Unreadable as problem:
            raise _unsigned(errors.invalid("isv.invalid-parameter", str(problem))) from problem
        method = dict(form.pairs).get(b"method", b"").decode("latin-1")
        if METHOD_NAME.fullmatch(method):
            talk.method, talk.root = method, method.replace(".", "_") + "_response"
        return form

    def authenticate(self, form: Form, talk: Conversation) -> Call:
        """The call that ``form`` is, with every check of the gateway done.

        Raises `GatewayError`; ``talk`` then says as much as was learned until then.
        """
        try:
            fields = form.text()
        except Unreadable as problem:
            raise _unsigned(errors.invalid("isv.invalid-charset", str(problem))) from problem
        app = self._app_of(fields)
        talk.app, talk.charset = app, form.charset()
        self._check_method(fields.get("method", ""))
        self._check_form(fields, talk)
        self._check_signature(form, fields, app, talk)
        merchant = self._merchant_of(fields, app)
        content = self._content(fields, app, talk)
        return Call(
            method=fields["method"],
            app=app,
            merchant=merchant,
            terms=content,
            now=self._desk.now(),
            notify_url=fields.get("notify_url", ""),
            return_url=fields.get("return_url", ""),
            charset=talk.charset,
            sign_type=talk.sign_type,
        )

    def _app_of(self, fields: Mapping[str, str]) -> App:
        app_id = fields.get("app_id", "")
        if not app_id:
            raise _unsigned(errors.missing("app-id"))
        app = self._desk.identities.app_by_id(app_id)
        if app is None:
            link = f"解决方案：https://open.alipay.com/api/errCheck?traceId={wire.random_hex()}&source=openapi"
            raise _unsigned(errors.invalid("isv.invalid-app-id", link))
        return app

    def _check_method(self, method: str) -> None:
        if not method:
            raise errors.missing("method")
        if method not in PAGES and method != APP_PAY:
            method_named(self._methods, method)

    def _check_form(self, fields: Mapping[str, str], talk: Conversation) -> None:
        timestamp = fields.get("timestamp", "")
        if not timestamp:
            raise errors.missing("timestamp")
        self._check_timestamp(timestamp, talk)
        if not fields.get("version"):
            raise errors.missing("version")
        if fields.get("format", "").lower() not in _FORMATS:
            raise errors.invalid("isv.invalid-format")
        sign_type = fields.get("sign_type", "")
        if not sign_type:
            raise errors.missing("signature-type")
        if sign_type not in wire.HASHES:
            raise errors.invalid("isv.invalid-signature-type")
        talk.sign_type = sign_type
        if not fields.get("sign"):
            raise errors.missing("signature")

    def _check_timestamp(self, written: str, talk: Conversation) -> None:
        try:
            away = abs(from_beijing_text(written) - self._desk.now())
        except ValueError as problem:
            raise errors.invalid("isv.invalid-timestamp") from problem
        strict = talk.app is not None and self._desk.switches(talk.app.app_id).strict_timestamp
        if strict and away > REFUSED_AFTER:
            raise errors.invalid("isv.invalid-timestamp")
        if away > STALE_AFTER:
            talk.warnings.append(f"timestamp {_seconds(away)} s away from Beijing's time here")

    def _check_signature(
        self, form: Form, fields: Mapping[str, str], app: App, talk: Conversation
    ) -> None:
        if fields.get("app_cert_sn"):
            self._check_certificates(fields, app)
            talk.certificate_mode = True
        signature, key = fields["sign"], app.public_key
        signed = wire.sign_string(form.pairs, (b"sign",))
        if wire.verify(key, signed, signature, talk.sign_type):
            return
        with_empty = wire.sign_string(form.pairs, (b"sign",), keep_empty=True)
        if wire.verify(key, with_empty, signature, talk.sign_type):
            talk.warnings.append("the signature holds only with empty parameters kept")
            return
        shown = html.escape(signed.decode(form.codec()), quote=False).replace('"', "&quot;")
        raise GatewayError("40002", "isv.invalid-signature", ECHO + shown)

    def _check_certificates(self, fields: Mapping[str, str], app: App) -> None:
        if fields["app_cert_sn"] != app.certificate_sn:
            raise errors.invalid("isv.app-cert-not-exist")
        root = fields.get("alipay_root_cert_sn", "")
        if not root:
            raise errors.missing("alipay-root-cert-sn")
        if root != self._desk.identities.authority.root_sn:
            raise errors.invalid("isv.invalid-alipay-root-cert-sn")

    def _merchant_of(self, fields: Mapping[str, str], app: App) -> App:
        token = fields.get("app_auth_token", "")
        if not token:
            return app
        merchant = self._desk.identities.app_by_token(token)
        if merchant is None:
            raise invalid_token()
        return merchant

    def _content(self, fields: Mapping[str, str], app: App, talk: Conversation) -> dict[str, Any]:
        content: str | bytes = fields.get("biz_content", "")
        kind = fields.get("encrypt_type", "")
        if kind and kind != "AES":
            raise errors.invalid("isv.invalid-encrypt-type")
        try:
            if kind:
                content = wire.decrypt(content, app.aes_key)
        except Unreadable as problem:
            raise errors.invalid("isv.decryption-error-unknown") from problem
        talk.encrypted = bool(kind)
        if not content:
            return {}
        try:
            return wire.read_json_object(content)
        except Unreadable as problem:
            raise errors.invalid("isv.invalid-parameter", f"biz_content: {problem}") from problem

    def _hand_out(self, call: Call) -> Response:
        try:
            path = PAGES[call.method](self._desk, call)
        except Declined as declined:
            raise errors.business(declined) from declined
        return RedirectResponse(path, 302)

    def _answer(self, talk: Conversation, outcome: Outcome) -> Response:
        codec = "gb18030" if outcome.in_gbk else wire.CODECS.get(talk.charset.lower(), "utf-8")
        body = self.signed_body(talk, outcome, codec)
        headers = {"trace_id": wire.random_hex()}
        if talk.warnings:
            headers["x-emulator-warning"] = "; ".join(talk.warnings)
        shown = "GBK" if codec == "gb18030" else "utf-8"
        return Response(body, headers=headers, media_type=f"text/html;charset={shown}")

    def signed_body(self, talk: Conversation, outcome: Outcome, codec: str = "utf-8") -> bytes:
        """The answer: the node, then the certificate's number, then the signature over the exact
        bytes of the node."""
        identities = self._desk.identities
        node = self._node(talk, outcome).encode(codec)
        body = b'{"' + talk.root.encode() + b'":' + node
        if talk.certificate_mode:
            body += b',"alipay_cert_sn":"' + identities.authority.certificate_sn.encode() + b'"'
        if not outcome.unsigned:
            signed = node + b" " if outcome.spoil_signature else node
            signature = wire.sign(identities.authority.private_key, signed, talk.sign_type)
            body += b',"sign":"' + signature.encode() + b'"'
        return body + b"}"

    def _node(self, talk: Conversation, outcome: Outcome) -> str:
        if outcome.error is not None:
            content: dict[str, Any] = outcome.error.node()
        else:
            content = {"code": "10000", "msg": "Success", **(outcome.content or {})}
        if talk.app is None:
            return wire.compact_json(content)
        slashes = self._desk.switches(talk.app.app_id).escape_slashes
        node = wire.compact_json(content, escape_slashes=slashes)
        if talk.encrypted and not outcome.in_gbk:
            return f'"{wire.encrypt(node.encode(), talk.app.aes_key)}"'
        return node


def invalid_token() -> GatewayError:
    """20001: an ``app_auth_token`` that no app here gave."""
    sub_code = "aop.invalid-app-auth-token"
    return GatewayError("20001", sub_code, errors.GATEWAY_TEXTS[sub_code])


def _unsigned(problem: GatewayError) -> GatewayError:
    """``problem`` as Alipay answers before it knows the app: without a signature."""
    problem.signed = False
    return problem


def _seconds(duration: timedelta) -> int:
    return int(duration.total_seconds())
