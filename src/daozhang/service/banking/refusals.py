"""Why a statement or a match is not taken."""

from __future__ import annotations

from daozhang.money import Money
from daozhang.service.refusals import Refusal


class StatementUnreadable(Refusal):
    """A bank statement cannot be read. Nothing of it is kept."""

    code = "bank_statement_unreadable"
    status = 422
    title = "The bank statement cannot be read"

    def __init__(
        self, line: int | None, said: str, said_zh: str, *, cell: str | None = None
    ) -> None:
        """``line`` is ``None`` where it is the file that is wrong, and ``cell`` where in a workbook it is."""
        if line is None:
            where, where_zh = "The bank statement cannot be read", "银行流水无法读取"
        elif cell is None:
            where, where_zh = f"Line {line} of the bank statement", f"银行流水第 {line} 行"
        else:
            where, where_zh = f"Cell {cell} of the bank statement", f"银行流水单元格 {cell}"
        super().__init__(
            f"{where}: {said}. Nothing of it was kept.",
            f"{where_zh}：{said_zh}。未保存任何内容。",
            line=line,
            cell=cell,
        )


class MatchPartUnknown(Refusal):
    """A line or a day of a match is not there, or is part of another one."""

    code = "bank_match_part_unknown"
    title = "A part of the match is not there"

    def __init__(self, part: str) -> None:
        super().__init__(
            f"{part} is no line of the bank and no day of withdrawals that waits for a match.",
            f"{part} 不是待匹配的银行流水或提现日。",
            part=part,
        )


class MatchUneven(Refusal):
    """The days and the lines of a match do not come to the same."""

    code = "bank_match_uneven"
    status = 422
    title = "Both sides differ"

    def __init__(self, withdrawn: Money, arrived: Money) -> None:
        super().__init__(
            f"The withdrawals come to {withdrawn} and the lines of the bank to {arrived}: a match is of the "
            "same amount on both sides.",
            f"提现合计 {withdrawn}，银行入账合计 {arrived}，两者须相等。",
            withdrawn=str(withdrawn),
            arrived=str(arrived),
        )
