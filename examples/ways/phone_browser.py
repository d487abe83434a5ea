"""A phone's browser: Alipay's app opens if it is there, else its mobile page."""

from __future__ import annotations

from account import new_number, open_account, say, wait_until_paid

from daozhang.alipay import TradeWapPay
from daozhang.money import Money


def main() -> None:
    alipay, number = open_account(), new_number()
    operation = TradeWapPay(
        out_trade_no=number,
        total_amount=Money.parse("88.88"),
        subject="Longjing tea",
        quit_url="https://shop.example/cart",
    )
    say("order", number)
    say("open", alipay.page_url(operation))
    wait_until_paid(alipay, number)


if __name__ == "__main__":
    main()
