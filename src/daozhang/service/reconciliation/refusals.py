"""Why something about what differs is refused."""

from __future__ import annotations

from daozhang.service.refusals import Refusal


class MismatchNotFound(Refusal):
    """There is no such mismatch."""

    code = "mismatch_not_found"
    status = 404
    title = "No such mismatch"

    def __init__(self, public_id: str) -> None:
        super().__init__(
            f"Nothing that differs has the id {public_id!r} here.",
            f"没有编号为 {public_id!r} 的差异。",
        )


class RuleNotFound(Refusal):
    """There is no such rule."""

    code = "foreign_rule_not_found"
    status = 404
    title = "No such rule"

    def __init__(self, rule_id: int) -> None:
        super().__init__(
            f"No rule {rule_id} sets lines aside here.", f"没有编号为 {rule_id} 的排除规则。"
        )


class NothingToMatch(Refusal):
    """No bill of the day can be read."""

    code = "nothing_to_match"
    title = "No bill of that day is here"

    def __init__(self, day: str) -> None:
        super().__init__(
            f"No bill of {day} is here yet: fetch it, or give its file.",
            f"{day} 的账单尚未到达：请下载或导入文件。",
        )
