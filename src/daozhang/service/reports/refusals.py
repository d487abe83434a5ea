"""Why there is no report."""

from __future__ import annotations

from daozhang.service.refusals import Refusal


class ReportNotFound(Refusal):
    """What was named is neither a day nor a month."""

    code = "report_not_found"
    status = 404
    title = "No such day or month"

    def __init__(self, period: str) -> None:
        super().__init__(
            f"{period[:20]!r} is neither a day such as 2026-03-01 nor a month such as 2026-03.",
            f"“{period[:20]}”不是日期（如 2026-03-01）或月份（如 2026-03）。",
        )
