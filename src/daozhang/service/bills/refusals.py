"""Why a bill is refused."""

from __future__ import annotations

from daozhang.alipay.bills import BillProblem
from daozhang.service.bills.model import StatementKind
from daozhang.service.refusals import Refusal


class BillUnreadable(Refusal):
    """The file is no bill that can be read."""

    code = "bill_unreadable"
    status = 422
    title = "The file cannot be read as a bill"

    def __init__(self, problem: BillProblem) -> None:
        super().__init__(str(problem), problem.say_zh, member=problem.member, line=problem.line)


class BillOfAnother(Refusal):
    """The file is another account's, or of another time than was said."""

    code = "bill_of_another"
    status = 422
    title = "The bill is of another account or day"

    def __init__(self, what: str, what_zh: str) -> None:
        super().__init__(
            f"{what} Nothing was kept.",
            f"{what_zh}未保存。",
        )


class StatementNotFound(Refusal):
    """There is no such bill."""

    code = "bill_not_found"
    status = 404
    title = "No such bill"

    def __init__(self, what: str) -> None:
        super().__init__(
            f"There is no bill {what!r} here: fetch it, or import its file.",
            f"没有账单 {what!r}：请下载或导入文件。",
        )


class BillStands(Refusal):
    """Another file stands for this day already."""

    code = "bill_stands"
    title = "Another file stands for this day"

    def __init__(self, kind: StatementKind, period: str) -> None:
        super().__init__(
            f"A file of {period} was read already and this one is another: it is kept beside it. Say "
            "which one holds.",
            f"{period} 已有另一份账单文件，新文件已一并保存，请指定以哪一份为准。",
            kind=kind.value,
            period=period,
        )


class BillHere(Refusal):
    """The bill need not be fetched."""

    code = "bill_here"
    title = "The bill is here already"

    def __init__(self, period: str) -> None:
        super().__init__(
            f"The bill of {period} is here already. If another file is right, give it by hand and choose it.",
            f"{period} 的账单已在此处。如另有正确的文件，请手动导入并选用。",
        )


class BillNotOver(Refusal):
    """There can be no bill yet."""

    code = "bill_not_over"
    title = "The day or month is not over"

    def __init__(self, period: str) -> None:
        super().__init__(
            f"{period} is not over in Beijing, so there is no bill of it yet.",
            f"{period} 尚未结束（北京时间），还没有账单。",
        )


class SpanTooLong(Refusal):
    """More days than one answer holds."""

    code = "span_too_long"
    status = 422
    title = "Too many days"

    def __init__(self, days_max: int) -> None:
        super().__init__(
            f"Ask for {days_max} days at most.", f"一次最多查询 {days_max} 天。", days_max=days_max
        )
