"""A membership: the buyer signs once, and the first period is charged without asking again."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime

from account import WAIT_SECONDS, new_number, open_account, say

from daozhang.alipay import (
    AccessParams,
    Alipay,
    PeriodRule,
    Rejected,
    TradePay,
    UserAgreementPageSign,
    UserAgreementQuery,
)
from daozhang.clock import business_day
from daozhang.money import Money

PRODUCT = "CYCLE_PAY_AUTH"
SCENE = "INDUSTRY|DIGITAL_MEDIA"
PRICE = Money.parse("30.00")


def wait_until_signed(alipay: Alipay, number: str) -> str:
    """Alipay's number of the agreement, once it is signed. A service does this by notifications."""
    query = UserAgreementQuery(
        external_agreement_no=number, personal_product_code=f"{PRODUCT}_P", sign_scene=SCENE
    )
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        try:
            told = alipay.call(query)
        except Rejected as no:
            if no.sub_code != "USER_AGREEMENT_NOT_EXIST":  # nobody has signed it yet
                raise
        else:
            if told.status == "NORMAL" and told.agreement_no:
                say("signed", f"{told.agreement_no} {told.next_deduct_time}")
                return told.agreement_no
        time.sleep(0.2)
    sys.exit(f"Nobody has signed {number} within {WAIT_SECONDS} s.")


def main() -> None:
    alipay, number = open_account(), new_number()
    first = business_day(datetime.now(UTC))
    page = UserAgreementPageSign(
        personal_product_code=f"{PRODUCT}_P",
        product_code=PRODUCT,
        sign_scene=SCENE,
        external_agreement_no=number,
        access_params=AccessParams(channel="QRCODE"),
        period_rule_params=PeriodRule(
            period_type="DAY", period=30, execute_time=first, single_amount=PRICE
        ),
    )
    say("agreement", number)
    say("open", alipay.page_url(page))
    agreement_no = wait_until_signed(alipay, number)
    paid = alipay.call(
        TradePay(
            out_trade_no=new_number(),
            total_amount=PRICE,
            subject="Membership",
            product_code=PRODUCT,
            agreement_params={"agreement_no": agreement_no},
        )
    )
    say("paid", f"{paid.total_amount} {paid.trade_no}")


if __name__ == "__main__":
    main()
