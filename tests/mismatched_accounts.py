"""What is laid into the account bill: one thing a day, beside shares and transfers that are as they should be.

What a line is off by leaves the account off by as much, so a balance is expected with each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from typing import Final

from daozhang.emulator.accounts import Business
from daozhang.emulator.bills import UNKNOWN_TYPE
from daozhang.emulator.ledger import RefundOrigin
from daozhang.emulator.oddities import OddityName
from daozhang.emulator.transfers import TransferRequest
from daozhang.money import Money
from daozhang.service.reconciliation import store
from daozhang.service.reconciliation.model import MismatchClass
from daozhang.service.reconciliation.rules import key_of
from mismatches import ACCOUNT, Paid, Seeding
from sharing import AGENCY, COURIER

SHARED_FEN: Final = 500
SENT_FEN: Final = 1234


Kind = Callable[[Seeding, date], None]


def seed_account(kind: Kind, seeding: Seeding, day: date) -> None:
    """Shares and transfers as on any day, and one thing that is not as it should be."""
    for _ in range(2):
        _share(seeding)
        _send(seeding, day)
    kind(seeding, day)
    # The last line tells the balance, so nothing may strike that one.
    seeding.world.advance(60)
    _send(seeding, day)


def _balance(seeding: Seeding, day: date, above: int) -> None:
    """By how much the books are above the bill."""
    seller, off = seeding.sellers[0], MismatchClass.AMOUNT_DIFFERS
    what = "balance of the account"
    seeding.expect(what, seller, day, off, store.BALANCE, above, None, kind=ACCOUNT)


def _small(seeding: Seeding) -> Paid:
    """One without a fee, and so with one line, which is neither the first nor the last."""
    paid = seeding.pay(50, seeding.shops[0])
    seeding.world.settle()
    return paid


# ---- payments and refunds


def _untold(seeding: Seeding, day: date) -> None:
    """Money goes back in the merchant centre, and nobody is told."""
    seeding.world.emulator.set_fault("notify_never")
    above = 0
    for _ in range(3):
        paid = seeding.take(
            lambda one: one.shop.seller_id == seeding.sellers[0] and not one.refund_fen
        )
        trade = seeding.world.emulator.trade(paid.number)
        number = f"{paid.number}-C"
        back = Money(seeding.chance.randint(1, paid.fen))
        desk = seeding.world.emulator.desk
        moved_before = desk.account.balance(paid.shop.seller_id)
        desk.refund(trade, back, number, "", RefundOrigin.CENTRE)
        returned = desk.account.balance(paid.shop.seller_id) - moved_before + back
        # Its fee, which the bill tells and the books take from there.
        assert returned >= Money(0)
        key, here = key_of(True, paid.number, number), MismatchClass.MISSING_HERE
        seeding.expect("missing here", paid.shop.seller_id, day, here, key, None, -back.minor)
        above += back.minor
    seeding.world.settle()
    seeding.world.emulator.clear_faults()
    _balance(seeding, day, above)


def _line_off(name: OddityName, fen: Callable[[Paid], int], seeding: Seeding, day: date) -> None:
    """The line of a payment is off by so many fen; its lines add up to so much more than its balances say."""
    paid = _small(seeding)
    seeding.odd(name, seeding.sellers[0], day, paid.number, ACCOUNT)
    _balance(seeding, day, fen(paid))


def _type(seeding: Seeding, day: date) -> None:
    """A payment that the account bill calls a transfer: the account comes out all the same."""
    paid = _small(seeding)
    seller, state = seeding.sellers[0], MismatchClass.STATE_DIFFERS
    seeding.odd(OddityName.TYPE_DIFFERS, seller, day, paid.number, ACCOUNT)
    # Of all that will have moved: the transfer that ends the day is still to come.
    trades = _listed(seeding, day, Business.PAYMENT, Business.REFUND)
    sent = _listed(seeding, day, Business.TRANSFER) - SENT_FEN
    for key, ours, theirs in (
        ("group:trades", trades, trades - paid.fen),
        ("group:transfers", sent, sent + paid.fen),
    ):
        seeding.expect("type of the account", seller, day, state, key, ours, theirs, kind=ACCOUNT)


def _listed(seeding: Seeding, day: date, *business: Business) -> int:
    moved = seeding.world.emulator.desk.accounts.on_day(seeding.sellers[0], day)
    return sum(one.amount.minor for one in moved if one.business in business and one.is_listed)


def _unknown_type(seeding: Seeding, day: date) -> None:
    """A payment is of a type that nobody knows: it lies in suspense, beside the payment of the books."""
    paid = _small(seeding)
    seller, here = seeding.sellers[0], MismatchClass.MISSING_HERE
    seeding.odd(OddityName.UNKNOWN_TYPE, seller, day, paid.number, ACCOUNT)
    key = f"type:{UNKNOWN_TYPE}"
    seeding.expect("unknown type", seller, day, here, key, None, paid.fen, kind=ACCOUNT)
    _balance(seeding, day, paid.fen)


# ---- shares and transfers


def _share(seeding: Seeding) -> str:
    """A payment is shared; its number."""
    paid = seeding.pay(8888, seeding.shops[0])
    seeding.world.settle()
    body = {
        "out_request_no": f"{paid.number}-S",
        "shares": [{"account": AGENCY, "amount": str(Money(SHARED_FEN))}],
    }
    answer = paid.shop.api.post(f"/v1/orders/{paid.number}/shares", json=body)
    assert answer.status_code == 201, answer.text
    seeding.world.settle()
    return paid.number


def _send(seeding: Seeding, day: date) -> str:
    """Money is sent out; the transfer's number."""
    number = f"T{day:%m%d}{len(seeding.world.emulator.transfers):05d}"
    body = {
        "out_biz_no": number,
        "amount": str(Money(SENT_FEN)),
        "payee": {"kind": "user_id", "identity": COURIER},
        "title": "三月佣金",
    }
    answer = seeding.shops[0].api.post("/v1/transfers", json=body)
    assert answer.status_code == 201, answer.text
    seeding.world.settle()
    return number


def _share_off(name: OddityName, fen: int, seeding: Seeding, day: date) -> None:
    number = _share(seeding)
    seeding.odd(name, seeding.sellers[0], day, number, ACCOUNT, Business.SHARE.value)
    _item(seeding, day, f"share:{number}", -SHARED_FEN, fen)


def _transfer_off(name: OddityName, fen: int, seeding: Seeding, day: date) -> None:
    number = _send(seeding, day)
    seeding.odd(name, seeding.sellers[0], day, number, ACCOUNT, Business.TRANSFER.value)
    _item(seeding, day, f"transfer:{number}", -SENT_FEN, fen)


def _item(seeding: Seeding, day: date, key: str, ours: int, fen: int) -> None:
    """The bill has ``fen`` more of it than the books: another amount, or nothing at all."""
    theirs = ours + fen or None
    differs = MismatchClass.MISSING_THERE if theirs is None else MismatchClass.AMOUNT_DIFFERS
    what = f"{key.partition(':')[0]}, {differs.value.replace('_', ' ')}"
    seeding.expect(what, seeding.sellers[0], day, differs, key, ours, theirs, kind=ACCOUNT)
    _balance(seeding, day, fen)


def _sent_past_us(seeding: Seeding, day: date) -> None:
    """Somebody sends money out of the account without us."""
    shop, desk = seeding.shops[0], seeding.world.emulator.desk
    number = f"PAST{day:%m%d}"
    desk.transfers.send(
        TransferRequest(
            app_id=shop.app_id,
            seller_id=shop.seller_id,
            out_biz_no=number,
            product_code="TRANS_ACCOUNT_NO_PWD",
            biz_scene="DIRECT_TRANSFER",
            amount=Money(SENT_FEN),
            identity=COURIER,
            identity_type="ALIPAY_USER_ID",
        )
    )
    here, key = MismatchClass.MISSING_HERE, f"transfer:{number}"
    seeding.expect(
        "transfer, missing here", shop.seller_id, day, here, key, None, -SENT_FEN, kind=ACCOUNT
    )
    _balance(seeding, day, SENT_FEN)


KINDS: Final[Sequence[Kind]] = (
    _untold,
    partial(_line_off, OddityName.AMOUNT_OFF, lambda _paid: 1),
    _type,
    partial(_line_off, OddityName.MISSING_LINE, lambda paid: -paid.fen),
    partial(_line_off, OddityName.DUPLICATE_LINE, lambda paid: paid.fen),
    _unknown_type,
    partial(_share_off, OddityName.AMOUNT_OFF, -1),
    partial(_share_off, OddityName.MISSING_LINE, SHARED_FEN),
    partial(_transfer_off, OddityName.AMOUNT_OFF, -1),
    partial(_transfer_off, OddityName.MISSING_LINE, SENT_FEN),
    _sent_past_us,
)
"""What the account bill can have wrong."""

SOME_KINDS: Final = (KINDS[0], KINDS[2], KINDS[5], KINDS[7], KINDS[10])
"""One of every class: enough for each day's tests."""
