"""The emulator as one thing: `create_emulator` wires it, `Emulator` is what a test holds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from daozhang.clock import Clock, SystemClock
from daozhang.emulator import pages
from daozhang.emulator.account_pages import AccountPages
from daozhang.emulator.agreements import Agreement
from daozhang.emulator.bill_control import BillControl
from daozhang.emulator.bill_office import BillOffice
from daozhang.emulator.cashier import Cashier
from daozhang.emulator.control import Control
from daozhang.emulator.desk import Desk
from daozhang.emulator.errors import require_code
from daozhang.emulator.faults import Fault, FaultName
from daozhang.emulator.freezing_control import Action as HoldAction
from daozhang.emulator.freezing_control import FreezingControl
from daozhang.emulator.freezing_pages import FreezingPages
from daozhang.emulator.gateway import Gateway
from daozhang.emulator.holds import Hold
from daozhang.emulator.identity import (
    DEFAULT_APP,
    DEFAULT_HOST,
    DEFAULT_PORT,
    Identities,
    base_url_of,
)
from daozhang.emulator.ledger import Channel, Declined, Refunded, RefundOrigin, Trade
from daozhang.emulator.methods.catalogue import methods
from daozhang.emulator.notifier import Notification, Notifier
from daozhang.emulator.rest import Rest
from daozhang.emulator.royalties import Settlement
from daozhang.emulator.sharing_control import ConductBody, SharingControl
from daozhang.emulator.sheet_pages import SheetPages
from daozhang.emulator.signing_control import Action, SigningControl
from daozhang.emulator.signing_pages import SigningPages
from daozhang.emulator.transfers import Transfer
from daozhang.emulator.transfers_control import Action as TransferAction
from daozhang.emulator.transfers_control import TransferControl
from daozhang.emulator.wallet import BALANCE_TOO_LOW, Behaviour
from daozhang.emulator.wallet_pages import WalletPages
from daozhang.money import Money

RECENT_TRADES: Final = 20
_VERBS: Final = ["GET", "POST", "PUT", "PATCH", "DELETE"]


class Emulator:
    """One Alipay. Every method is safe for threads; `asgi` may run under any server.

    The methods that play somebody wait for the notifications that this caused, so they must not be
    called from the event loop that has to answer those.
    """

    def __init__(
        self,
        desk: Desk,
        *,
        base_url: str,
        host: str,
        transport: httpx2.AsyncBaseTransport | None,
        control_token: str | None,
    ) -> None:
        self.base_url = base_url
        self._desk = desk
        self._notifier = Notifier(desk, transport=transport)
        office = BillOffice(desk, base_url)
        known = methods(base_url, office)
        gateway = Gateway(desk, self._notifier, known)
        rest = Rest(desk, self._notifier, known)
        self._control = Control(desk, self._notifier, gateway, token=control_token, host=host)
        self._signing = SigningControl(desk, self._notifier)
        self._freezing = FreezingControl(desk, self._notifier, gateway)
        self._transferring = TransferControl(desk, self._notifier)
        self.asgi = Starlette(
            routes=[
                Route("/", self._start_page),
                Route("/gateway.do", gateway.handle, methods=["GET", "POST"]),
                Route("/v3/{path:path}", rest.handle, methods=_VERBS),
                *Cashier(desk, self._notifier, base_url).routes(),
                *SigningPages(desk, self._notifier).routes(),
                *FreezingPages(desk, self._notifier).routes(),
                *WalletPages(desk, self._notifier, self._control, base_url).routes(),
                *SheetPages(desk, self._notifier, self._control, gateway).routes(),
                *office.routes(),
                *desk.receipts.routes(),
                *AccountPages(desk, self._control).routes(),
                *self._control.routes(),
                *BillControl(desk).routes(self._control),
                *self._signing.routes(self._control),
                *self._freezing.routes(self._control),
                *self._transferring.routes(self._control),
                *SharingControl(desk).routes(self._control),
                Mount("/static", StaticFiles(directory=pages.HERE / "static")),
            ],
            lifespan=self._life,
        )

    # ---- life

    def start(self) -> None:
        """Starts sending what is due; done by itself when `asgi` is served. Safe to repeat."""
        self._notifier.start()

    def stop(self) -> None:
        """Stops sending. Safe to repeat."""
        self._notifier.stop()

    @asynccontextmanager
    async def _life(self, app: Starlette) -> AsyncGenerator[None]:
        del app
        self.start()
        try:
            yield
        finally:
            await asyncio.to_thread(self.stop)

    # ---- identities

    def credentials(
        self, name: str = DEFAULT_APP, *, seller_of: str | None = None
    ) -> dict[str, str]:
        """All that a client of the app ``name`` needs; the app is made if it is new.

        ``seller_of`` names an app whose seller it shall belong to: both have one account and one bill.
        The keys are those of ``daozhang emulator credentials --json``.
        """
        return self._desk.identities.credentials(name, seller_of=seller_of)

    # ---- playing the buyer, the merchant centre and time

    def pay(
        self, out_trade_no: str, *, app_id: str | None = None, channel: str = Channel.BALANCE
    ) -> Trade:
        """The buyer pays an open trade, by ``balance``, ``bank_card`` or ``credit_card``.

        Returns when the first attempt to notify has ended. Raises `ledger.Declined`, with
        ``ACQ.TRADE_NOT_EXIST`` while nobody has opened the page.
        """
        paid = self._desk.pay(self._trade(out_trade_no, app_id), Channel(channel))
        self._notifier.settle().result()
        return paid

    def payment_code(
        self,
        behaviour: str = Behaviour.PAYS,
        *,
        sub_code: str = BALANCE_TOO_LOW,
        channel: str = Channel.BALANCE,
        face: bool = False,
    ) -> str:
        """A code that a buyer shows at a till, good for one use within a minute.

        ``behaviour`` is what becomes of the payment: it ``pays`` at once, ``asks`` the buyer to
        confirm (`confirm`), ``declines`` with ``sub_code`` and leaves the trade open, or ``dies`` with
        it and leaves none. Raises `ValueError` for words that do not exist.
        """
        require_code(sub_code)
        made = self._desk.show_code(
            behaviour=Behaviour(behaviour), sub_code=sub_code, channel=Channel(channel), face=face
        )
        return made.text

    def confirm(self, out_trade_no: str, *, agree: bool = True, app_id: str | None = None) -> Trade:
        """The buyer confirms on the phone what a till has asked for, or refuses.

        Returns when the first attempt to notify has ended. Raises `ledger.Declined` if no phone was
        asked.
        """
        trade = self._desk.confirm(self._trade(out_trade_no, app_id), agree=agree)
        self._notifier.settle().result()
        return trade

    def refund(
        self,
        out_trade_no: str,
        amount: Money | None = None,
        out_request_no: str = "merchant-centre",
        *,
        app_id: str | None = None,
    ) -> Refunded:
        """The merchant refunds ``amount`` (default: all that is left) past the API."""
        trade = self._trade(out_trade_no, app_id)
        asked = trade.remaining if amount is None else amount
        outcome = self._desk.refund(trade, asked, out_request_no, "", RefundOrigin.CENTRE)
        self._notifier.settle().result()
        return outcome

    def send_message(
        self,
        msg_method: str,
        content: Mapping[str, Any],
        *,
        app: str = DEFAULT_APP,
        encrypted: bool = False,
    ) -> None:
        """Alipay tells the app named ``app`` something, at the switch ``gateway_url``.

        Returns when the first attempt has ended. Raises `ValueError` for an app without an address.
        """
        found = self._desk.identities.app(app)
        if self._desk.send_message(found, msg_method, content, encrypted=encrypted) is None:
            raise ValueError(f"The app {app!r} has no gateway_url: set that switch.")
        self._notifier.settle().result()

    def bank_returns(
        self, out_trade_no: str, out_request_no: str, *, arrived: bool, app_id: str | None = None
    ) -> None:
        """The bank has taken a refund to a card, or sent it back to the buyer's balance."""
        trade = self._trade(out_trade_no, app_id)
        self._desk.bank_returns(trade, out_request_no, "S" if arrived else "F")
        self._notifier.settle().result()

    def set_receiver(self, account: str, **how: Any) -> None:
        """How the account of a receiver of shares behaves from now on; ``how`` is what
        ``/_control/receivers`` takes (``certified``, ``gives_back``, ``refuses``, ...)."""
        self._desk.sharing.set_conduct(account, ConductBody(**how).conduct())

    def shares(self, out_trade_no: str) -> list[Settlement]:
        """What was passed on of a trade, call by call."""
        return self._desk.sharing.settlements(self._trade(out_trade_no, None).trade_no)

    def agree(
        self, number: str, action: Action = "sign", *, app_id: str | None = None
    ) -> Agreement:
        """The buyer does something about the agreement with that ``external_agreement_no``: ``sign``
        (on a page that was opened), ``unsign``, ``stop`` it for a while or ``resume`` it.

        Returns when the first attempt to notify has ended. Raises `ledger.Declined`.
        """
        agreement = self._signing.play(number, action, app_id)
        self._notifier.settle().result()
        return agreement

    def play_hold(
        self,
        number: str,
        action: HoldAction = "confirm",
        *,
        amount: Money | None = None,
        app_id: str | None = None,
    ) -> Hold:
        """The buyer answers what the hold of that ``out_order_no`` asks, on a phone or a page that was
        handed out: ``confirm`` or ``refuse``. Or the merchant centre does ``release`` an ``amount``.

        Returns when the first attempt to notify has ended. Raises `ledger.Declined`.
        """
        hold = self._freezing.play(number, action, amount, app_id)
        self._notifier.settle().result()
        return hold

    def freeze_in_app(self, order_string: str, *, confirm: bool = True) -> Hold:
        """The Alipay app is handed the order string of a freeze; the buyer confirms, or only looks.

        Returns when the first attempt to notify has ended. Raises `ledger.Declined`.
        """
        hold = self._freezing.freeze_in_app(order_string, confirm=confirm)
        self._notifier.settle().result()
        return hold

    def play_transfer(
        self, number: str, action: TransferAction, *, app_id: str | None = None
    ) -> Transfer:
        """A bank does something about the transfer to a card with that ``out_biz_no``: ``arrive`` or
        ``fail`` while it is on its way, ``send_back`` what it had taken.

        Returns when the first attempt to tell has ended. Raises `ledger.Declined`.
        """
        transfer = self._transferring.play(number, action, app_id)
        self._notifier.settle().result()
        return transfer

    def advance(self, seconds: float) -> None:
        """Moves the clock; returns when every attempt that became due has ended."""
        self._notifier.advance(seconds).result()

    def settle(self) -> None:
        """Returns when every attempt that is due, or under way, has ended."""
        self._notifier.settle().result()

    def rotate(self) -> None:
        """Alipay signs with a new key, and has a new certificate, from now on."""
        self._desk.identities.rotate()

    def set_fault(
        self,
        name: str,
        *,
        out_trade_no: str | None = None,
        app_id: str | None = None,
        method: str | None = None,
        times: int | None = None,
        probability: float = 1.0,
        seconds: float | None = None,
    ) -> Fault:
        """Sets the fault ``name`` of the catalogue; raises `ValueError` for another name."""
        fault = Fault(FaultName(name), out_trade_no, app_id, method, times, probability, seconds)
        self._desk.faults.set(fault)
        return fault

    def clear_faults(self) -> None:
        """Removes every fault."""
        self._desk.faults.clear()

    def reset(self, seed: int | None = None) -> None:
        """Forgets trades, pages, notifications, faults and switches; keys and clock stay.

        Returns when what was being sent has arrived: whatever arrives later is of what happens later.
        """
        self._desk.reset(seed)
        self.settle()

    # ---- looking

    @property
    def desk(self) -> Desk:
        """Everything this Alipay knows."""
        return self._desk

    @property
    def trades(self) -> list[Trade]:
        """Every trade as it is now, oldest first."""
        return self._desk.trades()

    @property
    def agreements(self) -> list[Agreement]:
        """Every agreement as it is now, oldest first."""
        return self._desk.agreements.all()

    @property
    def holds(self) -> list[Hold]:
        """Every hold as it is now, oldest first."""
        return self._desk.holds.all()

    @property
    def transfers(self) -> list[Transfer]:
        """Every transfer as it is now, oldest first."""
        return self._desk.transfers.all()

    @property
    def notifications(self) -> list[Notification]:
        """Every notification, oldest first, with its attempts."""
        return self._desk.notifications()

    def trade(self, out_trade_no: str, *, app_id: str | None = None) -> Trade:
        """One trade. Raises `ledger.Declined` if there is none."""
        return self._trade(out_trade_no, app_id)

    def _trade(self, out_trade_no: str, app_id: str | None) -> Trade:
        found = self._desk.find_by_number(out_trade_no, app_id)
        if not found:
            raise Declined("ACQ.TRADE_NOT_EXIST", "nobody has opened its page")
        if len(found) > 1:
            raise ValueError(f"Several sellers have a trade {out_trade_no!r}; give the app_id.")
        return found[0]

    async def _start_page(self, request: Request) -> Response:
        desk = self._desk
        may_see = self._control.is_admitted(request)
        recent = desk.trades()[-RECENT_TRADES:][::-1] if may_see else []
        rows: list[tuple[Trade, list[Notification]]] = [
            (trade, desk.notifications(trade.out_trade_no)) for trade in recent
        ]
        values: dict[str, Any] = {
            "base_url": self.base_url,
            "directory": desk.identities.directory,
            "now": desk.now(),
            "clock_stands": desk.clock.is_manual,
            "faults": desk.faults.all() if may_see else [],
            "may_see": may_see,
            "rows": rows,
        }
        return pages.page(request, "start.html", **values)


def create_emulator(
    data_dir: Path,
    *,
    clock: Clock | None = None,
    host: str = DEFAULT_HOST,
    port: int = DEFAULT_PORT,
    transport: httpx2.AsyncBaseTransport | None = None,
    control_token: str | None = None,
    seed: int = 0,
) -> Emulator:
    """An emulator whose keys and apps live in ``data_dir``, reachable at ``host`` and ``port``.

    ``transport`` replaces the network for notifications; ``control_token`` opens the control plane
    to other machines; ``seed`` makes faults of chance reproducible. The address is noted in the
    directory for `credentials`. Raises `identity.IdentityProblem` if the directory cannot be used.
    """
    present = SystemClock() if clock is None else clock
    identities = Identities(data_dir, present)
    identities.remember_address(host, port)
    return Emulator(
        Desk(identities, present, seed=seed),
        base_url=base_url_of(host, port),
        host=host,
        transport=transport,
        control_token=control_token,
    )
