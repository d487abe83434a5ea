"""The verbs of an agreement: create, open its page, end it, charge it. Each writes the intent first."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, Final

import msgspec

from daozhang.clock import business_day
from daozhang.money import Money
from daozhang.service.agreements import rules, store
from daozhang.service.agreements.model import (
    Agreement,
    AgreementStatus,
    Deduction,
    DeductionStatus,
    NewAgreement,
)
from daozhang.service.agreements.refusals import (
    AgreementConflict,
    AgreementNotActive,
    AgreementNotEndable,
    AgreementNotFound,
    DeductionOutOfRule,
    PeriodTaken,
)
from daozhang.service.agreements.settling import AGREEMENTS_SIGNAL, lock_agreement, own_step
from daozhang.service.charges.model import ChargeKind
from daozhang.service.charges.requesting import begin_charge
from daozhang.service.charges.store import charge_of_order
from daozhang.service.db import Tx
from daozhang.service.merchants.model import Merchant
from daozhang.service.orders.actions import create_order, lock_order
from daozhang.service.orders.model import NewOrder, Order, Way
from daozhang.service.web.context import Context

DEDUCTION_LIFE: Final = timedelta(minutes=15)
"""How long one try is made for before its order is closed."""

_COMPARED: Final = (
    "personal_product_code", "product_code", "sign_scene", "channel", "rule", "plan",
    "external_logon_id", "return_url",
)  # fmt: skip


def create_agreement(
    tx: Tx, merchant: Merchant, new: NewAgreement, now: datetime
) -> tuple[Agreement, bool]:
    """The agreement of that number, and whether it is new.

    The same content again gives the one that is there; other content is refused with
    `AgreementConflict`.
    """
    row_id = store.insert_agreement(tx, _row_of(merchant, new, now))
    if row_id is not None:
        return lock_agreement(tx, row_id), True
    number = new.external_agreement_no
    found = store.find_agreement(tx, merchant.environment, merchant.seller_id, number)
    assert found is not None
    differs = tuple(name for name in _COMPARED if getattr(found, name) != getattr(new, name))
    if dict(found.metadata) != dict(new.metadata):
        differs = (*differs, "metadata")
    if found.merchant_id != merchant.id:
        differs = (*differs, "merchant")
    if differs:
        raise AgreementConflict(number, differs)
    return found, False


def _row_of(merchant: Merchant, new: NewAgreement, now: datetime) -> dict[str, Any]:
    return {
        "merchant_id": merchant.id,
        "environment": merchant.environment,
        "app_id": merchant.app_id,
        "seller_id": merchant.seller_id,
        "external_agreement_no": new.external_agreement_no,
        "personal_product_code": new.personal_product_code,
        "product_code": new.product_code,
        "sign_scene": new.sign_scene,
        "channel": new.channel,
        "status": AgreementStatus.CREATED.value,
        "rule": None if new.rule is None else msgspec.to_builtins(new.rule),
        "plan": None if new.plan is None else msgspec.to_builtins(new.plan),
        "external_logon_id": new.external_logon_id,
        "return_url": new.return_url,
        "attention": False,
        "absent_count": 0,
        "ask_count": 0,
        "attempt": 0,
        "due_at": new.expires_at,
        "metadata": dict(new.metadata),
        "expires_at": new.expires_at,
        "created_at": now,
        "updated_at": now,
    }


def read_agreement(tx: Tx, merchant_id: int, number: str) -> Agreement:
    """The merchant's agreement of that number; `AgreementNotFound` if it is another's or nobody's."""
    found = store.find_of_merchant(tx, merchant_id, number)
    if found is None:
        raise AgreementNotFound(number)
    return found


def unsignable(agreement: Agreement, now: datetime) -> str | None:
    """Why a buyer cannot be led to the page any more, ``None`` if one can."""
    if agreement.status not in (AgreementStatus.CREATED, AgreementStatus.EXPIRED):
        signed = (AgreementStatus.TEMP, AgreementStatus.ACTIVE, AgreementStatus.STOPPED)
        return "already_signed" if agreement.status in signed else "sign_ended"
    return "sign_ended" if now >= agreement.expires_at else None


def mark_opened(tx: Tx, context: Context, agreement: Agreement) -> None:
    """Notes that a page that can be signed is handed out, so that Alipay is asked soon."""
    now = context.clock.now()
    soon = now + timedelta(seconds=rules.ASK_DELAYS_SECONDS[0])
    store.update_agreement(tx, agreement.id, opened_at=now, ask_count=0, due_at=soon)
    _wake(tx, context)


def ask_soon(tx: Tx, context: Context, agreement: Agreement) -> None:
    """Something happened to an agreement elsewhere: Alipay is asked about it now."""
    store.update_agreement(tx, agreement.id, due_at=context.clock.now())
    _wake(tx, context)


def end_agreement(tx: Tx, context: Context, agreement: Agreement) -> Agreement:
    """Commits a locked agreement to being ended; the next step asks Alipay to.

    One that has ended, or is being ended, is returned as it is. Raises `AgreementNotEndable`.
    """
    if agreement.status in (AgreementStatus.ENDING, AgreementStatus.ENDED):
        return agreement
    signed = (AgreementStatus.TEMP, AgreementStatus.ACTIVE, AgreementStatus.STOPPED)
    if agreement.status not in signed or agreement.agreement_no is None:
        raise AgreementNotEndable(agreement)
    now = context.clock.now()
    _wake(tx, context)
    return own_step(
        tx,
        agreement,
        AgreementStatus.ENDING,
        "unsign",
        now,
        due_at=now,
        ask_count=0,
        next_try_at=None,
    )


def request_deduction(
    tx: Tx,
    context: Context,
    merchant: Merchant,
    agreement: Agreement,
    out_trade_no: str,
    amount: Money,
    subject: str,
) -> tuple[Order, Deduction, bool]:
    """The order that charges a locked agreement, and whether it is new: then it is charged soon.

    One success a period, and no second number while the first may live. Raises `AgreementNotActive`,
    `PeriodTaken`, `DeductionOutOfRule`, `AgreementConflict`, `OutgoingStopped`, `OrderConflict`.
    """
    now = context.clock.now()
    new = NewOrder(
        out_trade_no=out_trade_no,
        amount=amount,
        subject=subject,
        expires_at=(now + DEDUCTION_LIFE).replace(microsecond=0),
        way=Way.AGREEMENT,
    )
    order, is_new = create_order(tx, merchant, new, now)
    tries = store.list_deductions(tx, agreement.id)
    if not is_new:
        charge = charge_of_order(tx, order.id)
        own = [one for one in tries if one.order_id == order.id]
        if charge is None or not own:
            raise AgreementConflict(out_trade_no, ("agreement",))
        return order, own[0], False
    if agreement.status is not rules.CHARGEABLE or agreement.attention:
        raise AgreementNotActive(agreement)
    if not rules.period_is_free(agreement, tries):
        raise PeriodTaken(agreement)
    _require_by_rule(agreement, amount, business_day(now))
    store.insert_deduction(
        tx,
        {
            "agreement_id": agreement.id,
            "order_id": order.id,
            "number": len(tries) + 1,
            "planned_on": agreement.next_deduct_on,
            "status": DeductionStatus.OPEN.value,
            "created_at": now,
        },
    )
    instrument = {
        "product_code": agreement.product_code,
        "agreement_params": {"agreement_no": agreement.agreement_no},
    }
    begin_charge(
        tx, context, lock_order(tx, order.id), ChargeKind.AGREEMENT, agreement.id, instrument
    )
    store.update_agreement(tx, agreement.id, next_try_at=None, updated_at=now)
    return order, store.list_deductions(tx, agreement.id)[-1], True


def request_payment(
    tx: Tx,
    context: Context,
    merchant: Merchant,
    agreement: Agreement,
    new: NewOrder,
) -> Order:
    """The order by whose payment a locked agreement is signed, too; paid like any other of its way.

    Raises `AgreementConflict` for one that was signed already, `OrderConflict`.
    """
    order, is_new = create_order(tx, merchant, new, context.clock.now())
    if is_new and agreement.status is not AgreementStatus.CREATED:
        raise AgreementConflict(agreement.external_agreement_no, ("status: it was signed already",))
    if is_new:
        mark_opened(tx, context, agreement)
    return order


def _require_by_rule(agreement: Agreement, amount: Money, today: date) -> None:
    """Refuses with a sentence what Alipay would refuse with a code."""
    rule, window = agreement.rule, rules.window_of(agreement)
    if rule is not None and amount > rule.single:
        raise DeductionOutOfRule(
            f"{amount} is more than the {rule.single} that may be charged at once.",
            f"{amount} 超过协议约定的单笔限额 {rule.single}。",
        )
    if window is not None and not window[0] <= today <= window[1]:
        raise DeductionOutOfRule(
            f"Today is {today}: the period can be charged from {window[0]} to {window[1]}.",
            f"今天是 {today}：本期可扣款日期为 {window[0]} 至 {window[1]}。",
        )


def _wake(tx: Tx, context: Context) -> None:
    tx.after_commit(lambda: context.signals.wake(AGREEMENTS_SIGNAL))
