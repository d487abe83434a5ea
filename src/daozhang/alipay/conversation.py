"""A call from beginning to end without I/O: what to send, what to make of what comes back.

A conversation is a generator that yields each `WireRequest` and is sent the `WireAnswer`, or is
thrown a `TransportFailure`. Both clients drive the same ones, so they cannot differ.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Literal

from daozhang.alipay.config import Credentials
from daozhang.alipay.envelope import MalformedAnswer
from daozhang.alipay.errors import CertificateProblem, OutcomeUnknown
from daozhang.alipay.exchange import Answer, Call, CertificateNeeded, WireAnswer, WireRequest
from daozhang.alipay.gateway import (
    download_call,
    gateway_request,
    read_download,
    read_gateway_answer,
)
from daozhang.alipay.rest import read_rest_answer, rest_request
from daozhang.clock import Clock

Protocol = Literal["v2", "v3"]
Conversation = Generator[WireRequest, WireAnswer, Answer]


class TransportFailure(Exception):
    """No answer came. ``cause`` is ``connect`` if the request was surely not sent, else
    ``timeout``, ``network`` or, for an answer beyond all measure, ``malformed``."""

    def __init__(
        self, cause: Literal["connect", "timeout", "network", "malformed"], reason: str
    ) -> None:
        super().__init__(reason)
        self.cause = cause
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who speaks, and how: the part of a client that holds no connection."""

    credentials: Credentials
    protocol: Protocol
    clock: Clock

    def prepare(self, call: Call) -> WireRequest:
        """``call`` as a signed request, stamped now."""
        build = gateway_request if self.protocol == "v2" else rest_request
        return build(self.credentials, call, self.clock.now())

    def interpret(self, call: Call, answer: WireAnswer) -> Answer | CertificateNeeded:
        """What ``answer`` says, once believed. Raises `Rejected` or `OutcomeUnknown`."""
        read = read_gateway_answer if self.protocol == "v2" else read_rest_answer
        return read(self.credentials, call, answer)

    def converse(self, call: Call) -> Conversation:
        """The whole of ``call``: one request, and the download of Alipay's certificate if the
        answer was signed with one that is not here yet. The call itself is sent once."""
        request = self.prepare(call)
        try:
            answer = yield request
        except TransportFailure as failed:
            raise OutcomeUnknown(
                failed.reason, method=call.method, cause=failed.cause, trace_id=None
            ) from failed
        believed = self.interpret(call, answer)
        if isinstance(believed, CertificateNeeded):
            yield from self._learn_certificate(call, believed.sn)
            believed = self.interpret(call, answer)
        if isinstance(believed, CertificateNeeded):
            raise _no_certificate(call, f"{believed.sn} is still not known after the download")
        return believed

    def _learn_certificate(self, call: Call, sn: str) -> Generator[WireRequest, WireAnswer, None]:
        """Downloads the certificate ``sn`` (always by V2, the only one that has the method) and
        has its chain checked against the configured root."""
        certificates = self.credentials.certificates
        assert certificates is not None
        request = gateway_request(self.credentials, download_call(sn), self.clock.now())
        try:
            answer = yield request
            certificates.accept_downloaded(sn, read_download(answer))
        except TransportFailure as failed:
            raise _no_certificate(call, failed.reason) from failed
        except (MalformedAnswer, CertificateProblem) as problem:
            raise _no_certificate(call, str(problem)) from problem


def _no_certificate(call: Call, reason: str) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"The answer was signed with a certificate that could not be had or trusted: {reason}",
        method=call.method,
        cause="certificate",
        trace_id=None,
    )
