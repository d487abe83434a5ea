"""The sharing desk: binding, passing on, giving back, and the message of what was carried out later.

It works under the lock of the desk that owns it, so that a trade, its royalties and the accounts change
as one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from daozhang.clock import to_beijing_text
from daozhang.emulator.accounts import Business, NotEnough, Pot, Thaw
from daozhang.emulator.confirmations import Confirmations
from daozhang.emulator.ledger import Declined, Product, Trade, TradeStatus
from daozhang.emulator.royalties import (
    NO_BALANCE,
    NOTHING,
    Conduct,
    Receiver,
    Request,
    Royalties,
    Royalty,
    Settlement,
    State,
    ended,
    new_number,
    pro_rata,
)
from daozhang.money import Money

if TYPE_CHECKING:
    from daozhang.emulator.announcing import Announcer
    from daozhang.emulator.desk import Desk

SETTLED: Final = "alipay.trade.order.settle.notify"

CALLS_MAX_SYNC: Final = 50
CALLS_MAX_ASYNC: Final = 300
"""How many calls one trade takes (apis.md §5)."""

SHARING_LIFE: Final = timedelta(days=365)

FACE_TO_FACE: Final = frozenset({Product.QR, Product.BARCODE})
"""Where a refund takes money back from receivers by itself, pro rata (apis.md §3.1)."""

_HOW_IT_RETURNS: Final = {
    "unauthorised": "ACQ.REFUNDALLOC_UNAUTH_LIMIT",
    "insolvent": "ACQ.TRADE_SETTLE_ERROR",
}
_UNCERTIFIED: Final = "ACQ.ROYALTY_RECEIVER_ACCOUNT_NOT_CERTIFY"


class SharingDesk:
    """All relations and royalties, and their verbs. Every method is safe for threads."""

    def __init__(self, desk: Desk, announcer: Announcer) -> None:
        self._desk = desk
        self._announcer = announcer
        self._royalties = Royalties()
        self.confirmations = Confirmations(desk)
        self._conduct: dict[str, Conduct] = {}

    # ---- what there is

    def settlements(self, trade_no: str | None = None) -> list[Settlement]:
        """The settlements of a trade, or all, oldest first."""
        with self._desk.lock:
            self.let_time_pass()
            kept = self._royalties
            return kept.all() if trade_no is None else kept.of_trade(trade_no)

    def returns(self, trade_no: str, out_request_no: str | None = None) -> Sequence[Royalty]:
        """What came back of a trade, with one refund or all."""
        with self._desk.lock:
            return self._royalties.returns(trade_no, out_request_no)

    def shared(self, trade_no: str) -> Money:
        """What was passed on of a trade and has not come back."""
        with self._desk.lock:
            self.let_time_pass()
            return self._royalties.shared(trade_no)

    def conduct(self, account: str) -> Conduct:
        """How that account behaves."""
        return self._conduct.get(account, Conduct())

    def set_conduct(self, account: str, conduct: Conduct) -> None:
        """Changes how an account behaves."""
        with self._desk.lock:
            self._conduct[account] = conduct

    def clear(self) -> None:
        """Forgets relations, royalties and how accounts behave."""
        self._royalties.clear()
        self.confirmations.clear()
        self._conduct.clear()

    # ---- who may receive

    def bind(self, seller_id: str, receivers: Sequence[Receiver]) -> None:
        """Binds all of them, or none. Raises `Declined`."""
        with self._desk.lock:
            for receiver in receivers:
                self._require_account(receiver)
                if not self.conduct(receiver.account).certified:
                    raise Declined("RECEIVER_ACCOUNT_NOT_CERTIFY")
            self._royalties.bind(seller_id, receivers)

    def unbind(self, seller_id: str, receivers: Sequence[Receiver]) -> None:
        """Ends all of these relations, or none. Raises `Declined`."""
        with self._desk.lock:
            for receiver in receivers:
                self._require_account(receiver)
            self._royalties.unbind(seller_id, receivers)

    def receivers(self, seller_id: str) -> list[Receiver]:
        """Who is bound to the seller."""
        with self._desk.lock:
            return self._royalties.receivers(seller_id)

    def _require_account(self, receiver: Receiver) -> None:
        conduct = self.conduct(receiver.account)
        if not conduct.exists:
            raise Declined("USER_NOT_EXIST")
        if receiver.name and conduct.name and receiver.name != conduct.name:
            raise Declined("USERNAME_NOT_MATCH")

    # ---- passing on

    def settle(self, request: Request) -> Settlement:
        """Passes on: at once, or once it is due. The same again is the same. Raises `Declined`."""
        with self._desk.lock:
            self.let_time_pass()
            known = self._royalties.find(request.seller_id, request.out_request_no)
            if known is not None:
                if known.request != request:
                    raise Declined("ACQ.DISCORDANT_REPEAT_REQUEST")
                return known
            now = self._desk.now()
            trade = self._desk.find(request.seller_id, trade_no=request.trade_no)
            self._require_shareable(trade, request, now)
            self._require_receivers(request)
            self._require_within(trade, request)
            royalties = tuple(
                Royalty(
                    new_number(now),
                    request.seller_id,
                    account,
                    type_,
                    amount,
                    State.PROCESSING,
                    now,
                )
                for type_, account, amount in request.shares
            )
            settlement = Settlement(new_number(now), request, now, royalties)
            if request.asynchronous and royalties:
                wait = timedelta(seconds=self._desk.switches(request.app_id).share_seconds)
                return self._royalties.keep(replace(settlement, due_at=now + wait))
            self._require_all_at_once(trade, royalties, now)
            return self._carry_out(settlement, now)

    def _require_shareable(self, trade: Trade, request: Request, now: datetime) -> None:
        if trade.status is TradeStatus.WAIT_BUYER_PAY:
            raise Declined("ACQ.TRADE_STATUS_ERROR")
        if trade.status is TradeStatus.TRADE_CLOSED:
            refused = "ALLOC_REFUSE_AFTER_REFUND" if trade.refunds else "TRADE_STATUS_ERROR"
            raise Declined(f"ACQ.{refused}")
        if trade.paid_at is None or trade.paid_at + SHARING_LIFE <= now:
            raise Declined("ACQ.REASON_TRADE_STATUS_INVALID")
        switches = self._desk.switches(request.app_id)
        if switches.direct_pay and not self.confirmations.is_confirmed(trade.trade_no):
            raise Declined("ACQ.ALLOC_REFUSE_BEFORE_SETTLE")
        if self._royalties.is_finished(trade.trade_no):
            raise Declined("ACQ.ALREADY_FINISH_ALLOC")
        same = [
            s
            for s in self._royalties.of_trade(trade.trade_no)
            if s.request.asynchronous is request.asynchronous
        ]
        if len(same) >= (CALLS_MAX_ASYNC if request.asynchronous else CALLS_MAX_SYNC):
            raise Declined("ACQ.FREQUENCY_LIMITED")

    def _require_receivers(self, request: Request) -> None:
        for type_, account, _ in request.shares:
            if account == request.seller_id:
                raise Declined("ACQ.ROYALTY_ACCOUNTS_EQUAL")
            if not self.conduct(account).exists:
                raise Declined("ACQ.ROYALTY_RECEIVER_ACCOUNT_NOT_EXIST")
            if not self._royalties.is_bound(request.seller_id, type_, account):
                raise Declined("ACQ.ROYALTY_RECEIVER_INVALID")

    def _require_within(self, trade: Trade, request: Request) -> None:
        """The limit of the agreement, and never more than is left of the trade."""
        percent = self._desk.switches(request.app_id).royalty_percent
        asked = Money.total(amount for _, _, amount in request.shares)
        shared = self._royalties.shared(trade.trade_no) + asked
        if shared.minor * 100 > trade.total.minor * percent or shared > trade.remaining:
            raise Declined("ACQ.ALLOC_AMOUNT_VALIDATE_ERROR")

    def _require_all_at_once(
        self, trade: Trade, royalties: Sequence[Royalty], now: datetime
    ) -> None:
        for royalty in royalties:
            refused = self._refusal_of(royalty)
            if refused:
                raise Declined(refused)
        total = Money.total(royalty.amount for royalty in royalties)
        self._desk.accounts.let_time_pass(now)
        seller_id, pot = self._pot_of(trade)
        self._desk.accounts.require(seller_id, total, pot, trade.trade_no, NO_BALANCE)

    def _refusal_of(self, royalty: Royalty) -> str:
        conduct = self.conduct(royalty.trans_in)
        return conduct.refuses or ("" if conduct.certified else _UNCERTIFIED)

    def _pot_of(self, trade: Trade) -> tuple[str, Pot]:
        seller_id = trade.request.seller_id
        return seller_id, self._desk.accounts.pot_of(seller_id, trade.trade_no)

    def _carry_out(self, settlement: Settlement, now: datetime) -> Settlement:
        request = settlement.request
        trade = self._desk.ledger.find(request.seller_id, trade_no=request.trade_no)
        royalties = tuple(self._pass_on(trade, one, now) for one in settlement.royalties)
        done = self._royalties.keep(replace(settlement, royalties=royalties, due_at=None))
        if request.finishes:
            self._desk.accounts.release(
                request.seller_id, request.trade_no, now, request.finish_amount
            )
        return done

    def _pass_on(self, trade: Trade, royalty: Royalty, now: datetime) -> Royalty:
        refused = self._refusal_of(royalty)
        if refused:
            return ended(royalty, refused, now)
        seller_id, pot = self._pot_of(trade)
        try:
            self._move(
                trade, seller_id, -royalty.amount, Business.SHARE, now, royalty.trans_in, pot
            )
        except NotEnough:
            return ended(royalty, NO_BALANCE, now)
        self._move(trade, royalty.trans_in, royalty.amount, Business.SHARE, now, seller_id)
        return ended(royalty, "", now)

    def _move(
        self,
        trade: Trade,
        user_id: str,
        amount: Money,
        business: Business,
        at: datetime,
        other: str,
        pot: Pot = Pot.AVAILABLE,
        out_request_no: str = "",
    ) -> None:
        self._desk.accounts.move(
            user_id,
            amount,
            business=business,
            at=at,
            pot=pot,
            trade_no=trade.trade_no,
            out_trade_no=trade.out_trade_no,
            out_request_no=out_request_no,
            subject=trade.request.subject,
            other_account=other,
            declines_with=NO_BALANCE if amount < NOTHING else "",
        )

    def find(self, seller_id: str, out_request_no: str, settle_no: str) -> Settlement | None:
        """The settlement of either number."""
        with self._desk.lock:
            self.let_time_pass()
            return self._royalties.find(seller_id, out_request_no, settle_no)

    def shareable(self, trade: Trade, app_id: str) -> Money:
        """How much of a trade could still be passed on."""
        with self._desk.lock:
            self.let_time_pass()
            if trade.status is TradeStatus.WAIT_BUYER_PAY or self._royalties.is_finished(
                trade.trade_no
            ):
                return NOTHING
            percent = self._desk.switches(app_id).royalty_percent
            most = min(Money(trade.total.minor * percent // 100), trade.remaining)
            return max(most - self._royalties.shared(trade.trade_no), NOTHING)

    # ---- giving back

    def plan_returns(
        self, trade: Trade, amount: Money, named: Sequence[tuple[str, Money]]
    ) -> list[tuple[str, Money]]:
        """Who gives back how much with a refund: those named, or face to face all, pro rata.

        Raises `Declined` if one of those named cannot, or has not so much.
        """
        with self._desk.lock:
            held = self._royalties.held_by(trade.trade_no)
            if not named:
                automatic = trade.request.product in FACE_TO_FACE
                able = {a: has for a, has in held.items() if self.conduct(a).gives_back == "yes"}
                return (
                    pro_rata(amount, able, trade.remaining) if automatic and trade.remaining else []
                )
            asked: dict[str, Money] = {}
            for account, part in named:
                asked[account] = asked.get(account, NOTHING) + part
            for account, part in asked.items():
                if account not in held:
                    raise Declined("ACQ.REFUND_ROYALTY_PAYEE_ACCOUNT_NOT_EXIST")
                refused = _HOW_IT_RETURNS.get(self.conduct(account).gives_back)
                if refused is not None:
                    raise Declined(refused)
                if part > held[account]:
                    raise Declined("ACQ.ALLOC_AMOUNT_VALIDATE_ERROR")
            if Money.total(asked.values()) > amount:
                raise Declined("ACQ.ALLOC_AMOUNT_VALIDATE_ERROR")
            return list(asked.items())

    def give_back(
        self, trade: Trade, out_request_no: str, returns: Sequence[tuple[str, Money]]
    ) -> None:
        """Receivers give back what was planned, with a refund that has been made."""
        with self._desk.lock:
            now, seller_id = self._desk.now(), trade.request.seller_id
            self._royalties.take_back(trade.trade_no, seller_id, out_request_no, returns, now)
            for account, amount in returns:
                for user, moved, other in (
                    (account, -amount, seller_id),
                    (seller_id, amount, account),
                ):
                    self._desk.accounts.move(
                        user,
                        moved,
                        business=Business.SHARE_RETURN,
                        at=now,
                        trade_no=trade.trade_no,
                        out_trade_no=trade.out_trade_no,
                        out_request_no=out_request_no,
                        subject=trade.request.subject,
                        other_account=other,
                    )

    # ---- time

    def next_due(self) -> datetime | None:
        """When an accepted settlement is carried out next, or a freeze ends by itself."""
        moments = self._royalties.next_due(), self._desk.accounts.next_thaw()
        return min((moment for moment in moments if moment is not None), default=None)

    def let_time_pass(self) -> None:
        """Carries out what was accepted and is due, and tells of it, and of freezes that have ended."""
        now = self._desk.now()
        self._desk.accounts.let_time_pass(now)
        for thaw in self._desk.accounts.take_thawed():
            trade = self._desk.ledger.find(thaw.user_id, trade_no=thaw.trade_no)
            app = self._desk.identities.app_by_id(trade.request.app_id)
            if app is not None and self._desk.switches(app.app_id).thaw_notified:
                self._announcer.message(app, SETTLED, thaw_content(thaw))
        for settlement in self._royalties.accepted(now):
            assert settlement.due_at is not None
            done = self._carry_out(settlement, settlement.due_at)
            app = self._desk.identities.app_by_id(done.request.app_id)
            if app is not None:
                self._announcer.message(app, SETTLED, message_content(done))


def thaw_content(thaw: Thaw) -> Mapping[str, Any]:
    """What the message says where a freeze has ended by itself (unverified)."""
    return {
        "msg_type": "AUTO_SETTLE_FINISH",
        "operation_dt": to_beijing_text(thaw.at),
        "operation_finish_dt": to_beijing_text(thaw.at),
        "royalty_finish_amount": str(thaw.amount),
        "trade_no": thaw.trade_no,
    }


def message_content(settlement: Settlement) -> Mapping[str, Any]:
    """What the message of a settlement says (apis.md §5.8)."""
    return {
        "msg_type": "ASYNC_SETTLE_RESULT",
        "out_request_no": settlement.request.out_request_no,
        "operation_dt": to_beijing_text(settlement.at),
        "settle_no": settlement.settle_no,
        "trade_no": settlement.request.trade_no,
        "royalty_detail_list": [detail(one) for one in settlement.royalties],
    }


def detail(royalty: Royalty) -> dict[str, str]:
    """One royalty as a query and the message tell it."""
    told = {
        "operation_type": royalty.operation_type,
        "execute_dt": to_beijing_text(royalty.at),
        "trans_out": royalty.trans_out,
        "trans_in": royalty.trans_in,
        "trans_in_type": royalty.trans_in_type,
        "amount": str(royalty.amount),
        "state": royalty.state.value,
        "detail_id": royalty.detail_id,
        "error_code": royalty.error_code.removeprefix("ACQ."),
        "error_desc": "分账失败" if royalty.error_code else "",
    }
    return {name: text for name, text in told.items() if text}
