"""The bookkeeping: what payments and refunds do to a seller's account, and to the day's trade bill.

It keeps a line for each payment and refund, by seller and day, and moves the money: the receipt in, the
service fee out as a movement of its own, a refund out and its part of the fee back. Its owner holds a
lock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from daozhang.clock import business_day
from daozhang.emulator.accounts import Accounts, Business, Pot
from daozhang.emulator.identity import Identities
from daozhang.emulator.ledger import Refund, Trade
from daozhang.emulator.settlement import settled_at
from daozhang.emulator.switches import Switches
from daozhang.money import Money

BASIS_POINTS: Final = 10_000
FREEZE_LIFE: Final = timedelta(days=30)
"""How long money of a trade with ``royalty_freeze`` stays frozen for its receivers (apis.md §5)."""

NOTHING: Final = Money(0)


class LineKind(StrEnum):
    """业务类型 of the trade bill."""

    PAYMENT = "交易"
    REFUND = "退款"


@dataclass(frozen=True, slots=True)
class Line:
    """A payment or a refund, as the trade bill tells it."""

    trade: Trade
    kind: LineKind
    at: datetime
    amount: Money
    """Above zero; the bill writes refunds below it."""
    fee: Money
    """What was charged for a payment, or came back with a refund; above zero."""
    out_request_no: str = ""
    note: str = ""


class Bookkeeping:
    """Every seller's books at this Alipay."""

    def __init__(self, identities: Identities, switches: Callable[[str], Switches]) -> None:
        self.accounts = Accounts(self._opening)
        self._identities = identities
        self._switches = switches
        self._lines: dict[str, dict[date, list[Line]]] = {}
        self._basis_points: dict[str, int] = {}

    def lines(self, seller_id: str, day: date) -> Sequence[Line]:
        """The payments and refunds of the day of business, oldest first."""
        return self._lines.get(seller_id, {}).get(day, ())

    def days(self, seller_id: str) -> list[date]:
        """The days on which something was paid or refunded, oldest first."""
        return list(self._lines.get(seller_id, {}))

    def clear(self) -> None:
        """Forgets everything."""
        self.accounts.clear()
        self._lines.clear()
        self._basis_points.clear()

    # ---- what happens

    def paid(self, trade: Trade) -> None:
        """A buyer has paid."""
        at = trade.paid_at
        assert at is not None
        request = trade.request
        switches = self._switches(request.app_id)
        self._basis_points[trade.trade_no] = switches.fee_basis_points
        fee = fee_of(trade.total, switches.fee_basis_points)
        pot = Pot.AVAILABLE
        if switches.direct_pay:
            pot = Pot.UNSETTLED  # until its settlement is confirmed
        elif request.royalty_freeze:
            pot, until = Pot.FROZEN, at + FREEZE_LIFE
            self.accounts.keep_until(request.seller_id, trade.trade_no, pot, until)
        elif switches.settlement_days:
            until = settled_at(at, switches.settlement_days, switches.holidays)
            pot = Pot.UNSETTLED
            self.accounts.keep_until(request.seller_id, trade.trade_no, pot, until)
        self._move(trade, trade.total, Business.PAYMENT, at, pot)
        if fee:
            self._move(trade, -fee, Business.FEE, at, pot)
        self._note(Line(trade, LineKind.PAYMENT, at, trade.total, fee, note=request.body))

    def confirmed(self, trade: Trade, at: datetime, *, freezes: bool) -> None:
        """The settlement of a direct-pay merchant's payment was confirmed: from now on it is paid out as
        other payments are."""
        request = trade.request
        if self._pot_of(trade) is not Pot.UNSETTLED:
            return
        switches = self._switches(request.app_id)
        until = at
        if switches.settlement_days:
            until = settled_at(at, switches.settlement_days, switches.holidays)
        if freezes:
            self.accounts.freeze_once_settled(request.seller_id, trade.trade_no, FREEZE_LIFE)
        self.accounts.keep_until(request.seller_id, trade.trade_no, Pot.UNSETTLED, until)
        self.accounts.let_time_pass(at)

    def refunded(self, trade: Trade, refund: Refund) -> None:
        """Money went back; ``trade`` is as it is after that."""
        seller_id, at = trade.request.seller_id, refund.at
        returned = self._fee_returned(trade, refund.amount, trade.refunded - refund.amount)
        pot = self._pot_of(trade)
        if pot is Pot.FROZEN:
            needed = refund.amount - returned
            self.accounts.release(seller_id, trade.trade_no, at, needed)
            pot = Pot.AVAILABLE
        if returned:
            self._move(trade, returned, Business.FEE_RETURN, at, pot, refund)
        self._move(trade, -refund.amount, Business.REFUND, at, pot, refund)
        note = refund.reason or trade.request.body
        self._note(
            Line(trade, LineKind.REFUND, at, refund.amount, returned, refund.out_request_no, note)
        )

    def require_balance(self, trade: Trade, amount: Money, now: datetime) -> None:
        """Raises `NotEnough` unless the seller can pay a refund of ``amount``."""
        self.accounts.let_time_pass(now)
        seller_id = trade.request.seller_id
        needed = amount - self._fee_returned(trade, amount, trade.refunded)
        pot = self._pot_of(trade)
        if pot is not Pot.AVAILABLE:
            needed -= self.accounts.parked(seller_id, trade.trade_no, pot)
        if needed > NOTHING:
            self.accounts.require(
                seller_id, needed, Pot.AVAILABLE, trade.trade_no, "ACQ.SELLER_BALANCE_NOT_ENOUGH"
            )

    def _pot_of(self, trade: Trade) -> Pot:
        return self.accounts.pot_of(trade.request.seller_id, trade.trade_no)

    def _fee_returned(self, trade: Trade, amount: Money, before: Money) -> Money:
        """What of the fee comes back, so that all of it has with the last fen of the payment."""
        if not self._switches(trade.request.app_id).fee_returned:
            return NOTHING
        basis_points = self._basis_points[trade.trade_no]
        kept = fee_of(trade.total - before, basis_points)
        return kept - fee_of(trade.total - before - amount, basis_points)

    def _move(
        self,
        trade: Trade,
        amount: Money,
        business: Business,
        at: datetime,
        pot: Pot,
        refund: Refund | None = None,
    ) -> None:
        request = trade.request
        self.accounts.move(
            request.seller_id,
            amount,
            business=business,
            at=at,
            pot=pot,
            trade_no=trade.trade_no,
            out_trade_no=request.out_trade_no,
            out_request_no="" if refund is None else refund.out_request_no,
            subject=request.subject,
            other_account="" if business in _OF_ALIPAY else masked_name(trade.buyer_id),
            memo="" if refund is None else refund.reason,
            store_id=request.store_id,
        )

    def _note(self, line: Line) -> None:
        days = self._lines.setdefault(line.trade.request.seller_id, {})
        days.setdefault(business_day(line.at), []).append(line)

    def _opening(self, user_id: str) -> Money:
        """A seller begins with what its switch says, anybody else with nothing."""
        for app in self._identities.apps():
            if app.seller_id == user_id:
                return Money.parse(self._switches(app.app_id).opening_balance)
        return NOTHING


_OF_ALIPAY: Final = frozenset({Business.FEE, Business.FEE_RETURN})
_GIVEN_NAMES: Final = (
    "伟",
    "芳",
    "秀英",
    "敏",
    "静",
    "津水",
    "建国",
    "丽",
    "强",
    "庚辰",
    "洋",
    "艳",
)


def masked_name(user_id: str) -> str:
    """A person as bills show one: no surname, and a masked address; the same for the same id."""
    given = _GIVEN_NAMES[int(user_id[-6:]) % len(_GIVEN_NAMES)] if user_id.isdigit() else "某"
    return f"*{given}({user_id[-3:]}***@example.com)"


def fee_of(amount: Money, basis_points: int) -> Money:
    """The service fee, rounded half up to the fen: nothing where it is less than half a fen."""
    return Money((amount.minor * basis_points + BASIS_POINTS // 2) // BASIS_POINTS)
