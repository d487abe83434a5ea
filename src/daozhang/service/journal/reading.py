"""Reading a template: those that come with us, and those that somebody has made. What is wrong is said."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from string import Formatter
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from daozhang.service.exports.rules import FORMULAS
from daozhang.service.journal.model import (
    TEMPLATE_CHARACTERS_MAX,
    Column,
    Fault,
    Template,
    Value,
)
from daozhang.service.journal.refusals import TemplateInvalid, TemplateNotFound
from daozhang.service.ledger.model import Account, EntryKind

NAMES: Final = ("yonyou", "chanjet", "kingdee", "jingdouyun")
"""Those that come with us."""

PLACEHOLDERS: Final = frozenset({"kind", "day", "month"})

_DATE_FORMAT: Final = re.compile(r"(%[Ymd]|[-/.年月日])+")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def text_of(name: str) -> str:
    """The text of a template that comes with us, to be edited. Raises `TemplateNotFound`."""
    if name not in NAMES:
        raise TemplateNotFound(name, NAMES)
    place = resources.files("daozhang.service.journal") / "templates" / f"{name}.toml"
    return place.read_text("utf-8")


@cache
def template_of(name: str) -> Template:
    """A template that comes with us. Raises `TemplateNotFound`."""
    return read_template(text_of(name))


def read_template(text: str) -> Template:
    """The template that ``text`` (TOML) describes. Raises `TemplateInvalid`, which names every fault."""
    if len(text) > TEMPLATE_CHARACTERS_MAX:
        most = TEMPLATE_CHARACTERS_MAX
        raise TemplateInvalid(
            [Fault("", f"It is longer than {most} characters.", f"超过 {most} 个字符。")]
        )
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise TemplateInvalid(
            [Fault("", f"It is not TOML: {error}.", f"不是有效的 TOML：{error}。")]
        ) from None
    try:
        template = Template.model_validate(content)
    except ValidationError as error:
        raise TemplateInvalid([_fault(one) for one in error.errors()]) from None
    if faults := list(_faults(template)):
        raise TemplateInvalid(faults)
    return template


_SAID: Final[Mapping[str, tuple[str, str]]] = {
    "missing": ("is missing", "缺少此项"),
    "extra_forbidden": ("is not known here", "不认识此项"),
    "string_type": ("has to be text in quotes", "须为带引号的文本"),
    "bool_type": ("has to be true or false", "须为 true 或 false"),
    "int_type": ("has to be a whole number", "须为整数"),
    "dict_type": ("has to be a table", "须为表"),
    "tuple_type": ("has to be a list", "须为列表"),
    "string_too_long": ("is too long", "过长"),
    "string_too_short": ("is empty", "不能为空"),
    "too_short": ("has too few parts", "项数过少"),
    "too_long": ("has too many parts", "项数过多"),
}
"""What is wrong with a value, by pydantic's name for it."""


def _fault(error: ErrorDetails) -> Fault:
    where = ".".join(str(part) for part in error["loc"] if part != "[key]")
    context: dict[str, Any] = error.get("ctx") or {}
    if error["type"] == "enum":
        expected = str(context["expected"]).replace("'", "").replace(" or ", ", ")
        say = f"{where}: {str(error['input'])[:40]!r} is not one of {expected}."
        say_zh = f"{where}：“{str(error['input'])[:40]}”无效，可选：{expected}。"
        return Fault(where, say, say_zh)
    en, zh = _SAID.get(error["type"], ("is not allowed so", "取值不符合要求"))
    return Fault(where, f"{where} {en}.", f"{where}：{zh}。")


def _faults(template: Template) -> Iterator[Fault]:
    """What no type can say."""
    if missing := [one.value for one in Account if one not in template.accounts]:
        names = ", ".join(missing)
        yield Fault("accounts", f"accounts lacks {names}.", f"accounts 缺少：{names}。")
    if missing := [one.value for one in EntryKind if one not in template.kinds]:
        names = ", ".join(missing)
        yield Fault("kinds", f"kinds lacks {names}.", f"kinds 缺少：{names}。")
    yield from _column_faults(template)
    yield from _format_faults(template)
    for where, text in _texts(template):
        if text.startswith(FORMULAS):
            yield Fault(
                where,
                f"{where} begins like a formula of a spreadsheet: {text[:20]!r}.",
                f"{where} 以电子表格公式符号开头：“{text[:20]}”。",
            )
        elif _CONTROL.search(text):
            yield Fault(where, f"{where} has a control character.", f"{where} 含有控制字符。")


def _column_faults(template: Template) -> Iterator[Fault]:
    for place, column in enumerate(template.columns):
        if (column.value is None) == (column.text is None):
            where = f"columns.{place}"
            yield Fault(
                where,
                f"{where} has either a value or a text.",
                f"{where} 须且只能有 value 或 text 之一。",
            )
    held = {column.value for column in template.columns}
    needed = {Value.DATE, Value.NUMBER, Value.ACCOUNT_CODE}
    if not {Value.AMOUNT, Value.SIDE} <= held:
        needed |= {Value.DEBIT, Value.CREDIT}
    for value in sorted(needed - held):
        yield Fault(
            "columns",
            f"No column holds {value.value}: without it a voucher cannot be read.",
            f"没有 {value.value} 列：缺少该列无法识别凭证。",
        )


def _format_faults(template: Template) -> Iterator[Fault]:
    if not _DATE_FORMAT.fullmatch(template.date_format) or any(
        template.date_format.count(part) != 1 for part in ("%Y", "%m", "%d")
    ):
        yield Fault(
            "date_format",
            "date_format has %Y, %m and %d once each, and between them - / . 年 月 日.",
            "date_format 须各含一次 %Y、%m、%d，其间只能是 - / . 年 月 日。",
        )
    if not _is_summary(template.summary):
        yield Fault(
            "summary",
            "summary may name {kind}, {day} and {month}.",
            "summary 中只能使用 {kind}、{day}、{month}。",
        )


def _is_summary(text: str) -> bool:
    """Whether it names what it may, and as it is: neither widths nor attributes."""
    try:
        parts = [part for part in Formatter().parse(text) if part[1] is not None]
    except ValueError:
        return False
    return all(name in PLACEHOLDERS and not (spec or how) for _, name, spec, how in parts)


def _texts(template: Template) -> Iterator[tuple[str, str]]:
    for name in ("title", "word", "summary", "prepared_by", "debit_word", "credit_word"):
        yield name, getattr(template, name)
    for account, subject in template.accounts.items():
        yield f"accounts.{account}.code", subject.code
        yield f"accounts.{account}.name", subject.name
    for kind, text in template.kinds.items():
        yield f"kinds.{kind}", text
    for place, column in enumerate(template.columns):
        yield f"columns.{place}", _text(column)
        yield f"columns.{place}.heading", column.heading
    for number, line in enumerate(template.first_lines):
        for cell in line:
            yield f"first_lines.{number}", cell


def _text(column: Column) -> str:
    return column.text or ""
