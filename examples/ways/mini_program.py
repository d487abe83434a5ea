"""A mini program: a trade for one named buyer, which the phone has paid by its number."""

from __future__ import annotations

import os

from account import new_number, open_account, say, wait_until_paid

from daozhang.alipay import BuyerRef, TradeCreate
from daozhang.money import Money


def main() -> None:
    alipay, number = open_account(), new_number()
    buyer = BuyerRef.parse(os.environ.get("BUYER", "2088102168897047"))
    made = alipay.call(
        TradeCreate(
            out_trade_no=number,
            total_amount=Money.parse("8.88"),
            subject="Tea",
            buyer_id=buyer.text if buyer.kind == "user_id" else None,
            buyer_open_id=buyer.text if buyer.kind == "open_id" else None,
        )
    )
    say("order", number)
    say("tradeNO", made.trade_no or "")
    wait_until_paid(alipay, number)


if __name__ == "__main__":
    main()
