"""What to do first about a case, in English and Chinese. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from daozhang.service.bills.model import StatementKind
from daozhang.service.closing.rules import Sentence
from daozhang.service.reconciliation.model import Mismatch, MismatchClass


def suggestion_of(one: Mismatch) -> Sentence:
    """What a person does first about it."""
    if one.kind is StatementKind.ACCOUNT:
        return _OF_THE_ACCOUNT[one.key.partition(":")[0]]
    return _OF_A_LINE[one.mismatch]


def is_askable(one: Mismatch) -> bool:
    """Whether a signed answer of Alipay's can decide it: what is in the trade bill, it can be asked about."""
    return one.kind is StatementKind.TRADE and one.mismatch in _ASKABLE


_ASKABLE: Final = frozenset(
    {
        MismatchClass.MISSING_HERE,
        MismatchClass.MISSING_THERE,
        MismatchClass.AMOUNT_DIFFERS,
        MismatchClass.STATE_DIFFERS,
    }
)

_OF_A_LINE: Final[Mapping[MismatchClass, Sentence]] = {
    MismatchClass.MISSING_HERE: (
        "Alipay's bill has it and the books do not. Ask Alipay: if it answers that this was paid or "
        "refunded, it is booked at once. If it is another system's on the same account, set it aside.",
        "支付宝账单有此笔，本系统没有。请先向支付宝查询：若答复已付款或已退款，将立即入账；"
        "若属于同一账户的其他系统，请标为外部交易。",
    ),
    MismatchClass.MISSING_THERE: (
        "The books have it on a signed answer, and the bill does not. Ask Alipay; if it holds to it, look "
        "at the next day's bill, and then ask Alipay's service with the trade number.",
        "本系统依据支付宝签名结果入账，账单却没有。请向支付宝查询；若结果不变，请核对次日账单，"
        "仍无则凭交易号联系支付宝客服。",
    ),
    MismatchClass.AMOUNT_DIFFERS: (
        "The amounts differ. Ask Alipay what was paid: its signed answer decides.",
        "金额不一致。请向支付宝查询，以其签名答复为准。",
    ),
    MismatchClass.FEE_DIFFERS: (
        "The fee is not what the rate says. Look at the contract, and set the rate of this account right "
        "or ask Alipay; what the bill took is what was taken.",
        "手续费与费率不符。请核对签约费率并更正本账户费率，或联系支付宝；实际扣费以账单为准。",
    ),
    MismatchClass.STATE_DIFFERS: (
        "The bill speaks of money that the books think has not moved. Ask Alipay: its signed answer decides.",
        "账单显示资金已变动，本系统的状态却不是。请向支付宝查询，以其签名答复为准。",
    ),
    MismatchClass.DAY_CUT: (
        "It was paid around midnight, and stands in the next day's bill: it ends by itself with that one.",
        "付款在零点前后，列于次日账单，次日核对后自动结清。",
    ),
    MismatchClass.DUPLICATE: (
        "The bill has the same thing twice. Fetch the bill again; if it stays, ask Alipay's service.",
        "账单中同一笔出现多次。请重新下载账单；若仍重复，请联系支付宝客服。",
    ),
    MismatchClass.FOREIGN: (
        "A rule of this account sets it aside: another system on the same account.",
        "按规则归为同一账户的其他系统。",
    ),
}

_OF_THE_ACCOUNT: Final[Mapping[str, Sentence]] = {
    "balance": (
        "The account does not come out. Settle the other cases of this day first: the balance mostly comes "
        "right with them, or with the next day's bill. What is left, two people book by hand or explain.",
        "账户余额不符。请先处理当日其他差异，余额通常随之或随次日账单自动相符；仍有差额的，由两人手工入账或说明。",
    ),
    "share": (
        "Look at the order's shares: what is under way is asked about by itself, and the day comes right with "
        "it. What Alipay's account log has otherwise, two people book by hand.",
        "请查看该订单的分账：处理中的分账系统会自动查询，查明后当日自动相符；确有差异的，由两人手工入账。",
    ),
    "transfer": (
        "Look at the transfer: what is under way is asked about by itself, and the day comes right with it. A "
        "transfer made elsewhere on this account, two people book by hand.",
        "请查看该笔转账：处理中的转账系统会自动查询，查明后当日自动相符；在别处用此账户转出的，由两人手工入账。",
    ),
    "group": (
        "Lines stand under another type than the books have them; together they agree. Look at the lines of "
        "the day in the file, and explain it.",
        "账单中有明细记在其他账务类型下，合计一致。请在账单文件中核对当日明细后说明。",
    ),
    "type": (
        "Nobody here knows this type of line: its money waits in suspense. Two people book it by hand to where "
        "it belongs.",
        "本系统不识别该账务类型，金额已暂挂。请由两人手工转入相应科目。",
    ),
}
