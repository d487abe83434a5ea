"""What the pages of sharing show, ready for their templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.money import Money
from daozhang.service.people import masking
from daozhang.service.people.model import Language, Right
from daozhang.service.sharing.by_people import Register
from daozhang.service.sharing.messages import sentences_for
from daozhang.service.sharing.model import (
    CoverPolicy,
    Part,
    Plan,
    Receiver,
    ReceiverStatus,
    ReceiverType,
    ReturnOrder,
    Round,
    Share,
)
from daozhang.service.sharing.rules import percent_text

RECEIVER_TYPES: Final[Mapping[ReceiverType, str]] = {
    ReceiverType.USER_ID: word("Alipay user number"),
    ReceiverType.LOGIN_NAME: word("Alipay account (phone or email)"),
    ReceiverType.OPEN_ID: word("Open id of your app"),
}

COVERS: Final[Mapping[str, str]] = {
    CoverPolicy.PERSON.value: word("The refund fails, and a person decides"),
    CoverPolicy.SELLER.value: word("You pay that part as well"),
}

RETURNS: Final[Mapping[str, str]] = {
    ReturnOrder.SELLER_FIRST.value: word("Yours first; receivers give back what you have not left"),
    ReturnOrder.RECEIVERS_FIRST.value: word("Receivers' first, in the order of their shares"),
    ReturnOrder.PRO_RATA.value: word("Everybody's, as much as they had of the payment"),
}

CLEARING: Final = word(
    "Whose money is it? To collect money for third parties and pass it on to them without a licence may be "
    "unlicensed clearing, which is against the law in China. Sharing is for commissions, services and "
    "partners of your own sale."
)


@dataclass(frozen=True, slots=True)
class ReceiverRow:
    """Somebody who may, might or might once have received."""

    receiver: Receiver
    account: str
    kind: str
    says: str | None
    dialog: str | None


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A plan, in words."""

    plan: Plan
    address: str
    parts: Sequence[tuple[str, str]]
    returns: str
    is_default: bool


@dataclass(frozen=True, slots=True)
class RegisterView:
    """The register."""

    here: str
    percent_max: int
    plan: str | None
    cover: str
    direct_pay: bool
    receivers: Sequence[ReceiverRow]
    is_waiting: bool
    plans: Sequence[PlanRow]
    may_write: bool


def register_view(visit: Visit, found: Register) -> RegisterView:
    """The register as ``visit`` may see it."""
    merchant, may_write = found.merchant, visit.may(Right.SHARING_WRITE)
    underway = (ReceiverStatus.BINDING, ReceiverStatus.UNBINDING)
    return RegisterView(
        here=f"{visit.home}/sharing",
        percent_max=merchant.share_percent_max,
        plan=merchant.share_plan,
        cover=visit.t(COVERS[merchant.share_cover]),
        direct_pay=merchant.direct_pay,
        receivers=[_receiver_row(visit, one, may_write) for one in found.receivers],
        is_waiting=any(one.status in underway for one in found.receivers),
        plans=[_plan_row(visit, one, merchant.share_plan) for one in found.plans],
        may_write=may_write,
    )


def _receiver_row(visit: Visit, receiver: Receiver, may_write: bool) -> ReceiverRow:
    ending = (ReceiverStatus.UNBOUND, ReceiverStatus.UNBINDING)
    return ReceiverRow(
        receiver=receiver,
        account=shown(visit, receiver.account, receiver.type),
        kind=visit.t(RECEIVER_TYPES[receiver.type]),
        says=_said(visit, receiver.last_code, receiver.last_message),
        dialog=f"unbind-{receiver.id}" if may_write and receiver.status not in ending else None,
    )


def _plan_row(visit: Visit, plan: Plan, default: str | None) -> PlanRow:
    return PlanRow(
        plan=plan,
        address=f"{visit.home}/sharing/plans/{plan.name}",
        parts=[(part.account, _part_says(visit, plan, part)) for part in plan.parts],
        returns=visit.t(RETURNS[plan.returns.value]),
        is_default=plan.name == default,
    )


def _part_says(visit: Visit, plan: Plan, part: Part) -> str:
    if part.amount is not None:
        return visit.formats.amount(part.amount)
    if part.basis_points is not None:
        return f"{percent_text(part.basis_points)} %"
    pool = percent_text(plan.pool_basis_points or 0)
    return visit.t("the rest of {percent} %", percent=pool)


def shown(visit: Visit, account: str, kind: ReceiverType) -> str:
    """A receiver's account as ``visit`` may see it: those of people are personal."""
    if masking.sees_personal(visit.who):
        return account
    mask = masking.masked_logon if kind is ReceiverType.LOGIN_NAME else masking.masked_number
    return mask(account)


# ---- the shares of an order


@dataclass(frozen=True, slots=True)
class ShareRow:
    """A share, and what of it has come back."""

    account: str
    amount: Money
    state: str
    back: Sequence[tuple[str, Money]]
    says: str | None


@dataclass(frozen=True, slots=True)
class RoundRow:
    """One request that passed parts of the order on."""

    round: Round
    state: str
    says: str | None
    shares: Sequence[ShareRow]


def round_rows(visit: Visit, rounds: Sequence[Round], shares: Sequence[Share]) -> list[RoundRow]:
    """The rounds of an order, newest first."""
    return [
        RoundRow(
            round=one,
            state=_state_of(one),
            says=_said(visit, one.last_code, one.last_message) if one.is_open else None,
            shares=[_share_row(visit, share) for share in shares if share.round_id == one.id],
        )
        for one in reversed(rounds)
    ]


def _state_of(round_: Round) -> str:
    return "round.held" if round_.held_at is not None else f"round.{round_.status.value}"


def _share_row(visit: Visit, share: Share) -> ShareRow:
    back = (
        (word("Has come back"), share.returned),
        (word("On its way back"), share.returning),
        (word("Paid by you in their place"), share.covered),
    )
    return ShareRow(
        account=shown(visit, share.account, share.receiver_type),
        amount=share.amount,
        state=f"share.{share.status.value}",
        back=[(visit.t(text), amount) for text, amount in back if amount],
        says=_said(visit, share.last_code, share.last_message),
    )


def _said(visit: Visit, code: str | None, message: str | None) -> str | None:
    said = sentences_for(code, message)
    return None if said is None else said[visit.language is Language.CHINESE]
