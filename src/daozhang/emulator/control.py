"""The control plane, ``/_control/``: what a test or a developer does that Alipay has no API for.

JSON in, JSON out, apart from the imitated API. It plays the buyer and the merchant centre, moves
the clock and sets faults; so it answers this machine only, or whoever holds the token, and no page
of another site (Host, Origin and Content-Type are looked at).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from daozhang.clock import to_beijing_text
from daozhang.emulator import wire
from daozhang.emulator.control_bodies import (
    BankBody,
    ClockBody,
    ConfirmBody,
    FaultBody,
    KeyBody,
    MessageBody,
    PayBody,
    PaymentCodeBody,
    PhoneBody,
    RefundBody,
    ResetBody,
    TradePayBody,
)
from daozhang.emulator.desk import Desk
from daozhang.emulator.errors import GatewayError, business, require_code
from daozhang.emulator.faults import Fault
from daozhang.emulator.gateway import Gateway
from daozhang.emulator.ledger import Declined, RefundOrigin, Trade
from daozhang.emulator.notifier import Notifier
from daozhang.emulator.order_strings import read_order_string, signed_result
from daozhang.emulator.requests import read_body
from daozhang.emulator.switches import changed
from daozhang.emulator.views import fault_content, notification_content, trade_content
from daozhang.emulator.wire import Unreadable
from daozhang.money import Money, MoneyError

_LOCAL_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "[::1]", "testserver"})
_LOCAL_CLIENTS: Final = frozenset({"127.0.0.1", "::1", "testclient"})
_Body = TypeVar("_Body", bound=msgspec.Struct)


class Refused(Exception):
    """An answer that says no: a status, a stable code and a sentence."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class Control:
    """The routes under ``/_control/``."""

    def __init__(
        self, desk: Desk, notifier: Notifier, gateway: Gateway, *, token: str | None, host: str
    ) -> None:
        """``token`` opens the control plane to other machines; ``host`` is a name of our own."""
        self._desk = desk
        self._notifier = notifier
        self._gateway = gateway
        self._token = token
        self._hosts = _LOCAL_HOSTS | {host}

    def routes(self) -> list[Route]:
        """Every route of the control plane."""
        return [
            self._route("/_control/pay", self.pay, "POST"),
            self._route("/_control/payment_codes", self.payment_code, "POST"),
            self._route("/_control/confirm", self.confirm, "POST"),
            self._route("/_control/trade_pay", self.trade_pay, "POST"),
            self._route("/_control/phone_number", self.phone_number, "POST"),
            self._route("/_control/refund", self.refund, "POST"),
            self._route("/_control/bank_returns", self.bank_returns, "POST"),
            self._route("/_control/messages", self.message, "POST"),
            self._route("/_control/clock", self.clock, "POST"),
            self._route("/_control/clock", self.time, "GET"),
            self._route("/_control/trades", self.trades, "GET"),
            self._route("/_control/trades/{out_trade_no}", self.trade, "GET"),
            self._route("/_control/notifications", self.notifications, "GET"),
            self._route("/_control/faults", self.set_fault, "POST"),
            self._route("/_control/faults", self.faults, "GET"),
            self._route("/_control/faults", self.clear_faults, "DELETE"),
            self._route("/_control/switches/{app_id}", self.switches, "GET"),
            self._route("/_control/switches/{app_id}", self.set_switches, "POST"),
            self._route("/_control/app_keys/{app_id}", self.upload_key, "POST"),
            self._route("/_control/rotate", self.rotate, "POST"),
            self._route("/_control/reset", self.reset, "POST"),
        ]

    def _route(
        self, path: str, endpoint: Callable[[Request], Awaitable[object]], method: str
    ) -> Route:
        async def guarded(request: Request) -> Response:
            try:
                self._admit(request)
                return JSONResponse(await endpoint(request))
            except Refused as refused:
                content = {"code": refused.code, "message": str(refused)}
                return JSONResponse(content, refused.status)

        return Route(path, guarded, methods=[method], name=f"{method} {path}")

    route = _route
    """``endpoint`` at that path, for whoever the control plane admits: also for its other parts."""

    def is_admitted(self, request: Request) -> bool:
        """Whether the control plane would answer this request."""
        try:
            self._admit(request)
        except Refused:
            return False
        return True

    def _admit(self, request: Request) -> None:
        if self._token is not None:
            given = request.headers.get("authorization", "")
            if secrets.compare_digest(given.encode(), f"Bearer {self._token}".encode()):
                return
        client = request.client.host if request.client is not None else ""
        if client not in _LOCAL_CLIENTS:
            raise Refused(
                403,
                "FORBIDDEN",
                "The control plane answers this machine only. Start the emulator with a "
                "--control-token and send it as Authorization: Bearer to use it from another.",
            )
        name = _host_name(request.headers.get("host", ""))
        if name not in self._hosts:
            raise Refused(
                403,
                "FORBIDDEN",
                f"Host {name[:80]!r} is not a name of this machine; use 127.0.0.1.",
            )
        origin = request.headers.get("origin")
        if origin is not None and _host_name(origin.partition("://")[2]) not in self._hosts:
            raise Refused(403, "FORBIDDEN", "Pages of other sites may not use the control plane.")

    # ---- buyer and merchant centre

    async def pay(self, request: Request) -> object:
        """The buyer pays, on an open page or with an order string from an app."""
        body = await _read(request, PayBody)
        if body.order_string:
            return await self._pay_in_app(body)
        trade = self._desk_trade(body.out_trade_no, body.app_id)
        paid = _not_declined(lambda: self._desk.pay(trade, body.channel))
        await self._settle()
        return trade_content(paid)

    async def _pay_in_app(self, body: PayBody) -> object:
        """Plays the Alipay app: what it would hand back to the shop's app, result included."""
        try:
            asked, talk = read_order_string(self._gateway, body.order_string)
            trade = self._desk.pay(self._desk.open_request(asked), body.channel)
        except Unreadable as problem:
            raise Refused(400, "INVALID_BODY", f"order_string: {problem}") from problem
        except Declined as declined:
            raise _refused(business(declined)) from declined
        except GatewayError as problem:
            raise _refused(problem) from problem
        await self._settle()
        result = signed_result(self._desk, self._gateway, trade, talk)
        return {"resultStatus": "9000", "memo": "", "result": result}

    async def payment_code(self, request: Request) -> object:
        """A code that a buyer shows at a till."""
        body = await _read(request, PaymentCodeBody)
        try:
            require_code(body.sub_code)
        except ValueError as problem:
            raise Refused(400, "INVALID_BODY", str(problem)) from problem
        code = self._desk.show_code(**msgspec.structs.asdict(body))
        return {"payment_code": code.text, "expires_at": code.expires_at.isoformat()}

    async def confirm(self, request: Request) -> object:
        """The buyer confirms on the phone, or refuses."""
        body = await _read(request, ConfirmBody)
        trade = self._desk_trade(body.out_trade_no, body.app_id)
        answered = _not_declined(lambda: self._desk.confirm(trade, agree=body.agree))
        await self._settle()
        return trade_content(answered)

    async def trade_pay(self, request: Request) -> object:
        """Plays ``my.tradePay``: what the mini program gets back. Only 9000 pays."""
        body = await _read(request, TradePayBody)
        found = [trade for trade in self._desk.trades() if trade.trade_no == body.trade_no]
        if not found:
            raise Refused(404, "TRADE_NOT_EXIST", f"No trade {body.trade_no[:40]!r}.")
        if body.result_code == "9000":
            _not_declined(lambda: self._desk.pay(found[0], body.channel))
            await self._settle()
        return {"resultCode": body.result_code}

    async def phone_number(self, request: Request) -> object:
        """What ``my.getPhoneNumber`` gives a mini program: encrypted for the app, and signed."""
        body = await _read(request, PhoneBody)
        app = self._desk.identities.app_by_id(body.app_id)
        if app is None:
            raise Refused(404, "APP_NOT_EXIST", f"No app {body.app_id[:40]!r} in this directory.")
        content = {"code": "10000", "msg": "Success", "mobile": body.mobile}
        response = wire.encrypt(wire.compact_json(content).encode(), app.aes_key)
        key = self._desk.identities.authority.private_key
        sign = wire.sign(key, f'"{response}"'.encode(), "RSA2")
        return {
            "response": response,
            "sign": sign,
            "sign_type": "RSA2",
            "encrypt_type": "AES",
            "charset": "UTF-8",
        }

    async def refund(self, request: Request) -> object:
        """The merchant refunds in the merchant centre, past the API."""
        body = await _read(request, RefundBody)
        trade = self._desk_trade(body.out_trade_no, body.app_id)
        amount = trade.remaining if body.amount is None else _amount(body.amount)
        number = body.out_request_no or f"centre-{secrets.token_hex(8)}"
        outcome = _not_declined(
            lambda: self._desk.refund(trade, amount, number, "", RefundOrigin.CENTRE)
        )
        await self._settle()
        return trade_content(outcome.trade)

    async def bank_returns(self, request: Request) -> object:
        """A bank has taken a refund to a card, or sent it back."""
        body = await _read(request, BankBody)
        trade = self._desk_trade(body.out_trade_no, body.app_id)
        status = "S" if body.arrived else "F"
        changed = _not_declined(lambda: self._desk.bank_returns(trade, body.out_request_no, status))
        await self._settle()
        return trade_content(changed)

    async def message(self, request: Request) -> object:
        """Alipay says something to an app's gateway."""
        body = await _read(request, MessageBody)
        app = self._desk.identities.app_by_id(body.app_id)
        if app is None:
            raise Refused(404, "APP_NOT_EXIST", f"No app {body.app_id[:40]!r} in this directory.")
        sent = self._desk.send_message(app, body.msg_method, body.content, encrypted=body.encrypted)
        if sent is None:
            raise Refused(
                409,
                "NO_GATEWAY_URL",
                "This app has no gateway address: set its switch gateway_url.",
            )
        await self._settle()
        return notification_content(sent)

    # ---- time

    async def clock(self, request: Request) -> object:
        """Moves the clock; answers when every attempt that became due has ended."""
        body = await _read(request, ClockBody)
        await asyncio.wrap_future(self._notifier.advance(body.advance_seconds))
        return self._time_content()

    async def time(self, request: Request) -> object:
        """What the clock shows."""
        del request
        return self._time_content()

    def _time_content(self) -> dict[str, str]:
        now = self._desk.now()
        return {"now": now.isoformat(), "beijing": to_beijing_text(now)}

    # ---- looking

    async def trades(self, request: Request) -> object:
        """Every trade."""
        del request
        return {"trades": [trade_content(trade) for trade in self._desk.trades()]}

    async def trade(self, request: Request) -> object:
        """One trade with its refunds."""
        number = request.path_params["out_trade_no"]
        return trade_content(self._desk_trade(number, request.query_params.get("app_id")))

    async def notifications(self, request: Request) -> object:
        """Every notification with every attempt."""
        found = self._desk.notifications(request.query_params.get("out_trade_no"))
        return {"notifications": [notification_content(notification) for notification in found]}

    def _desk_trade(self, out_trade_no: str, app_id: str | None) -> Trade:
        found = self._desk.find_by_number(out_trade_no, app_id)
        if not found:
            raise Refused(
                404,
                "TRADE_NOT_EXIST",
                f"No trade {out_trade_no!r}: nobody has opened its payment page yet.",
            )
        if len(found) > 1:
            raise Refused(
                409, "AMBIGUOUS", f"Several sellers have a trade {out_trade_no!r}; give the app_id."
            )
        return found[0]

    # ---- faults and switches

    async def set_fault(self, request: Request) -> object:
        """Sets a fault."""
        body = await _read(request, FaultBody)
        fault = Fault(**msgspec.structs.asdict(body))
        self._desk.faults.set(fault)
        return fault_content(fault)

    async def faults(self, request: Request) -> object:
        """The faults that can still strike."""
        del request
        return {"faults": [fault_content(fault) for fault in self._desk.faults.all()]}

    async def clear_faults(self, request: Request) -> object:
        """Removes every fault."""
        del request
        self._desk.faults.clear()
        return {"faults": []}

    async def switches(self, request: Request) -> object:
        """How Alipay behaves towards an app."""
        return msgspec.to_builtins(self._desk.switches(self._app_id(request)))

    async def set_switches(self, request: Request) -> object:
        """Changes some of the switches of an app."""
        app_id = self._app_id(request)
        changes = await _read_json(request)
        try:
            switches = changed(self._desk.switches(app_id), changes)
        except msgspec.ValidationError as problem:
            raise Refused(400, "INVALID_BODY", str(problem)) from problem
        self._desk.set_switches(app_id, switches)
        return msgspec.to_builtins(switches)

    def _app_id(self, request: Request) -> str:
        app_id: str = request.path_params["app_id"]
        if self._desk.identities.app_by_id(app_id) is None:
            raise Refused(404, "APP_NOT_EXIST", f"No app {app_id[:40]!r} in this directory.")
        return app_id

    async def upload_key(self, request: Request) -> object:
        """The merchant uploads a new public key of an app's."""
        app = self._desk.identities.app_by_id(self._app_id(request))
        assert app is not None
        body = await _read(request, KeyBody)
        try:
            self._desk.identities.upload_key(app, body.public_key)
        except ValueError as problem:
            raise Refused(400, "INVALID_BODY", str(problem)) from problem
        return {"app_id": app.app_id}

    async def rotate(self, request: Request) -> object:
        """Alipay signs with a new key from now on."""
        del request
        authority = await asyncio.to_thread(self._desk.identities.rotate)
        return {
            "alipay_cert_sn": authority.certificate_sn,
            "alipay_public_key": authority.public_key_base64,
        }

    async def reset(self, request: Request) -> object:
        """Forgets everything but keys and clock; answers when what was being sent has arrived."""
        body = await _read(request, ResetBody)
        self._desk.reset(body.seed)
        await self._settle()
        return self._time_content()

    async def _settle(self) -> None:
        await asyncio.wrap_future(self._notifier.settle())


_Result = TypeVar("_Result")


def _not_declined(act: Callable[[], _Result]) -> _Result:
    try:
        return act()
    except Declined as declined:
        raise _refused(business(declined)) from declined


def _refused(problem: GatewayError) -> Refused:
    return Refused(409, problem.sub_code.removeprefix("ACQ."), problem.sub_msg)


def _host_name(host: str) -> str:
    """The name in a Host header, without the port."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0].partition("/")[0].lower()


def _amount(written: str) -> Money:
    try:
        amount = Money.parse(written)
    except MoneyError as problem:
        raise Refused(400, "INVALID_BODY", str(problem)) from problem
    if amount.minor <= 0:
        raise Refused(400, "INVALID_BODY", "amount must be above zero.")
    return amount


async def _read_json(request: Request) -> object:
    try:
        body = await read_body(request)
        if body and request.headers.get("content-type", "").partition(";")[0] != "application/json":
            raise Refused(415, "INVALID_BODY", "Send Content-Type: application/json.")
        return msgspec.json.decode(body or b"{}")
    except (Unreadable, msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise Refused(400, "INVALID_BODY", f"The body is not JSON: {problem}") from problem


async def _read(request: Request, kind: type[_Body]) -> _Body:
    try:
        return msgspec.convert(await _read_json(request), kind)
    except msgspec.ValidationError as problem:
        raise Refused(400, "INVALID_BODY", str(problem)) from problem


read = _read
"""The body of a request as a ``kind``, for the other parts of the control plane. Raises `Refused`."""

not_declined = _not_declined
"""What an act answers; a `Declined` as a refusal of the control plane. For its other parts."""

positive_amount = _amount
"""An amount above zero, for the other parts of the control plane. Raises `Refused`."""
