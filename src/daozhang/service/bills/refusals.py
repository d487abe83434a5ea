"""Why a bill is refused."""

from __future__ import annotations

from daozhang.alipay.bills import BillProblem
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

    def __init__(self, period: str) -> None:
        super().__init__(
            f"A file of {period} was read already and this one is another: it is kept beside it. Say "
            "which one holds.",
            f"{period} 已有另一份账单文件，新文件已一并保存，请指定以哪一份为准。",
        )
