"""Why no journal goes out."""

from __future__ import annotations

from collections.abc import Sequence

from daozhang.service.journal.model import Fault
from daozhang.service.refusals import Refusal


class TemplateNotFound(Refusal):
    """No template of that name comes with us."""

    code = "journal_template_not_found"
    status = 404
    title = "No such template"

    def __init__(self, name: str, names: Sequence[str]) -> None:
        super().__init__(
            f"There is no template {name[:40]!r}; there are: {', '.join(names)}.",
            f"没有模板“{name[:40]}”；可选：{'、'.join(names)}。",
        )


class TemplateInvalid(Refusal):
    """A template that cannot be used, with everything that is wrong in it."""

    code = "journal_template_invalid"
    status = 422
    title = "The template cannot be used"

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(
            "The template cannot be used. " + " ".join(one.say for one in faults),
            "模板不可用。" + "".join(one.say_zh for one in faults),
            faults=[{"where": one.where, "say": one.say, "say_zh": one.say_zh} for one in faults],
        )


class SpanNotClosed(Refusal):
    """What is not closed may still change."""

    code = "journal_not_closed"
    title = "It is not closed yet"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} is not closed: only what nothing is posted to any more goes out as vouchers.",
            f"{name} 尚未关账：只有不再入账的期间才能导出凭证。",
        )


class SpanMissing(Refusal):
    """Neither a day nor a month was named, or both."""

    code = "journal_span_missing"
    status = 422
    title = "Name a day or a month"

    def __init__(self) -> None:
        super().__init__(
            "Name a day such as 2026-03-01, or a month such as 2026-03: one of them.",
            "请指定日期（如 2026-03-01）或月份（如 2026-03），二选一。",
        )


class SpanNotWhole(Refusal):
    """The template puts the days of a month together."""

    code = "journal_by_month"
    status = 422
    title = "The template is for months"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The template makes a voucher of a month; {name} is a day.",
            f"该模板按月汇总凭证，而 {name} 是单日。",
        )
