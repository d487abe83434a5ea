"""The composition root: the only place that knows everyone.

`Service` is one running service: its context, its duties, its jobs and its web application. The
command line, the demo and the tests all make it here.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from types import FrameType
from typing import Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.middleware.cors import CORSMiddleware

from daozhang.alipay.messages import OrderSettled, RefundDepositBack, TransferChanged
from daozhang.clock import Clock, ManualClock, SystemClock
from daozhang.console.app import create_console
from daozhang.service import api
from daozhang.service.agreements.calls import AgreementCalls
from daozhang.service.agreements.duties import AGREEMENT_JOB, SweepAgreements
from daozhang.service.agreements.duties import NOTIFY_TYPES as AGREEMENT_TYPES
from daozhang.service.agreements.duties import take_notice as take_agreement_notice
from daozhang.service.agreements.workflow import AgreementWork
from daozhang.service.approvals.duties import ExpireApprovals
from daozhang.service.auth.ring import KeyRing
from daozhang.service.backfill.duties import BackfillLedger
from daozhang.service.bills.duties import FetchBills
from daozhang.service.bills.fetching import BILL_JOB, Bills
from daozhang.service.bills.keeping import READ_JOB
from daozhang.service.charges.duties import CHARGE_JOB, SweepCharges
from daozhang.service.charges.model import ChargeKind
from daozhang.service.charges.workflow import Charges
from daozhang.service.control import router as control_router
from daozhang.service.db import Database, Tx
from daozhang.service.duty import Duty
from daozhang.service.exports.actions import EXPORT_JOB, Exports
from daozhang.service.exports.duties import ForgetExports
from daozhang.service.health import router as health_router
from daozhang.service.holds.calls import HoldCalls
from daozhang.service.holds.duties import HOLD_JOB, SweepHolds
from daozhang.service.holds.duties import NOTIFY_TYPES as HOLD_TYPES
from daozhang.service.holds.duties import take_notice as take_hold_notice
from daozhang.service.holds.workflow import HoldWork
from daozhang.service.inbox.duties import (
    ApplyNotifications,
    ClaimOrders,
    ConfirmNotifications,
    UnclaimedNotifications,
)
from daozhang.service.inbox.messages import Handler, MessageInHand, Messages
from daozhang.service.inbox.recorder import Recorder
from daozhang.service.inbox.routes import NotifyDoor
from daozhang.service.inquiries.actions import Inquirer
from daozhang.service.inquiries.duties import AskSilentOrders
from daozhang.service.jobs import POLLING_SECONDS, Jobs
from daozhang.service.keys.duties import AskAboutKeys
from daozhang.service.ledger.duties import SumAccounts
from daozhang.service.logs import configure_logs
from daozhang.service.merchants.clients import Clients
from daozhang.service.merchants.duties import NoteAnswers
from daozhang.service.migrations import require_fit
from daozhang.service.outbox.streams import SHUTDOWN
from daozhang.service.overview.duties import SumUp
from daozhang.service.payouts.comparing import Balances
from daozhang.service.receipts.actions import ACCOUNT_RECEIPT_JOB, AccountReceiptWork
from daozhang.service.receipts.duties import SweepAccountReceipts
from daozhang.service.receipts.making import ReceiptMaker
from daozhang.service.reconciliation.actions import Reconciler
from daozhang.service.refunds.attempts import Attempts
from daozhang.service.refunds.banks import take_deposit_back
from daozhang.service.refunds.duties import (
    BANK_JOB,
    RETURNS_JOB,
    AskBanks,
    AskReturns,
    SweepRefunds,
)
from daozhang.service.refunds.requesting import REFUND_JOB
from daozhang.service.refunds.returns import LateReturns
from daozhang.service.retention.duties import Forget
from daozhang.service.seal import open_sealer
from daozhang.service.search.duties import FillSearch
from daozhang.service.settings import Settings, load_settings
from daozhang.service.settlements.calls import SettlementCalls
from daozhang.service.settlements.duties import SweepSettlements
from daozhang.service.settlements.requesting import SETTLEMENT_JOB
from daozhang.service.settlements.workflow import SettlementWork
from daozhang.service.sharing.calls import ShareCalls
from daozhang.service.sharing.duties import RECEIVER_JOB, SweepReceivers, SweepShares
from daozhang.service.sharing.requesting import SHARE_JOB
from daozhang.service.sharing.settling import take_message as take_share_message
from daozhang.service.sharing.workflow import ShareWork
from daozhang.service.signals import Signals
from daozhang.service.sole import Sole
from daozhang.service.till.calls import Calls
from daozhang.service.till.duties import TILL_JOB, SweepTill
from daozhang.service.till.workflow import Till
from daozhang.service.transfers.calls import TransferCalls
from daozhang.service.transfers.duties import (
    RECEIPT_JOB,
    TRANSFER_JOB,
    EndUnapproved,
    SweepReceipts,
    SweepTransfers,
)
from daozhang.service.transfers.duties import take_message as take_transfer_message
from daozhang.service.transfers.receipts import ReceiptWork
from daozhang.service.transfers.workflow import TransferWork
from daozhang.service.watch.actions import Lookout
from daozhang.service.watch.alerting import RaiseAlerts
from daozhang.service.watch.duties import Tally, WriteMeter
from daozhang.service.watch.routes import router as metrics_router
from daozhang.service.web.bodies import BodyLimit
from daozhang.service.web.context import Context
from daozhang.service.web.idempotency import ForgetAnswers
from daozhang.service.web.problem import add_problem_handlers
from daozhang.service.webhooks.drain import Drain
from daozhang.service.webhooks.duties import Deliver, FanOut
from daozhang.service.worker import Worker

CONSOLE = "/console"
"""Where the console hangs."""

MANUAL_POLLING_SECONDS = 0.02
"""How often jobs are looked for under a manual clock, where somebody waits for the answer."""


def create_context(settings: Settings, clock: Clock | None = None) -> Context:
    """The surroundings that ``settings`` describe; nothing is opened or started yet."""
    if clock is None:
        clock = ManualClock() if settings.clock == "manual" else SystemClock()
    secret = settings.sealing_keys
    keys_text = None if secret is None else secret.get_secret_value()
    return Context(
        settings=settings,
        clock=clock,
        database=Database(settings.database_url),
        sealer=open_sealer(keys_text, settings.sealing_keys_file),
        signals=Signals(),
    )


class Service:
    """One service: everything wired, startable and stoppable."""

    def __init__(self, context: Context, *, transport: Any = None) -> None:
        """``transport`` is handed to the Alipay clients; by default they use the network."""
        self.context = context
        self.clients = Clients(context, transport=transport)
        manual = isinstance(context.clock, ManualClock)
        self.jobs = Jobs(
            context.database,
            polling_seconds=MANUAL_POLLING_SECONDS if manual else POLLING_SECONDS,
            lane_starts_per_second=context.settings.app_jobs_per_second,
        )
        attempts = Attempts(context, self.clients)
        self.inquirer = Inquirer(context, self.clients)
        self.till = Till(self.inquirer, Calls(context, self.clients), attempts)
        self.jobs.register(REFUND_JOB, attempts.run)
        self.jobs.register(BANK_JOB, attempts.ask_bank)
        self.jobs.register(RETURNS_JOB, LateReturns(attempts).ask)
        self.jobs.register(TILL_JOB, self.till.run)
        self.jobs.register(EXPORT_JOB, Exports(context).run)
        self.bills = Bills(context, self.clients, self.jobs)
        self.reconciler = Reconciler(context)
        self.jobs.register(BILL_JOB, self.bills.run)
        self.jobs.register(READ_JOB, self.reconciler.run)
        self.holds = HoldWork(HoldCalls(context, self.clients))
        self.agreements = AgreementWork(AgreementCalls(context, self.clients))
        self.charges = Charges(
            self.inquirer,
            {
                ChargeKind.HOLD: self.holds.capture_ended,
                ChargeKind.AGREEMENT: self.agreements.deduction_ended,
            },
        )
        self.shares = ShareWork(context, ShareCalls(self.clients))
        self.jobs.register(SHARE_JOB, self.shares.run)
        self.jobs.register(RECEIVER_JOB, self.shares.relate)
        self.settlements = SettlementWork(context, SettlementCalls(self.clients))
        self.jobs.register(SETTLEMENT_JOB, self.settlements.run)
        self.jobs.register(AGREEMENT_JOB, self.agreements.run)
        self.jobs.register(HOLD_JOB, self.holds.run)
        self.jobs.register(CHARGE_JOB, self.charges.run)
        self.transfers = TransferWork(TransferCalls(context, self.clients))
        self.jobs.register(TRANSFER_JOB, self.transfers.run)
        maker = ReceiptMaker(context, self.clients)
        self.jobs.register(RECEIPT_JOB, ReceiptWork(maker).run)
        self.jobs.register(ACCOUNT_RECEIPT_JOB, AccountReceiptWork(maker).run)
        self.messages = Messages(context, self.clients, self._message_handlers())
        self.recorder = Recorder(context)
        self._drain = Drain(context)
        self.lookout = Lookout(context, self.jobs)
        self._stopping = threading.Lock()
        self._sole = Sole(context.database)
        self._meter = WriteMeter(context)
        self._silent_orders = AskSilentOrders(self.inquirer)
        self.worker = Worker(
            context.clock,
            context.signals,
            self._duties(),
            wait_idle=self._wait_for_jobs,
            together=context.database.reading_together,
        )

    def _message_handlers(self) -> dict[str, Handler]:
        """Who wants which notifications that are about no trade, by Alipay's name for the kind."""
        context = self.context

        def deposit_back(tx: Tx, message: MessageInHand) -> str:
            return take_deposit_back(tx, context, message.merchant_id, message.notification)

        def hold_notice(tx: Tx, message: MessageInHand) -> str:
            return take_hold_notice(tx, context, message.merchant_id, message.notification)

        def agreement_notice(tx: Tx, message: MessageInHand) -> str:
            return take_agreement_notice(tx, context, message.merchant_id, message.notification)

        def transfer_changed(tx: Tx, message: MessageInHand) -> str:
            return take_transfer_message(tx, context, message.merchant_id, message.notification)

        def share_message(tx: Tx, message: MessageInHand) -> str:
            return take_share_message(tx, context, message.merchant_id, message.notification)

        return {
            RefundDepositBack.METHOD: deposit_back,
            TransferChanged.METHOD: transfer_changed,
            OrderSettled.METHOD: share_message,
            **dict.fromkeys(HOLD_TYPES, hold_notice),
            **dict.fromkeys(AGREEMENT_TYPES, agreement_notice),
        }

    def _duties(self) -> list[Duty]:
        context = self.context
        return [
            ClaimOrders(context),
            ApplyNotifications(context, self.messages),
            ConfirmNotifications(self.inquirer),
            UnclaimedNotifications(context),
            self._silent_orders,
            SweepRefunds(context, self.jobs),
            AskBanks(context, self.jobs),
            AskReturns(context, self.jobs),
            SweepShares(context, self.jobs),
            SweepReceivers(context, self.jobs),
            SweepSettlements(context, self.jobs),
            SweepTill(context, self.jobs),
            SweepCharges(context, self.jobs),
            SweepHolds(context, self.jobs),
            SweepAgreements(context, self.jobs),
            SweepTransfers(context, self.jobs),
            SweepReceipts(context, self.jobs),
            EndUnapproved(context),
            ExpireApprovals(context),
            AskAboutKeys(context, self.clients),
            NoteAnswers(context, self.clients),
            FanOut(context),
            Deliver(context, self._drain),
            ForgetAnswers(context),
            Forget(context),
            FillSearch(context),
            ForgetExports(context),
            FetchBills(context, self.jobs),
            SweepAccountReceipts(context, self.jobs),
            self._meter,
            Tally(context),
            SumUp(context),
            SumAccounts(context),
            BackfillLedger(context),
            RaiseAlerts(self.lookout),
        ]

    def _wait_for_jobs(self) -> None:
        if not self.jobs.wait_idle():
            raise RuntimeError("durable jobs did not come to rest")
        if not self._drain.wait_idle():
            raise RuntimeError("webhooks did not come to rest")

    def start(self) -> None:
        """Starts recording, the jobs and the duties.

        Raises `DatabaseHeld` if another process works on the same SQLite file, `NotMigrated` or
        `DatabaseTooNew` if its tables are not for this version.
        """
        require_fit(self.context.database)
        self._sole.take()
        self.recorder.start()
        self.jobs.start()
        self._drain.start()
        self.worker.start()

    def drain(self) -> None:
        """Begins to stop, and returns at once: streams end and nothing new is claimed. What is
        asked meanwhile is answered; `stop` ends the rest."""
        self.context.signals.latch(SHUTDOWN)
        threading.Thread(target=self._stop_claiming, name="draining", daemon=True).start()

    def _stop_claiming(self) -> None:
        # Once; whoever comes second waits for the first and finds everything at rest.
        with self._stopping:
            self.worker.stop()
            # Beside each other: a receiver that hangs takes no time from a refund under way.
            beside = threading.Thread(target=self._drain.stop, name="webhooks-stop", daemon=True)
            beside.start()
            self.jobs.stop()
            beside.join()

    def stop(self) -> None:
        """Finishes what runs, claims nothing new, and closes everything."""
        self._stop_claiming()
        self.recorder.stop()
        self._meter.write_last()
        self._silent_orders.close()
        self.clients.close()
        self.context.database.dispose()
        self._sole.leave()

    def web(self) -> NotifyDoor:
        """The web application; it starts and stops this service with its own life."""
        return NotifyDoor(self._api(), self.context, self.clients, self.recorder)

    def _api(self) -> FastAPI:

        @asynccontextmanager
        async def life(_app: FastAPI) -> AsyncGenerator[None]:
            await run_in_threadpool(self.start)
            listen_no_more = _when_told_to_stop(self.drain)
            try:
                yield
            finally:
                listen_no_more()
                await run_in_threadpool(self.stop)

        app = FastAPI(
            title="daozhang 到账",
            version=version("daozhang"),
            description=api.DESCRIPTION,
            responses=api.PROBLEMS,
            lifespan=life,
        )
        app.state.context = self.context
        app.state.clients = self.clients
        app.state.key_ring = KeyRing(
            self.context.database, self.context.clock, self.context.signals
        )
        app.state.inquirer = self.inquirer
        app.state.till = self.till
        app.state.holds = self.holds
        app.state.agreements = self.agreements
        app.state.messages = self.messages
        app.state.worker = self.worker
        app.state.jobs = self.jobs
        app.state.reconciler = self.reconciler
        app.state.bills = self.bills
        app.state.balances = Balances(self.context, self.clients)
        app.state.lookout = self.lookout
        origins = list(self.context.settings.cors_origins)
        if origins:
            app.add_middleware(
                CORSMiddleware, allow_origins=origins, allow_methods=["GET"], allow_headers=["*"]
            )
        app.add_middleware(BodyLimit)
        add_problem_handlers(app)
        api.add_routes(app)
        app.include_router(health_router)
        app.include_router(metrics_router)
        if isinstance(self.context.clock, ManualClock):
            app.include_router(control_router)
        app.mount(CONSOLE, create_console(app.state))
        return app


def _when_told_to_stop(action: Callable[[], None]) -> Callable[[], None]:
    """Runs ``action`` at the signal to stop, beside what the server does about it; how to undo it.

    A server waits for its open answers before it ends our life, and a stream would never end.
    """
    if threading.current_thread() is not threading.main_thread():
        return lambda: None  # signals belong to the main thread: whoever runs it stops us
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def told(number: int, frame: FrameType | None) -> None:
        # In the loop, not here: a signal interrupts whatever holds a lock that action needs.
        loop.call_soon_threadsafe(action)
        servers = before[signal.Signals(number)]
        if callable(servers):
            servers(number, frame)

    for number in before:
        signal.signal(number, told)

    def undo() -> None:
        for number, servers in before.items():
            signal.signal(number, servers)

    return undo


def create_service_from_environment() -> Service:
    """The service that the ``DAOZHANG_*`` variables describe, not started."""
    settings = load_settings()
    configure_logs(settings.log_format, settings.log_level)
    return Service(create_context(settings))


def create_app_from_environment() -> NotifyDoor:
    """Its web application, for an HTTP server."""
    application = create_service_from_environment().web()
    leave_alone_what_stays()
    return application


def leave_alone_what_stays() -> None:
    """Tells the garbage collector that what is here now stays until the process ends.

    Else it walks through every module and model again and again: 150 ms during which nothing is
    answered, every few thousand notifications, and a tenth of all that the process computes.
    """
    gc.collect()
    gc.freeze()
