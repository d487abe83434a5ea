"""What a list of orders is narrowed to, as an address says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Self

from daozhang.console.formats import day_end, day_start
from daozhang.console.words import word
from daozhang.money import Money, MoneyError
from daozhang.service.orders.model import OrderStatus, Way
from daozhang.service.search.model import Sought

TEXT_CHARACTERS_MAX: Final = 96
DAYS_OF: Final[Mapping[str, str]] = {
    "": word("Created"),
    "paid": word("Paid"),
    "refunded": word("Refunded"),
}
"""What the days of a list are of, as an address has it."""

PLACES: Final = ("operator_id", "terminal_id", "store_id")
FLAGS: Final = ("attention", "late")


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed to. What cannot be understood narrows nothing."""

    text: str = ""
    status: str = ""
    way: str = ""
    first: date | None = None
    last: date | None = None
    least: Money | None = None
    most: Money | None = None
    operator_id: str = ""
    terminal_id: str = ""
    store_id: str = ""
    attention: bool = False
    late: bool = False
    by: str = ""
    """What the days are of: see `DAYS_OF`."""
    hour: int | None = None
    """An hour of the one day, in Beijing; of several days it narrows nothing."""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Self:
        """The filters that an address asks for."""
        status, way = query.get("status", ""), query.get("way", "")
        return cls(
            text=query.get("q", "").strip()[:TEXT_CHARACTERS_MAX],
            status=status if status in tuple(OrderStatus) else "",
            way=way if way in tuple(Way) else "",
            first=_day(query.get("from", "")),
            last=_day(query.get("to", "")),
            least=_amount(query.get("least", "")),
            most=_amount(query.get("most", "")),
            attention=query.get("attention") == "yes",
            late=query.get("late") == "yes",
            operator_id=query.get("operator_id", "").strip()[:64],
            terminal_id=query.get("terminal_id", "").strip()[:64],
            by=query.get("by", "") if query.get("by", "") in DAYS_OF else "",
            store_id=query.get("store_id", "").strip()[:64],
            hour=_hour(query.get("hour", "")),
        )

    @property
    def sought(self) -> Sought:
        """What to look for. Days are Beijing's."""
        named = {name: getattr(self, name) for name in ("status", "way", *PLACES, *FLAGS)}
        equal: dict[str, Any] = {name: value for name, value in named.items() if value}
        return Sought(
            text=self.text,
            equal=equal,
            created_from=self.since,
            created_before=self.before,
            amount_from=self.least,
            amount_to=self.most,
        )

    @property
    def since(self) -> datetime | None:
        """When the first day begins, or the hour of the one day, in Beijing."""
        if self.first is None:
            return None
        return day_start(self.first) + timedelta(hours=self._hour_of_one_day or 0)

    @property
    def before(self) -> datetime | None:
        """When the last day is over, or the hour of the one day, in Beijing."""
        if self.last is None:
            return None
        hour = self._hour_of_one_day
        return (
            day_end(self.last) if hour is None else day_start(self.last) + timedelta(hours=hour + 1)
        )

    @property
    def _hour_of_one_day(self) -> int | None:
        return self.hour if self.first == self.last else None

    @property
    def by_other_days(self) -> bool:
        """Whether its days are not those on which orders were created."""
        return bool(self.by) and (self.first is not None or self.last is not None)

    @property
    def narrows(self) -> bool:
        """Whether there may be orders that are not shown."""
        return self != Filters()

    @property
    def has_more(self) -> bool:
        """Whether one of those is set that are not seen at once."""
        names = ("least", "most", *PLACES, *FLAGS)
        return self.hour is not None or any(getattr(self, name) for name in names)

    def query(self, **instead: str) -> dict[str, str]:
        """The filters as fields of an address, some of them replaced."""
        fields = {
            "q": self.text,
            "status": self.status,
            "way": self.way,
            "from": "" if self.first is None else self.first.isoformat(),
            "to": "" if self.last is None else self.last.isoformat(),
            "least": "" if self.least is None else str(self.least),
            "most": "" if self.most is None else str(self.most),
            "by": self.by,
            "hour": "" if self.hour is None else str(self.hour),
            **{name: getattr(self, name) for name in PLACES},
            **{name: "yes" if getattr(self, name) else "" for name in FLAGS},
        }
        return fields | instead


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _hour(text: str) -> int | None:
    return int(text) if text in {str(hour) for hour in range(24)} else None


def _amount(text: str) -> Money | None:
    try:
        return Money.parse(text.strip()) if text.strip() else None
    except MoneyError:
        return None
