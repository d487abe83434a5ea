"""Formats: how amounts, times and states look. Python, so that every page shows them alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Final, Literal
from zoneinfo import ZoneInfo, available_timezones

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal
from markupsafe import Markup

from daozhang.clock import to_beijing_text
from daozhang.money import MINOR_DIGITS, Money
from daozhang.service.people.model import Language

BEIJING: Final = ZoneInfo("Asia/Shanghai")
LOCALES: Final[Mapping[Language, str]] = {Language.CHINESE: "zh_Hans_CN", Language.ENGLISH: "en_US"}

Length = Literal["short", "long"]
_PATTERNS: Final[Mapping[tuple[Language, Length], str]] = {
    (Language.CHINESE, "short"): "M月d日 HH:mm",
    (Language.CHINESE, "long"): "y年M月d日 HH:mm:ss",
    (Language.ENGLISH, "short"): "MMM d, HH:mm",
    (Language.ENGLISH, "long"): "MMM d, y, HH:mm:ss",
}


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def zone_named(name: str) -> ZoneInfo:
    """The time zone that a browser names; Beijing's if it names none that is known."""
    return ZoneInfo(name) if name in _zones() else BEIJING


def day_start(day: date) -> datetime:
    """When a day of Beijing's begins."""
    return datetime(day.year, day.month, day.day, tzinfo=BEIJING).astimezone(UTC)


def day_end(day: date) -> datetime:
    """When the day after it begins."""
    return day_start(day + timedelta(days=1))


@dataclass(frozen=True, slots=True)
class Formats:
    """How amounts, numbers and times look to one reader. Templates call these."""

    language: Language
    zone: ZoneInfo

    def money(self, amount: Money, *, sign: bool = False) -> Markup:
        """An amount with its currency. Digits are of one width, so columns align by themselves."""
        return Markup('<span class="money">{}<span class="currency">{}</span></span>').format(
            self.amount(amount, sign=sign), amount.currency
        )

    def amount(self, amount: Money, *, sign: bool = False) -> str:
        """The digits alone, grouped: ``1,234.50``. By whole numbers: no float touches it."""
        digits = MINOR_DIGITS[amount.currency]
        whole, fraction = divmod(abs(amount.minor), 10**digits)
        before = "−" if amount.minor < 0 else "+" if sign and amount.minor > 0 else ""
        return f"{before}{whole:,}" + (f".{fraction:0{digits}d}" if digits else "")

    def number(self, number: int) -> str:
        """A count, grouped as the reader's language groups."""
        return format_decimal(number, locale=LOCALES[self.language])

    def time(self, at: datetime, length: Length = "short") -> Markup:
        """A time in the reader's zone; the pointer on it shows Beijing's."""
        text = format_datetime(
            at.astimezone(self.zone),
            _PATTERNS[self.language, length],
            locale=LOCALES[self.language],
        )
        in_beijing = f"{to_beijing_text(at)} {'北京时间' if self.language is Language.CHINESE else 'Beijing'}"
        return Markup('<time datetime="{}" title="{}">{}</time>').format(
            at.astimezone(UTC).isoformat(timespec="seconds"), in_beijing, text
        )

    def day(self, day: date) -> str:
        """A calendar day."""
        return format_date(day, "medium", locale=LOCALES[self.language])
