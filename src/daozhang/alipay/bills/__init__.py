"""Alipay's bills (账单): read from the zip or the text that Alipay gives, checked against their own totals.

A bill is unsigned: a line in it is a suspicion that makes one ask, never a proof. `open_bill` is the
way in, `Bill.lines` gives typed lines, `Bill.columns` the bytes of chosen columns, thousands of lines at a time.
"""

from daozhang.alipay.bills.archive import BillFiles, open_bill
from daozhang.alipay.bills.layout import BillKind
from daozhang.alipay.bills.model import (
    AccountLine,
    BillHead,
    BillProblem,
    Difference,
    Side,
    Total,
    TradeLine,
)
from daozhang.alipay.bills.reading import Bill

__all__ = [
    "AccountLine",
    "Bill",
    "BillFiles",
    "BillHead",
    "BillKind",
    "BillProblem",
    "Difference",
    "Side",
    "Total",
    "TradeLine",
    "open_bill",
]
