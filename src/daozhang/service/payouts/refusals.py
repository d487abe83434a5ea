"""Why nothing can be told of an account."""

from __future__ import annotations

from daozhang.service.refusals import Refusal


class BalanceNotTold(Refusal):
    """Alipay was asked for a balance and gave none."""

    code = "balance_not_told"
    title = "Alipay did not tell the balance"

    def __init__(self, said: str, said_zh: str) -> None:
        super().__init__(
            f"Alipay was asked what is in the account: {said}. Nothing has changed; ask again later.",
            f"已向支付宝查询账户余额：{said_zh}。数据未变动，请稍后重试。",
        )
