"""What the pages of the till show, ready for their templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from daozhang.console.orders.views import WAYS
from daozhang.console.states import Tone
from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.service.orders.model import Order, OrderStatus, Way
from daozhang.service.people.model import Language, Right
from daozhang.service.refunds.model import Refund
from daozhang.service.refusals import Refusal
from daozhang.service.seal import TokenRefused
from daozhang.service.shifts.model import Shift
from daozhang.service.till.code_routes import CODE_PURPOSE
from daozhang.service.till.model import BarcodePayment
from daozhang.service.till.rules import may_scan_again
from daozhang.service.till.views import FINAL, SHOWN, state_of, words_of

JUST_NOW: Final = timedelta(minutes=10)
"""A payment that is older is none that somebody waits for with goods in hand: an old receipt must
not fetch them a second time."""


@dataclass(frozen=True, slots=True)
class Typed:
    """What stood in the fields of a form that was not taken."""

    amount: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True)
class OpeningView:
    """Where a shift is opened."""

    store: str
    terminal: str
    error: str | None


def opening_view(_visit: Visit, store: str, terminal: str, error: str | None) -> OpeningView:
    """The form in which one says where one stands."""
    return OpeningView(store, terminal, error)


@dataclass(frozen=True, slots=True)
class SaleRow:
    """A sale in a list."""

    address: str
    order: Order
    way: str


def rows_of(visit: Visit, sales: Sequence[Order]) -> list[SaleRow]:
    """Sales as lines that lead to their pages."""
    return [
        SaleRow(f"{visit.home}/till/{each.out_trade_no}", each, visit.t(WAYS[each.way]))
        for each in sales
    ]


@dataclass(frozen=True, slots=True)
class TillView:
    """The keypad. ``number`` is that of the sale it will make."""

    path: str
    shift: Shift
    number: str
    sales: Sequence[SaleRow]
    typed: Typed
    amount_error: str | None
    error: str | None


def till_view(
    visit: Visit,
    shift: Shift,
    number: str,
    sales: Sequence[Order],
    typed: Typed,
    refusal: Refusal | None,
) -> TillView:
    """The till in a shift; ``refusal`` is why what was typed was not taken."""
    says = None if refusal is None else visit.says(refusal)
    about_amount = refusal is not None and refusal.code == "amount_invalid"
    return TillView(
        path=f"{visit.home}/till",
        shift=shift,
        number=number,
        sales=rows_of(visit, sales),
        typed=typed,
        amount_error=says if about_amount else None,
        error=None if about_amount else says,
    )


@dataclass(frozen=True, slots=True)
class FoundView:
    """What a search at the till found."""

    path: str
    receipt: str
    amount: str
    sales: Sequence[SaleRow]
    says: str | None


def found_view(
    visit: Visit, receipt: str, amount: str, sales: Sequence[Order], says: str | None
) -> FoundView:
    """Sales of an amount, or why nothing was found."""
    return FoundView(f"{visit.home}/till", receipt, amount, rows_of(visit, sales), says)


@dataclass(frozen=True, slots=True)
class Shown:
    """How a state looks at the till: a word, and a tone that is seen from two steps away."""

    title: str
    tone: Tone


_SHOWN: Final[Mapping[str, Shown]] = {
    "show_code": Shown(word("The buyer scans"), "busy"),
    "no_code": Shown(word("No code yet"), "busy"),
    "scan": Shown(word("Scan the buyer's code"), "busy"),
    "waiting": Shown(word("Waiting for the buyer"), "busy"),
    "closing": Shown(word("Given up"), "warn"),
    "paid_before": Shown(word("Paid before"), "calm"),
    "paying": Shown(word("Charging"), "busy"),
    "buyer_confirms": Shown(word("The buyer confirms on the phone"), "busy"),
    "unclear": Shown(word("No clear answer yet"), "warn"),
    "declined": Shown(word("Declined by Alipay"), "bad"),
    "cancelling": Shown(word("Being cancelled"), "warn"),
    "needs_person": Shown(word("A manager has to look"), "bad"),
    "paid": Shown(word("Paid"), "good"),
    "not_paid": Shown(word("Not paid"), "bad"),
    "refunded": Shown(word("Money returned"), "calm"),
    "not_sent": Shown(word("Nothing was charged"), "bad"),
}

_SENTENCES: Final[Mapping[str, str]] = {
    "show_code": word("Show this code to the buyer. Do not hand over the goods yet."),
    "no_code": word("Show the buyer a code. Nothing has been charged."),
    "scan": word("Scan the code on the buyer's phone. Nothing has been charged."),
    "waiting": word("The buyer is paying. Do not hand over the goods yet."),
    "closing": word(
        "Given up. A code that was shown can still be paid until its time is over; what comes then "
        "is told as late."
    ),
    "paid_before": word(
        "This was paid earlier, and is no new payment. Do not hand over goods for it again."
    ),
}
"""Of states that no code was scanned in; the others have the service's own."""

_ENDS: Final[Mapping[OrderStatus, str]] = {
    OrderStatus.PAID: "paid",
    OrderStatus.FINISHED: "paid",
    OrderStatus.REFUNDED: "refunded",
    OrderStatus.CLOSED: "not_paid",
}


@dataclass(frozen=True, slots=True)
class SaleView:
    """One sale, as whoever stands there sees it."""

    path: str
    here: str
    till: str
    order: Order
    way: str
    state: str
    title: str
    tone: Tone
    sentence: str
    hands_over: bool
    is_final: bool
    picture: str | None
    code_until: datetime | None
    wants_scan: bool
    wants_code: bool
    may_cancel: bool
    may_refund: bool
    refunds: Sequence[Refund]
    refund_number: str
    waits_for_approval: bool
    error: str | None


def sale_view(
    visit: Visit,
    order: Order,
    payment: BarcodePayment | None,
    refunds: Sequence[Refund],
    refund_number: str,
    refusal: Refusal | None,
) -> SaleView:
    """One sale: the one word, the one sentence, and what can be done."""
    picture = _picture(visit)
    state = _state(visit, order, payment, picture)
    look = _SHOWN[state]
    opened = order.status in (OrderStatus.CREATED, OrderStatus.WAITING)
    refunding = order.status is OrderStatus.PAID and bool(order.most_refundable)
    path = f"{visit.home}/till/{order.out_trade_no}"
    return SaleView(
        path=path,
        here=visit.address if visit.request.method == "GET" else path,
        till=f"{visit.home}/till",
        order=order,
        way=visit.t(WAYS[order.way]),
        state=state,
        title=visit.t(look.title),
        tone=look.tone,
        sentence=_sentence(visit, state, payment),
        hands_over=state == "paid",
        is_final=state in FINAL or state == "paid_before",
        picture=picture if opened else None,
        code_until=order.expires_at if opened else None,
        wants_scan=order.way is Way.BARCODE and state in ("scan", "declined"),
        wants_code=state == "no_code",
        may_cancel=visit.may(Right.ORDERS_CLOSE)
        and (opened or state in ("paying", "buyer_confirms", "unclear", "declined")),
        may_refund=refunding and visit.may(Right.REFUNDS_REQUEST) and not order.attention,
        refunds=refunds,
        refund_number=refund_number,
        waits_for_approval=visit.query.get("asked") == "yes",
        error=None if refusal is None else visit.says(refusal),
    )


def _state(visit: Visit, order: Order, payment: BarcodePayment | None, picture: str | None) -> str:
    if order.status in (OrderStatus.PAID, OrderStatus.FINISHED) and not order.attention:
        paid_at = None if order.payment is None else order.payment.paid_at
        since = visit.context.clock.now() - (paid_at or order.updated_at)
        return "paid_before" if since > JUST_NOW else "paid"
    if payment is not None:
        shown = state_of(payment, order)
        return "scan" if shown == "not_sent" and may_scan_again(payment) else shown
    if order.attention:
        return "needs_person"
    return _ENDS.get(order.status) or _unscanned(order, picture)


def _unscanned(order: Order, picture: str | None) -> str:
    """The state of an order that is open, and for which no code was scanned here."""
    if order.status is OrderStatus.CLOSING:
        return "closing"
    if order.way is Way.BARCODE:
        return "scan"
    if order.status is OrderStatus.WAITING or order.way is not Way.QR:
        return "waiting"
    return "show_code" if picture else "no_code"


def _sentence(visit: Visit, state: str, payment: BarcodePayment | None) -> str:
    if state in _SENTENCES:
        return visit.t(_SENTENCES[state])
    english, chinese = SHOWN[state] if payment is None else words_of(payment, state)
    return chinese if visit.language is Language.CHINESE else english


def _picture(visit: Visit) -> str | None:
    """The address of the picture of the code that this page was opened with, while it lives."""
    token = visit.query.get("code", "")
    try:
        visit.context.sealer.read_token(CODE_PURPOSE, token, visit.context.clock.now())
    except TokenRefused:
        return None
    return f"/qr/{token}.svg"
