"""What a bill adds up to as it is laid out is what its lines add up to, one by one."""

from __future__ import annotations

import io
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alipay.test_bills import counted, footer, only, row, text
from daozhang.alipay.bills import open_bill
from daozhang.money import Money
from daozhang.service.db import Database
from daozhang.service.reconciliation.loading import load_trade
from daozhang.service.reconciliation.workbench import workbench
from databases import database_url

LINES = st.tuples(
    st.booleans(), st.sampled_from([0, 1, 990, 10**9]), st.sampled_from([0, 0, 5, 120])
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("loading")


@pytest.fixture(scope="module")
def database(place: Path) -> Generator[Database]:
    found = Database(database_url(place))
    yield found
    found.dispose()


def line(number: int, is_refund: bool, receipt: int, discount: int) -> str:
    sign = "-" if is_refund else ""
    cells = row(number, receipt=f"{sign}{Money(receipt)}").split(",")
    cells[2] = "退款\t" if is_refund else "交易\t"
    cells[16] = f"{sign}{Money(discount)}"
    return ",".join(cells)


@settings(max_examples=30)
@given(lines=st.lists(LINES, max_size=8), copies=st.sampled_from([1, 300]))
def test_the_totals_are_those_of_the_lines(
    database: Database, place: Path, lines: list[tuple[bool, int, int]], copies: int
) -> None:
    """Of one side or both, with discounts or none, in one piece or several."""
    rows = [line(number, *one) for number, one in enumerate(lines * copies)]
    raw = text(rows, footer("1笔，商家实收共9.90元，商家优惠共0.00元"))
    with open_bill(io.BytesIO(raw), "bill.csv") as files, workbench(database, place) as bench:
        loaded = load_trade(bench, files)
        assert loaded.totals == counted(only(files)).totals()
        assert loaded.line_count == len(rows)
