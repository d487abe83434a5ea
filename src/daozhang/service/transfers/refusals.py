"""Why a transfer can be refused before Alipay is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from daozhang.money import Money
from daozhang.service.refusals import Refusal
from daozhang.service.transfers.messages import STANDS_ZH
from daozhang.service.transfers.model import TransferStatus


class TransferConflict(Refusal):
    """The number belongs to another transfer."""

    code = "transfer_conflict"
    title = "The transfer exists with other content"

    def __init__(self, out_biz_no: str, differs: Sequence[str]) -> None:
        super().__init__(
            f"Transfer {out_biz_no!r} exists already, with another {', '.join(differs)}. One number means "
            "one transfer: use a new out_biz_no, and only if the old one has failed or is something else.",
            f"转账 {out_biz_no!r} 已存在，且 {'、'.join(differs)} 不同。一个单号只对应一笔转账："
            "请换用新的 out_biz_no，且仅当原转账已失败或为另一笔业务时。",
            out_biz_no=out_biz_no,
            differs=list(differs),
        )


class TransferMayHaveGone(Refusal):
    """Only what is certainly not with the payee is sent once more."""

    code = "transfer_may_have_gone"
    title = "The money may be with the payee"

    def __init__(self, out_biz_no: str) -> None:
        super().__init__(
            f"Transfer {out_biz_no} neither failed nor came back, so its money may be with the payee: it is not sent "
            "once more.",
            f"转账 {out_biz_no} 既未失败也未被退回，资金可能已在收款方处，不能再次发出。",
        )


class TransferNotFound(Refusal):
    """No such transfer belongs to this merchant."""

    code = "transfer_not_found"
    status = 404
    title = "No such transfer"

    def __init__(self, out_biz_no: str) -> None:
        super().__init__(
            f"This merchant has no transfer {out_biz_no[:64]!r}.",
            f"该商户没有转账 {out_biz_no[:64]!r}。",
        )


class TransfersNotSetUp(Refusal):
    """Nobody has said yet what may be sent."""

    code = "transfers_not_set_up"
    status = 403
    title = "Transfers are not set up"

    def __init__(self) -> None:
        super().__init__(
            "Nobody has said how much this merchant may send, and from which amount on it takes two: an owner "
            "sets that in the console, or with daozhang transfers limits. Nothing is sent before.",
            "该商户尚未设置转账限额及双人审批金额：请由所有者在控制台或以 daozhang transfers limits 设置。"
            "设置之前不会发出任何转账。",
        )


class TransferLimitExceeded(Refusal):
    """More than the merchant lets be sent."""

    code = "transfer_limit_exceeded"
    status = 403
    title = "The transfer exceeds the merchant's limit"

    def __init__(self, asked: Money, limit: Money, used: Money | None) -> None:
        in_day, in_day_zh = "", "单笔"
        if used is not None:
            in_day = f" a day (Beijing), of which {used} is used"
            in_day_zh = f"每日（北京时间，今日已用 {used}）"
        super().__init__(
            f"This merchant sends {limit} at most{in_day or ' at once'}; {asked} is asked for. "
            "Ask an owner to raise the limit.",
            f"该商户{in_day_zh}最多转出 {limit}，本次申请 {asked}。如需调整请联系所有者。",
            amount=str(asked),
            limit=str(limit),
            used=None if used is None else str(used),
        )


class PayeeInvalid(Refusal):
    """Who is to get it is not named as Alipay wants it."""

    code = "payee_invalid"
    status = 422
    title = "The payee cannot be named so"

    def __init__(self, detail: str, detail_zh: str) -> None:
        super().__init__(detail, detail_zh)


class TransferAmountInvalid(Refusal):
    """Less than Alipay sends."""

    code = "transfer_amount_invalid"
    status = 422
    title = "Alipay does not send that amount"

    def __init__(self, amount: Money, least: Money) -> None:
        super().__init__(
            f"{amount} is less than Alipay sends: {least} is the least.",
            f"{amount} 低于支付宝的最低转账金额 {least}。",
            amount=str(amount),
            least=str(least),
        )


class BatchNotFound(Refusal):
    """No such batch belongs to this merchant."""

    code = "transfer_batch_not_found"
    status = 404
    title = "No such batch"

    def __init__(self, number: str) -> None:
        super().__init__(
            f"This merchant has no batch {number[:64]!r}.", f"该商户没有批次 {number[:64]!r}。"
        )


class BatchConflict(Refusal):
    """The number belongs to a batch of another sheet."""

    code = "transfer_batch_conflict"
    title = "The batch exists with another sheet"

    def __init__(self, number: str) -> None:
        super().__init__(
            f"Batch {number!r} exists already, with another sheet: give this one a number of its own.",
            f"批次 {number!r} 已存在且内容不同：请为本表格换用新的批次号。",
            number=number,
        )


class SheetInvalid(Refusal):
    """The sheet has problems; each names its row."""

    code = "transfer_sheet_invalid"
    status = 422
    title = "The sheet cannot be sent as it is"

    def __init__(self, problems: Sequence[dict[str, Any]]) -> None:
        super().__init__(
            f"{len(problems)} problems are in the sheet, and nothing of it is sent: mend them all, and try "
            "it with a dry run.",
            f"表格中有 {len(problems)} 处问题，未发出任何转账：请全部修正后先试运行。",
            problems=list(problems),
        )


class ReceiptNotPossible(Refusal):
    """Only what was sent has a receipt."""

    code = "receipt_not_possible"
    title = "There is nothing to make a receipt of"

    def __init__(self, status: TransferStatus) -> None:
        super().__init__(
            f"The transfer is {status.value}: Alipay makes a receipt of one that has succeeded.",
            f"该笔转账{STANDS_ZH[status]}：仅成功的转账可申请回单。",
            stands=status.value,
        )
