"""A process of the service that dies at a named point, as if its power were cut there.

``python mortal.py PORT CLOCK [POINT]``: the same service as ``daozhang serve``, put together by the
same root, with a clock that a test can push (``CLOCK`` is a file with the seconds by which it is
ahead). The interpreter tells of each call and return; at the point the process kills itself with
SIGKILL, so that nothing of ours runs any more. Production code knows nothing of it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Any


@dataclass(frozen=True)
class Point:
    """A moment in the life of the service."""

    name: str
    file: str
    function: str
    event: str  # "call" or "return"
    with_result: bool = False
    """Whether only a return counts that says that something was done."""
    of: str = ""
    """Whose rows, where one function serves many tables."""


def before(name: str, place: str) -> Point:
    """As soon as the function is entered."""
    file, _, function = place.partition(":")
    return Point(name, file, function, "call")


def after(name: str, place: str, *, with_result: bool = False) -> Point:
    """As soon as the function has done its work."""
    file, _, function = place.partition(":")
    return Point(name, file, function, "return", with_result)


def swept(name: str, table: str) -> Point:
    """As soon as rows of ``table`` that are due were claimed."""
    return Point(name, "due.py", "DueRows.claim_due", "return", with_result=True, of=table)


POINTS = (
    # A notification that is plain, from the door to the answer.
    before("notification received", "inbox/routes.py:_arrival"),
    after("payment written, before its commit", "inbox/recording.py:record_arrivals"),
    before("payment committed, before success", "inbox/recorder.py:_tell"),
    # One that is not: it is applied later.
    after("notification claimed", "inbox/store.py:claim_due", with_result=True),
    before("notification claimed, claim committed", "inbox/applying.py:apply_one"),
    after("notification applied, before its commit", "inbox/applying.py:apply_one"),
    before("notification applied, after its commit", "inbox/applying.py:_note_seconds"),
    # Events become deliveries, deliveries arrive.
    after("deliveries written, before their commit", "webhooks/store.py:insert_deliveries"),
    after("deliveries committed", "webhooks/duties.py:FanOut.run_due", with_result=True),
    before("delivery claimed, before its POST", "webhooks/drain.py:Drain.send"),
    before("POST answered, before it is recorded", "webhooks/drain.py:Drain._note"),
    after("arrival written, before its commit", "webhooks/drain.py:Drain._settle_all"),
    after("arrival committed", "webhooks/drain.py:Drain._record"),
    # Money goes back.
    after("refund intended, before the commit", "refunds/requesting.py:request_refund"),
    before("refund intended, before its job runs", "refunds/attempts.py:Attempts.run"),
    after("call intended, before its commit", "refunds/attempts.py:Attempts._begin"),
    before("call intended, before it is made", "refunds/attempts.py:Attempts._call"),
    after("money moved, before it is written", "refunds/attempts.py:Attempts._call"),
    after("refund booked, before its commit", "refunds/attempts.py:Attempts.take"),
    after("refund committed, before its job ends", "refunds/attempts.py:Attempts.run"),
    before("doubtful refund, before the question", "refunds/attempts.py:Attempts.ask"),
    after("doubtful refund, question answered", "refunds/attempts.py:Attempts.ask"),
    swept("sweep of refunds, before its commit", "refunds"),
    after("sweep of refunds committed", "sweep.py:Sweep.run_due", with_result=True),
    # Orders that are silent, and orders that are given up.
    after("sweep of orders, before its commit", "orders/store.py:claim_silent", with_result=True),
    before("question about an order", "inquiries/actions.py:Inquirer.ask_trade"),
    after("question about an order answered", "inquiries/actions.py:Inquirer.ask_trade"),
    after("answer about an order committed", "inquiries/actions.py:Inquirer.settle"),
    before("close intended, before the call", "inquiries/actions.py:Inquirer.close"),
    after("close proven and committed", "inquiries/actions.py:Inquirer.close"),
)
"""Every commit and every edge of the network on the path, in order."""

POINTS_OF_CONSENTS = (
    # At the till: a code is scanned.
    after("scan intended, before its commit", "till/scanning.py:begin"),
    before("scan committed, before the call", "till/calls.py:Calls.pay"),
    after("code charged, before it is written", "till/calls.py:Calls.pay"),
    swept("sweep of the till, before its commit", "barcode_payments"),
    # Money is frozen.
    after("freeze intended, before its commit", "holds/actions.py:begin_scan"),
    before("freeze committed, before the call", "holds/calls.py:HoldCalls.freeze"),
    after("money frozen, before it is written", "holds/calls.py:HoldCalls.freeze"),
    after("freeze booked, before its commit", "holds/settling.py:settle_hold"),
    after("freeze committed", "holds/workflow.py:HoldWork.freeze"),
    before("question about a hold", "holds/calls.py:HoldCalls.ask"),
    after("question about a hold answered", "holds/calls.py:HoldCalls.ask"),
    swept("sweep of holds, before its commit", "holds"),
    # It is taken: a charge.
    after("capture intended, before its commit", "holds/actions.py:request_capture"),
    swept("sweep of charges, before its commit", "charges"),
    before("charge committed, before its job", "charges/workflow.py:Charges.run"),
    after("charge begun, before its commit", "charges/workflow.py:Charges._begin"),
    before("charge begun, before the call", "charges/workflow.py:Charges._pay"),
    after("buyer charged, before it is written", "charges/workflow.py:Charges._pay"),
    after("charge booked, before its commit", "charges/workflow.py:Charges._end"),
    after("charge committed, before its job ends", "charges/workflow.py:Charges.run"),
    # It is let go.
    after("release intended, before its commit", "holds/actions.py:request_release"),
    before("release committed, before the call", "holds/calls.py:HoldCalls.unfreeze"),
    after("money let go, before it is written", "holds/calls.py:HoldCalls.unfreeze"),
    before("question about a release", "holds/calls.py:HoldCalls.ask_release"),
    # An agreement is signed, and charged by itself.
    after("signature booked, before its commit", "agreements/settling.py:settle_agreement"),
    before("question about an agreement", "agreements/calls.py:AgreementCalls.ask"),
    after("question about an agreement answered", "agreements/calls.py:AgreementCalls.ask"),
    after("deduction intended, before its commit", "agreements/actions.py:request_deduction"),
    after(
        "deduction ended, before its commit", "agreements/workflow.py:AgreementWork.deduction_ended"
    ),
)
"""The same on the path of a payment at the till, a hold and an agreement."""

POINTS_OF_TRANSFERS = (
    after("transfer intended, before its commit", "transfers/requesting.py:request_transfer"),
    swept("sweep of transfers, before its commit", "transfers"),
    before("transfer committed, before its step", "transfers/workflow.py:TransferWork.run"),
    after("transfer begun, before its commit", "transfers/workflow.py:TransferWork._begin"),
    before("transfer begun, before the call", "transfers/calls.py:TransferCalls.send"),
    after("money sent, before it is written", "transfers/calls.py:TransferCalls.send"),
    after("transfer booked, before its commit", "transfers/settling.py:take_answer"),
    after("transfer committed, before its step ends", "transfers/workflow.py:TransferWork.run"),
    before("doubtful transfer, before the question", "transfers/calls.py:TransferCalls.ask"),
    after("doubtful transfer, question answered", "transfers/calls.py:TransferCalls.ask"),
)
"""The same on the path of a transfer."""

POINTS_OF_SETTLEMENTS = (
    after("settlement intended, before its commit", "settlements/requesting.py:request_settlement"),
    swept("sweep of settlements, before its commit", "settlements"),
    before("settlement committed, before its step", "settlements/workflow.py:SettlementWork.run"),
    after("settlement begun, before its commit", "settlements/workflow.py:SettlementWork._begin"),
    before("settlement begun, before the call", "settlements/calls.py:SettlementCalls.confirm"),
    after(
        "settled at Alipay, before it is written", "settlements/calls.py:SettlementCalls.confirm"
    ),
    after("settlement booked, before its commit", "settlements/settling.py:take_answer"),
    after(
        "settlement committed, before its step ends", "settlements/workflow.py:SettlementWork.run"
    ),
    before("doubtful settlement, before the question", "settlements/calls.py:SettlementCalls.ask"),
    after("doubtful settlement, question answered", "settlements/calls.py:SettlementCalls.ask"),
)
"""The same on the path of a settlement that is confirmed."""

ALL_POINTS = (*POINTS, *POINTS_OF_CONSENTS, *POINTS_OF_TRANSFERS, *POINTS_OF_SETTLEMENTS)

MARK = "died-at"
"""The file in the data directory in which a process says where it dies."""


class PushedClock:
    """The machine's clock, ahead by what a file says."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=float(self._file.read_text()))


def arm(point: Point, directory: Path) -> None:
    """From now on this process dies at ``point``, in whatever thread it comes to it."""

    def look(frame: FrameType, event: str, value: Any) -> None:
        if event != point.event or frame.f_code.co_qualname != point.function:
            return
        if not frame.f_code.co_filename.endswith(point.file):
            return
        if point.with_result and not value:
            return
        if point.of and frame.f_locals["self"].table.name != point.of:
            return
        (directory / MARK).write_text(point.name)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.setprofile(look)
    sys.setprofile(look)


def main(port: int, clock: Path, name: str | None) -> None:
    """Serves until it dies."""
    import uvicorn

    from daozhang.app import Service, create_context
    from daozhang.service.settings import load_settings

    settings = load_settings(os.environ)
    service = Service(create_context(settings, PushedClock(clock)))
    if name is not None:
        arm(next(point for point in ALL_POINTS if point.name == name), settings.data_dir)
    uvicorn.run(service.web(), host="127.0.0.1", port=port, log_config=None, access_log=False)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else None)
