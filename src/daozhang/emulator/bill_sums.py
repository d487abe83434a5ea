"""What bills add up to: the totals below their lines, and their summaries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from daozhang.emulator.bill_text import Row, account_footer, trade_footer
from daozhang.emulator.bookkeeping import LineKind
from daozhang.money import Money


def _sums(rows: Iterable[Row], header: str) -> Money:
    return Money.total(Money.parse(row[header]) for row in rows)


def trade_totals(rows: Sequence[Row]) -> list[str]:
    """The totals that a trade bill states of its lines."""
    paid = [row for row in rows if row["业务类型"] == LineKind.PAYMENT.value]
    back = [row for row in rows if row["业务类型"] == LineKind.REFUND.value]
    return trade_footer(
        len(paid),
        _sums(paid, "商家实收（元）"),
        _sums(paid, "商家优惠（元）"),
        (len(back), _sums(back, "商家实收（元）"), _sums(back, "商家优惠（元）")),
    )


def account_totals(rows: Sequence[Row]) -> list[str]:
    """The totals that an account bill states of its lines."""
    outgo = [row for row in rows if row["支出金额（-元）"] != "0.00"]
    income = [row for row in rows if row["支出金额（-元）"] == "0.00"]
    return account_footer(
        (len(outgo), -_sums(outgo, "支出金额（-元）")),
        (len(income), _sums(income, "收入金额（+元）")),
    )


def summary_row(store: str, rows: Sequence[Row]) -> Row:
    """What a store, or all of them, took: a line of the trade bill's summary."""
    paid = sum(row["业务类型"] == LineKind.PAYMENT.value for row in rows)
    same = (
        "订单金额（元）",
        "商家实收（元）",
        "支付宝优惠（元）",
        "商家优惠（元）",
        "卡消费金额（元）",
        "服务费（元）",
        "分润（元）",
    )
    sums = {header: _sums(rows, header) for header in same}
    return {
        "门店编号": store,
        "门店名称": store,
        "交易订单总笔数": str(paid),
        "退款订单总笔数": str(len(rows) - paid),
        **{header: str(amount) for header, amount in sums.items()},
        "实收净额（元）": str(sums["商家实收（元）"] + sums["服务费（元）"]),
    }


def flow_row(kind: str, rows: Sequence[Row]) -> Row:
    """How much of a kind, or of all, came and went: a line of the account bill's summary."""
    outgo = [row for row in rows if row["支出金额（-元）"] != "0.00"]
    income = [row for row in rows if row["支出金额（-元）"] == "0.00"]
    came, went = _sums(income, "收入金额（+元）"), _sums(outgo, "支出金额（-元）")
    return {
        "类型": kind,
        "收入笔数": str(len(income)),
        "收入金额（+元）": str(came),
        "支出笔数": str(len(outgo)),
        "支出金额（-元）": str(went),
        "总金额（元）": str(came + went),
    }
