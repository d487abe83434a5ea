"""A payment that is shared: a tenth of it goes on to somebody else once it is paid (分账).

Whose money it is, and whether it may be passed on at all (二清), docs/guides/share-a-payment.md says.
"""

from __future__ import annotations

import sys

from account import new_number, open_account, say, wait_until_paid

from daozhang.alipay import (
    OutcomeUnknown,
    Receiver,
    Rejected,
    Royalty,
    TradeOrderSettle,
    TradeOrderSettleQuery,
    TradePagePay,
    TradeQuery,
    TradeRoyaltyRelationBind,
)
from daozhang.money import Money

AGENCY = "2088102146225135"


def main() -> None:
    alipay, number = open_account(), new_number()
    alipay.call(
        TradeRoyaltyRelationBind(
            out_request_no=f"b{number}"[:32],
            receiver_list=(Receiver(type="userId", account=AGENCY),),
        )
    )
    say("order", number)
    page = TradePagePay(out_trade_no=number, total_amount=Money.parse("88.88"), subject="Tea")
    say("open", alipay.page_url(page))
    wait_until_paid(alipay, number)
    trade_no = alipay.call(TradeQuery(out_trade_no=number)).trade_no
    assert trade_no is not None, "what is paid has a number at Alipay"
    share = TradeOrderSettle(
        out_request_no=f"s{number}",
        trade_no=trade_no,
        royalty_parameters=(
            Royalty(trans_in=AGENCY, trans_in_type="userId", amount=Money.parse("8.88")),
        ),
    )
    try:
        say("shared", alipay.call(share).settle_no or "")
    except Rejected as no:
        sys.exit(f"Nothing was shared: {no}")
    except OutcomeUnknown:
        # It may have gone. Ask, or send the very same again; never under another number.
        asked = TradeOrderSettleQuery(out_request_no=share.out_request_no, trade_no=trade_no)
        say("unknown", str(list(alipay.call(asked).details)))


if __name__ == "__main__":
    main()
