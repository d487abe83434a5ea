"""Templates, vouchers and their lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from daozhang.money import Money
from daozhang.service.ledger.model import Account, EntryKind

TEMPLATE_CHARACTERS_MAX: Final = 32_000
COLUMNS_MAX: Final = 100

Text = Annotated[str, Field(max_length=200)]


class Encoding(StrEnum):
    """How a file is written; the values are Python's names."""

    GB18030 = "gb18030"  # what programs of old read
    UTF_8 = "utf-8-sig"  # with the mark by which Excel and WPS know it


class Grouping(StrEnum):
    """What one voucher holds."""

    DAY = "day"
    DAY_AND_KIND = "day_and_kind"
    MONTH = "month"
    MONTH_AND_KIND = "month_and_kind"

    @property
    def is_monthly(self) -> bool:
        """Whether days are put together."""
        return self in (Grouping.MONTH, Grouping.MONTH_AND_KIND)

    @property
    def has_kind(self) -> bool:
        """Whether payments, refunds, fees, ... have vouchers of their own."""
        return self in (Grouping.DAY_AND_KIND, Grouping.MONTH_AND_KIND)


class Value(StrEnum):
    """What a cell can hold."""

    DATE = "date"
    YEAR = "year"
    PERIOD = "period"  # the month of the year, 1 to 12
    WORD = "word"  # 凭证字
    NUMBER = "number"  # of the voucher, counted through the month
    LINE = "line"  # of the entry in its voucher, from 1
    LINE_FROM_ZERO = "line_from_zero"
    SUMMARY = "summary"
    ACCOUNT_CODE = "account_code"
    ACCOUNT_NAME = "account_name"
    DEBIT = "debit"
    CREDIT = "credit"
    AMOUNT = "amount"
    SIDE = "side"  # 借 or 贷
    CURRENCY = "currency"
    PREPARED_BY = "prepared_by"
    ATTACHMENTS = "attachments"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(_Part):
    """A column: what its cells hold, or the same ``text`` in each."""

    heading: Text = ""
    value: Value | None = None
    text: Text | None = None


class Subject(_Part):
    """What an account of ours is called in the other program (科目)."""

    code: Annotated[str, Field(min_length=1, max_length=40)]
    name: Text = ""


class Template(_Part):
    """A layout of a file."""

    title: Annotated[str, Field(min_length=1, max_length=100)]
    encoding: Encoding
    extension: Annotated[str, Field(pattern=r"^[a-z]{1,8}$")] = "csv"
    first_lines: Annotated[tuple[tuple[Text, ...], ...], Field(max_length=20)] = ()
    has_heading: bool = True
    group_by: Grouping = Grouping.DAY_AND_KIND
    date_format: Text = "%Y-%m-%d"
    word: Text = "记"
    summary: Text = "支付宝{kind} {day}"
    nothing: Annotated[str, Field(pattern=r"^(0\.00)?$")] = ""
    debit_word: Text = "借"
    credit_word: Text = "贷"
    prepared_by: Text = ""
    attachments: Annotated[int, Field(ge=0, le=999)] = 0
    first_number: Annotated[int, Field(ge=1, le=99_999)] = 1
    kinds: dict[EntryKind, Text]
    accounts: dict[Account, Subject]
    columns: Annotated[tuple[Column, ...], Field(min_length=1, max_length=COLUMNS_MAX)]


@dataclass(frozen=True, slots=True)
class Sum:
    """What was moved on a day by all entries of a kind from one account to another."""

    day: date
    kind: EntryKind
    debit: Account
    credit: Account
    amount: Money


@dataclass(frozen=True, slots=True)
class Line:
    """An entry of a voucher. ``amount`` is above zero; ``is_debit`` says on which side."""

    subject: Subject
    is_debit: bool
    amount: Money


@dataclass(frozen=True, slots=True)
class Voucher:
    """A voucher: its debits and its credits add up to the same."""

    number: int
    day: date
    summary: str
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Span:
    """The closed day or month that goes out, and its days. ``name`` is such as ``2026-03``."""

    name: str
    first: date
    last: date

    @property
    def is_month(self) -> bool:
        """Whether it is a month."""
        return len(self.name) == len("2026-03")


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is wrong in a template, and where."""

    where: str
    say: str
    say_zh: str


@dataclass(frozen=True, slots=True)
class JournalFile:
    """A file for the other program."""

    name: str
    content: bytes
    voucher_count: int
    line_count: int
    debits: Money
