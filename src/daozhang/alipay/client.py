"""`Alipay` and `AsyncAlipay`: two thin shells around the same conversations.

Neither repeats a call on its own, whatever happens: who repeats a call that moves money must know
what became of the first. httpx2 is imported when the first call is made.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, NoReturn, Self, TypeVar

from daozhang.alipay import pages
from daozhang.alipay.calling import operation_call, page_call, typed_result
from daozhang.alipay.catalogue import method_named
from daozhang.alipay.config import Credentials
from daozhang.alipay.conversation import Conversation, Protocol, Speaker, TransportFailure
from daozhang.alipay.exchange import Answer, Call, File, WireAnswer, WireRequest
from daozhang.alipay.operations.hold import FundAuthOrderAppFreeze
from daozhang.alipay.operations.operation import Operation, Page, Result
from daozhang.alipay.operations.trade import TradeAppPay
from daozhang.clock import Clock, SystemClock

if TYPE_CHECKING:
    import httpx2

ANSWER_BYTES_MAX: Final = 8 * 1024 * 1024
"""The largest answer that is read; Alipay's are a few kilobytes (bills come by other addresses)."""

TIMEOUT_SECONDS: Final = 15.0
CONNECT_SECONDS_MAX: Final = 5.0
CONNECTIONS_MAX: Final = 32

R = TypeVar("R", bound=Result)


class _Client:
    """What both clients share: everything but the connection."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        protocol: Protocol = "v2",
        timeout_seconds: float = TIMEOUT_SECONDS,
        connections_max: int = CONNECTIONS_MAX,
        trust_env: bool = False,
        clock: Clock | None = None,
    ) -> None:
        if protocol not in ("v2", "v3"):
            raise ValueError(f"protocol is 'v2' or 'v3', not {protocol!r}.")
        if timeout_seconds <= 0 or connections_max < 1:
            raise ValueError("timeout_seconds must be above zero, connections_max at least one.")
        self.credentials = credentials
        self.protocol: Protocol = protocol
        self._speaker = Speaker(credentials, protocol, clock or SystemClock())
        self._timeout_seconds = timeout_seconds
        self._connections_max = connections_max
        self._trust_env = trust_env
        self._opening = threading.Lock()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(app_id={self.credentials.app_id!r}, {self.protocol})"

    def page_url(
        self,
        operation: Page | Call,
        *,
        notify_url: str | None = None,
        return_url: str | None = None,
        app_auth_token: str | None = None,
    ) -> str:
        """The signed address of Alipay's page for ``operation``; redirect the buyer there."""
        call = page_call(operation, notify_url, return_url, app_auth_token)
        return pages.page_url(self.credentials, call, self._speaker.clock.now())

    def page_form(
        self,
        operation: Page | Call,
        *,
        notify_url: str | None = None,
        return_url: str | None = None,
        app_auth_token: str | None = None,
        script_nonce: str | None = None,
    ) -> str:
        """The same hand-over as HTML with a form that submits itself."""
        call = page_call(operation, notify_url, return_url, app_auth_token)
        now = self._speaker.clock.now()
        return pages.page_form(self.credentials, call, now, script_nonce=script_nonce)

    def order_string(
        self,
        operation: TradeAppPay | FundAuthOrderAppFreeze | Call,
        *,
        notify_url: str | None = None,
        app_auth_token: str | None = None,
    ) -> str:
        """What the merchant's app hands to Alipay's SDK for phones."""
        call = page_call(operation, notify_url, None, app_auth_token)
        return pages.order_string(self.credentials, call, self._speaker.clock.now())

    def _deadline(self, seconds: float | None) -> Deadline:
        return Deadline(self._timeout_seconds if seconds is None else seconds)

    def _limits(self) -> httpx2.Limits:
        import httpx2

        return httpx2.Limits(
            max_connections=self._connections_max, max_keepalive_connections=self._connections_max
        )


class Alipay(_Client):
    """One app at Alipay. Thread-safe; keep one for as long as the process lives.

    ``protocol`` chooses V2 (``gateway.do``) or V3 (``/v3/...``); pages are V2's either way.
    ``timeout_seconds`` bounds a whole call, the download of a certificate included.
    ``transport`` is an httpx2 transport instead of the network. Proxies of the environment are
    used only with ``trust_env=True``.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        protocol: Protocol = "v2",
        transport: httpx2.BaseTransport | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        connections_max: int = CONNECTIONS_MAX,
        trust_env: bool = False,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(
            credentials,
            protocol=protocol,
            timeout_seconds=timeout_seconds,
            connections_max=connections_max,
            trust_env=trust_env,
            clock=clock,
        )
        self._transport = transport
        self._http: httpx2.Client | None = None

    def call(
        self,
        operation: Operation[R],
        *,
        notify_url: str | None = None,
        app_auth_token: str | None = None,
        timeout_seconds: float | None = None,
    ) -> R:
        """Carries out ``operation`` and answers its verified result.

        Raises `Rejected` if Alipay said no, `OutcomeUnknown` if nobody knows. A `ValueError` or
        `TypeError` means that nothing was sent.
        """
        call = operation_call(operation, notify_url, app_auth_token)
        answer = self._converse(self._speaker.converse(call), timeout_seconds)
        return typed_result(operation, answer)

    def call_method(
        self,
        method: str,
        biz_content: Mapping[str, Any] | None = None,
        *,
        notify_url: str | None = None,
        return_url: str | None = None,
        app_auth_token: str | None = None,
        auth_token: str | None = None,
        files: Mapping[str, File] | None = None,
        encrypted: bool | None = None,
        unlisted: bool = False,
        timeout_seconds: float | None = None,
    ) -> Mapping[str, Any]:
        """Calls any method of the catalogue by name; answers the verified fields as Alipay wrote
        them. Errors as in `call`; `UnknownMethod` (nothing sent) unless ``unlisted``.

        ``biz_content`` also holds the parameters of methods that Alipay wants at the top level.
        ``encrypted`` defaults to whether the credentials hold an ``encrypt_key``.
        """
        if not unlisted:
            method_named(method)
        call = Call(
            method,
            biz_content or {},
            notify_url=notify_url,
            return_url=return_url,
            app_auth_token=app_auth_token,
            auth_token=auth_token,
            files=files or {},
            encrypted=encrypted,
        )
        return self._converse(self._speaker.converse(call), timeout_seconds).fields

    def close(self) -> None:
        """Closes the connections."""
        if self._http is not None:
            self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _converse(self, conversation: Conversation, timeout_seconds: float | None) -> Answer:
        deadline = self._deadline(timeout_seconds)
        request = next(conversation)
        while True:
            try:
                answer = self._exchange(request, deadline)
            except TransportFailure as failed:
                advance = _throwing(conversation, failed)
            else:
                advance = _sending(conversation, answer)
            try:
                request = advance()
            except StopIteration as done:
                return done.value

    def _exchange(self, request: WireRequest, deadline: Deadline) -> WireAnswer:
        import httpx2

        body = bytearray()
        try:
            with self._open().stream(
                request.verb,
                request.url,
                headers=dict(request.headers),
                content=request.body,
                timeout=deadline.http_timeout(),
            ) as response:
                for chunk in response.iter_bytes():
                    _gather(body, chunk, deadline)
        except httpx2.HTTPError as error:
            _explain(error)
        return WireAnswer(response.status_code, dict(response.headers), bytes(body))

    def _open(self) -> httpx2.Client:
        import httpx2

        with self._opening:
            if self._http is None:
                self._http = httpx2.Client(
                    transport=self._transport, limits=self._limits(), trust_env=self._trust_env
                )
            return self._http


class AsyncAlipay(_Client):
    """`Alipay` for asyncio; the same calls, awaited. One for each event loop."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        protocol: Protocol = "v2",
        transport: httpx2.AsyncBaseTransport | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        connections_max: int = CONNECTIONS_MAX,
        trust_env: bool = False,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(
            credentials,
            protocol=protocol,
            timeout_seconds=timeout_seconds,
            connections_max=connections_max,
            trust_env=trust_env,
            clock=clock,
        )
        self._transport = transport
        self._http: httpx2.AsyncClient | None = None

    async def call(
        self,
        operation: Operation[R],
        *,
        notify_url: str | None = None,
        app_auth_token: str | None = None,
        timeout_seconds: float | None = None,
    ) -> R:
        """As `Alipay.call`."""
        call = operation_call(operation, notify_url, app_auth_token)
        answer = await self._converse(self._speaker.converse(call), timeout_seconds)
        return typed_result(operation, answer)

    async def call_method(
        self,
        method: str,
        biz_content: Mapping[str, Any] | None = None,
        *,
        notify_url: str | None = None,
        return_url: str | None = None,
        app_auth_token: str | None = None,
        auth_token: str | None = None,
        files: Mapping[str, File] | None = None,
        encrypted: bool | None = None,
        unlisted: bool = False,
        timeout_seconds: float | None = None,
    ) -> Mapping[str, Any]:
        """As `Alipay.call_method`."""
        if not unlisted:
            method_named(method)
        call = Call(
            method,
            biz_content or {},
            notify_url=notify_url,
            return_url=return_url,
            app_auth_token=app_auth_token,
            auth_token=auth_token,
            files=files or {},
            encrypted=encrypted,
        )
        return (await self._converse(self._speaker.converse(call), timeout_seconds)).fields

    async def aclose(self) -> None:
        """Closes the connections."""
        if self._http is not None:
            await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def _converse(self, conversation: Conversation, timeout_seconds: float | None) -> Answer:
        deadline = self._deadline(timeout_seconds)
        request = next(conversation)
        while True:
            try:
                answer = await self._exchange(request, deadline)
            except TransportFailure as failed:
                advance = _throwing(conversation, failed)
            else:
                advance = _sending(conversation, answer)
            try:
                request = advance()
            except StopIteration as done:
                return done.value

    async def _exchange(self, request: WireRequest, deadline: Deadline) -> WireAnswer:
        import asyncio

        import httpx2

        body = bytearray()
        try:
            async with (
                asyncio.timeout(deadline.seconds_left()),
                self._open().stream(
                    request.verb,
                    request.url,
                    headers=dict(request.headers),
                    content=request.body,
                    timeout=deadline.http_timeout(),
                ) as response,
            ):
                async for chunk in response.aiter_bytes():
                    _gather(body, chunk, deadline)
        except TimeoutError:
            raise deadline.passed() from None
        except httpx2.HTTPError as error:
            _explain(error)
        return WireAnswer(response.status_code, dict(response.headers), bytes(body))

    def _open(self) -> httpx2.AsyncClient:
        import httpx2

        with self._opening:
            if self._http is None:
                self._http = httpx2.AsyncClient(
                    transport=self._transport, limits=self._limits(), trust_env=self._trust_env
                )
            return self._http


class Deadline:
    """How long a whole call may still take. A stopwatch, which is why it asks no Clock: sockets
    wait in real seconds, also in a test whose Clock stands still."""

    def __init__(self, seconds: float) -> None:
        if seconds <= 0:
            raise ValueError(f"timeout_seconds must be above zero; it is {seconds}.")
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def seconds_left(self) -> float:
        """Raises `TransportFailure` if none are."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise self.passed()
        return left

    def passed(self) -> TransportFailure:
        return TransportFailure("timeout", f"There was no whole answer within {self._seconds} s.")

    def http_timeout(self) -> httpx2.Timeout:
        """What is left, for each wait on a socket; connecting gets a share of it."""
        import httpx2

        left = self.seconds_left()
        return httpx2.Timeout(left, connect=min(left, CONNECT_SECONDS_MAX))


def _sending(conversation: Conversation, answer: WireAnswer) -> Callable[[], WireRequest]:
    return lambda: conversation.send(answer)


def _throwing(conversation: Conversation, failed: TransportFailure) -> Callable[[], WireRequest]:
    return lambda: conversation.throw(failed)


def _gather(body: bytearray, chunk: bytes, deadline: Deadline) -> None:
    deadline.seconds_left()
    if len(body) + len(chunk) > ANSWER_BYTES_MAX:
        raise TransportFailure("malformed", f"The answer is larger than {ANSWER_BYTES_MAX} bytes.")
    body += chunk


def _explain(error: httpx2.HTTPError) -> NoReturn:
    """What an error of the HTTP client means for the call: was it sent, and is it still open?"""
    import httpx2

    unsent = (
        httpx2.ConnectError,
        httpx2.ConnectTimeout,
        httpx2.PoolTimeout,
        httpx2.UnsupportedProtocol,
        httpx2.ProxyError,
    )
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, unsent):
        raise TransportFailure("connect", f"Alipay was not reached: {text}") from error
    if isinstance(error, httpx2.TimeoutException):
        raise TransportFailure("timeout", f"No answer came in time: {text}") from error
    raise TransportFailure("network", f"The connection failed: {text}") from error
