"""What a merchant lets be sent, and from which amounts on it takes two. Nothing is sent before it is set."""

from __future__ import annotations

from daozhang.money import Money
from daozhang.service.audit.actions import record
from daozhang.service.audit.model import Actor
from daozhang.service.db import Tx
from daozhang.service.merchants.refusals import MerchantInvalid
from daozhang.service.people.model import Person, Right
from daozhang.service.people.rights import require
from daozhang.service.transfers import store
from daozhang.service.transfers.model import TransferLimits
from daozhang.service.web.context import Context

CLEARING: tuple[str, str] = (
    "Only your own money may be sent on: commissions, refunds, wages, what you owe. To collect money that "
    "belongs to others and pass it on to them is clearing, which takes a licence (payment institutions "
    "only). For what marketplaces owe their merchants use profit sharing of Alipay's, by contract.",
    "只能转出属于您自己的资金，如佣金、退款、工资、应付款。代收他人资金再转付给他人属于无证经营支付结算"
    "业务（“二清”），须持支付牌照。平台向商户结算请使用支付宝签约的分账产品。",
)
"""What whoever sets transfers up must have read (money.md §5)."""


def set_limits(
    tx: Tx, context: Context, actor: Actor, merchant_id: int, limits: TransferLimits
) -> None:
    """Writes what the merchant lets be sent. Raises `MerchantInvalid` for what cannot be meant."""
    named: dict[str, Money | None] = {
        name: getattr(limits, name) for name in TransferLimits.__dataclass_fields__
    }
    if any(amount is not None and amount.minor < 0 for amount in named.values()):
        raise MerchantInvalid("An amount is not negative.", "金额不能为负。")
    now = context.clock.now()
    store.write_limits(tx, merchant_id, limits, now)
    record(
        tx,
        actor,
        "merchant.transfer_limits_set",
        f"merchant:{merchant_id}",
        now,
        merchant_id=merchant_id,
        **{name: None if amount is None else str(amount) for name, amount in named.items()},
    )


def set_limits_as(
    context: Context, actor: Person, merchant_id: int, limits: TransferLimits
) -> None:
    """The same, by a person."""
    require(actor, Right.MERCHANTS_WRITE, merchant_id)
    with context.database.begin() as tx:
        set_limits(tx, context, actor.actor, merchant_id, limits)
