"""How a surprise may end, and what each kind means. Pure (money.md §2 to §5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from daozhang.service.orders.model import (
    ClosingReason,
    FactKind,
    Order,
    OrderStatus,
    Surprise,
    SurpriseEnd,
    TradeFact,
)
from daozhang.service.orders.telling import Sentence

PAYMENTS: Final = (
    FactKind.PAID,
    FactKind.PARTLY_REFUNDED,
    FactKind.FINISHED,
    FactKind.REFUNDED,
)
"""What says that money came. Only that gets an order made for it."""

REFUNDABLE: Final = (FactKind.PAID, FactKind.PARTLY_REFUNDED)

SUBJECTS: Final = ("hold", "agreement")
"""What a surprise without an order may be about; its detail begins with that word and its number."""

NOTE_CHARACTERS_MAX: Final = 500


def subject_of(surprise: Surprise) -> str | None:
    """``hold`` or ``agreement`` if it is about one."""
    if surprise.order_id is not None:
        return None
    word = surprise.detail.partition(" ")[0]
    return word if word in SUBJECTS else None


def possible_ends(
    surprise: Surprise, order: Order | None, payment: TradeFact | None
) -> tuple[SurpriseEnd, ...]:
    """How it may end as things stand, the likeliest first.

    With an order, what Alipay says may be taken, by the rules of every answer; money goes back only from
    a paid one, up to what is left. Without, a payment may get an order. That nothing is to be done can
    always be said, with a reason.
    """
    ends: list[SurpriseEnd] = []
    if order is not None:
        ends.append(SurpriseEnd.ACCEPTED)
        if order.status is OrderStatus.PAID and order.remainder:
            ends.append(SurpriseEnd.REFUNDED)
    elif subject_of(surprise) is None and _is_claimable(payment):
        ends.append(SurpriseEnd.ACCEPTED)
        if payment is not None and payment.kind in REFUNDABLE:
            ends.append(SurpriseEnd.REFUNDED)
        ends.append(SurpriseEnd.ATTACHED)
    return (*ends, SurpriseEnd.DISMISSED)


def _is_claimable(payment: TradeFact | None) -> bool:
    return payment is not None and payment.kind in PAYMENTS and payment.total is not None


def undecided(order: Order, fact: TradeFact) -> str | None:
    """Why an answer that fits decides nothing yet about ``order``; ``None`` if it does."""
    if order.status is OrderStatus.CLOSING and order.closing_reason is ClosingReason.CANCEL:
        return "cancel_undecided"
    if fact.kind is FactKind.CLOSED_UNCLEAR and order.status is not OrderStatus.REFUNDED:
        return "outcome_unclear"
    return None


def is_attachable(order: Order) -> bool:
    """Whether a payment may be said to be for ``order``: one that has money already takes no other."""
    return order.is_open or order.status is OrderStatus.CLOSED


MEANINGS: Final[Mapping[str, Sentence]] = {
    "transfer_returned": (
        "A bank has sent a transfer back: the money is in your Alipay account again. Nothing is sent again by "
        "itself: check the card with the payee, and send under a new number.",
        "银行退回了一笔转账，款项已回到支付宝账户。系统不会自动重发：请与收款人核对卡号后，以新的单号重新发起。",
    ),
    "transfer_waits_for_balance": (
        "The Alipay account has too little money for a transfer: put some in, and it goes by itself.",
        "支付宝账户余额不足，转账正在等待：充值后自动发出。",
    ),
    "transfer_waits_for_limit": (
        "What Alipay lets be sent in a day or a month is used up: the transfer goes by itself when that is over.",
        "支付宝单日或单月转账额度已用完：额度恢复后自动发出。",
    ),
    "transfer_stays_unclear": (
        "Nobody knows yet whether a transfer has gone, though Alipay was asked often. Do not send it again under "
        "another number: it may have gone.",
        "多次查询后仍不知转账是否成功。请勿换单号重发：款项可能已转出。",
    ),
    "transfer_stays_dealing": (
        "A bank has considered a transfer for three days. Ask Alipay (95188) or the bank, and do not send it again under "
        "another number: it may still arrive.",
        "转账在银行处理已超过三天。请咨询支付宝（95188）或银行；请勿换单号重发：款项仍可能到账。",
    ),
    "transfer_amount_differs": (
        "Alipay tells of another amount than was asked to be sent. Another system may use the same numbers.",
        "支付宝所报金额与转账申请不符：可能有其他系统使用了相同单号。",
    ),
    "transfer_message_differs": (
        "A message tells of another transfer under this number. Another system may use the same numbers.",
        "支付宝消息与该单号的转账不符：可能有其他系统使用了相同单号。",
    ),
    "transfer_not_sent_here": (
        "Alipay tells of a transfer that waits for a second person and was not sent here. Another system may use "
        "the same numbers: do not approve it before that is clear.",
        "支付宝报告了一笔尚未审批、未由本系统发出的转账：可能有其他系统使用了相同单号，查清前请勿批准。",
    ),
    "dealing_transfer_absent": (
        "Alipay had a transfer, and now says that there is none: ask Alipay (95188).",
        "支付宝曾受理该转账，现称不存在：请联系支付宝（95188）。",
    ),
    "succeeded_transfer_failed": (
        "The books say sent, and Alipay now says failed: compare with the account log, and ask Alipay (95188).",
        "账上为已转出，而支付宝现称失败：请核对账务明细并联系支付宝（95188）。",
    ),
    "succeeded_transfer_absent": (
        "The books say sent, and Alipay now says that there is no such transfer.",
        "账上为已转出，而支付宝称转账不存在。",
    ),
    "failed_transfer_succeeded": (
        "The books said failed, and the money has gone after all. If it was sent again it went twice.",
        "账上曾为失败，而款项实际已转出：若已重发，则可能重复付款。",
    ),
    "amount_differs": (
        "Alipay tells of another amount than the order's. Either the order is somebody else's, with the "
        "same number, or somebody meddled. Its goods must not go out for this.",
        "支付宝所报金额与订单不符：可能是其他系统使用了相同订单号，也可能遭到篡改。请勿据此发货。",
    ),
    "seller_id_differs": (
        "The money went to another seller than the order's. It is not yours.",
        "款项进入了其他收款账号，不属于本商户。",
    ),
    "app_id_differs": (
        "Another app tells of this order number. The payment may belong to another of your systems.",
        "另一个应用报告了该订单号，这笔款项可能属于您的其他系统。",
    ),
    "trade_no_differs": (
        "Alipay tells of another trade under this order number than the one that is known.",
        "该订单号对应的支付宝交易号与已知的不同。",
    ),
    "refund_exceeds_total": (
        "Alipay tells of more refunded than was ever paid.",
        "支付宝所报退款金额超过了订单金额。",
    ),
    "paid_trade_absent": (
        "The books say paid, and Alipay now says that there is no such trade.",
        "账上为已付款，而支付宝称交易不存在。",
    ),
    "paid_trade_closed_unpaid": (
        "The books say paid, and Alipay now says closed unpaid. Goods may have gone out for nothing.",
        "账上为已付款，而支付宝称交易未付款已关闭，可能已发货但未收款。",
    ),
    "finished_trade_absent": (
        "The books say finished, and Alipay now says that there is no such trade.",
        "账上为已完结，而支付宝称交易不存在。",
    ),
    "finished_trade_closed_unpaid": (
        "The books say finished, and Alipay now says closed unpaid.",
        "账上为已完结，而支付宝称交易未付款已关闭。",
    ),
    "finished_trade_refunded": (
        "A finished trade was refunded in full, which Alipay says cannot be. The books hold the refund.",
        "已完结的交易被全额退款（按规则不应发生），账上已记录该退款。",
    ),
    "refunded_trade_absent": (
        "The books say refunded, and Alipay now says that there is no such trade.",
        "账上为已全额退款，而支付宝称交易不存在。",
    ),
    "refunded_trade_finished": (
        "The books say refunded in full, and Alipay now says finished, with the money.",
        "账上为已全额退款，而支付宝称交易已完结且有款项。",
    ),
    "paid_after_confirmed_close": (
        "Alipay had confirmed that it is closed, and yet the buyer has paid. The books hold the money; "
        "whether it is kept is for you to say.",
        "支付宝确认关闭后买家仍完成了付款。款项已入账，是否保留由您决定。",
    ),
    "order_paid_late": (
        "It was paid after it had been given up here. Fulfil it, or give the money back.",
        "该订单放弃后才付款：请履约或退款。",
    ),
    "order_duplicate_payment": (
        "The same cart is paid twice. One of the payments should go back.",
        "同一购物车被重复付款，应退回其中一笔。",
    ),
    "outcome_stays_unclear": (
        "Alipay says closed, with signs of a payment, and does not tell what became of the money.",
        "支付宝称交易已关闭，但有付款迹象，且未说明款项去向。",
    ),
    "cancel_stays_unclear": (
        "A payment at the till was cancelled several times, and nothing is proven. Hand over nothing.",
        "收银台付款多次撤销仍无结果，请勿交货。",
    ),
    "refund_stays_unclear": (
        "A refund has no clear outcome after many questions. Do not refund again: it may have gone.",
        "退款多次查询仍无明确结果。请勿重复退款，款项可能已退出。",
    ),
    "refund_waits_for_balance": (
        "A refund waits because the seller's balance is too low. Top it up; it is tried again by itself.",
        "余额不足，退款等待中。请充值，系统会自动重试。",
    ),
    "failed_refund_succeeded": (
        "A refund that had failed here has gone after all. The books hold it; check that it was not made "
        "good another way.",
        "曾判定失败的退款实际已成功，账上已记录。请核对是否已用其他方式补退。",
    ),
    "receiver_cannot_return": (
        "Somebody who has a share of this payment cannot give it back, so the refund was not made. Ask again, and "
        "let the seller cover it, or settle it with the receiver first.",
        "分账方无法退回款项，退款未成功。请由收款方垫付后重新退款，或先与分账方解决。",
    ),
    "share_waits_for_balance": (
        "Shares wait because the seller's balance is too low. Top it up; they are tried again by themselves.",
        "余额不足，分账等待中。请充值，系统会自动重试。",
    ),
    "share_stays_unclear": (
        "Shares have no clear outcome after many questions. Do not share again: they may have gone.",
        "分账多次查询仍无明确结果。请勿重复分账，款项可能已分出。",
    ),
    "failed_share_succeeded": (
        "A share that had failed here has gone after all. The books hold it; check that it was not paid "
        "another way.",
        "曾判定失败的分账实际已成功，账上已记录。请核对是否已用其他方式支付。",
    ),
    "share_return_unclear": (
        "A refund of a shared payment is made, and it is not clear what the receivers gave back. Compare the order's "
        "shares with the account bill.",
        "分账交易的退款已成功，但各分账方退回多少仍不明确。请将该订单的分账与账务账单核对。",
    ),
    "share_plan_failed": (
        "The payment is booked, and could not be shared by its plan. Look at the plan, then share it by hand.",
        "款项已入账，但未能按分账方案分账。请检查方案后手动分账。",
    ),
    "settlement_stays_unclear": (
        "Whether a settlement is confirmed stays unclear after many questions. Look into Alipay's merchant centre; the "
        "asking goes on by itself.",
        "结算是否已确认，多次查询仍无明确结果。请在支付宝商家平台核对，系统会继续查询。",
    ),
    "failed_settlement_confirmed": (
        "A settlement that had failed here is confirmed after all. Nothing has to be done, unless you have taken another "
        "way meanwhile.",
        "曾判定失败的确认结算实际已成功。如未另行处理，无需操作。",
    ),
    "share_message_differs": (
        "A message about shares names another trade than the order's.",
        "分账消息中的交易与订单不符。",
    ),
    "refund_bounced": (
        "The bank sent a refund back; it is in the buyer's Alipay balance now. Never send it again.",
        "银行退回了退款，款项现已进入买家支付宝余额。切勿再次退款。",
    ),
    "bank_message_differs": (
        "A message about a bank refund names another trade or app than the order's.",
        "银行卡退款消息中的交易或应用与订单不符。",
    ),
    "payment_without_order": (
        "Alipay tells of a payment for which there is no order here: another of your systems made it, or "
        "the order was lost.",
        "收到一笔没有对应订单的付款：可能来自您的其他系统，或订单已丢失。",
    ),
    "notification_not_understood": (
        "Alipay signed a notification about a trade whose kind is unknown here.",
        "收到支付宝签名的交易通知，但无法识别其类型。",
    ),
    "notification_not_applicable": (
        "A notification could not be applied after several tries, because of a mistake of ours.",
        "通知多次处理失败，原因在本系统。",
    ),
    "notification_contradicted": (
        "A notification that lacks an identity says one thing, and Alipay's answer to our question another.",
        "通知缺少身份信息，且与支付宝的查询答复矛盾。",
    ),
}
"""What is known by the kind of a surprise, and what it would mean."""

_OTHER: Final[Sentence] = (
    "What Alipay says does not fit what is in the books.",
    "支付宝所述与账上记录不符。",
)


def meaning_of(surprise: Surprise) -> Sentence:
    """What it would mean, in English and in Chinese."""
    return MEANINGS.get(surprise.reason, _OTHER)
