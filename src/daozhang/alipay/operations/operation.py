"""What every operation and every result has in common."""

from __future__ import annotations

import functools
import typing
from collections.abc import Callable, Mapping
from datetime import date, datetime
from types import MappingProxyType, UnionType
from typing import Any, ClassVar, Final, Generic, Self, TypeVar, cast

import msgspec

from daozhang.clock import business_day, from_beijing_text, require_aware
from daozhang.money import Money, MoneyError

NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})

IDENTITIES: Final = (
    "trade_no", "out_trade_no", "out_request_no", "agreement_no", "external_agreement_no",
    "auth_no", "out_order_no", "out_biz_no",
)  # fmt: skip
_DAY_CHARACTERS: Final = len("2026-03-01")
_NULLS: Final = frozenset({"None", "null", "undefined", "nil", "NaN"})


class MalformedResult(ValueError):
    """A verified answer whose fields do not mean what they must, or answer another question."""


class Details(msgspec.Struct, frozen=True, kw_only=True):
    """The fields that a method takes. ``more`` carries fields that have no name here.

    A value that cannot be meant is refused when the struct is made: a float or a text for an
    amount, a time without a zone, an identity that is empty or a null that became text.
    """

    METHOD: ClassVar[str]

    more: Mapping[str, Any] = msgspec.field(default_factory=lambda: NOTHING)

    def __post_init__(self) -> None:
        for name, value in self._given():
            is_amount = name == "amount" or name.endswith("_amount")
            if is_amount and not isinstance(value, Money):
                raise TypeError(f'{name} is {value!r}; write it as Money.parse("88.88").')
            if name.endswith(("_no", "_id")):
                _check_identity(name, value)
            if isinstance(value, datetime):
                require_aware(value)
        repeated = set(self.more) & set(self.__struct_fields__)
        if repeated:
            raise ValueError(f"{', '.join(sorted(repeated))} have fields of their own here.")

    def content(self) -> dict[str, Any]:
        """The fields that were given, by their names on the wire."""
        return {**dict(self._given()), **self.more}

    def _given(self) -> list[tuple[str, Any]]:
        named = ((name, getattr(self, name)) for name in self.__struct_fields__ if name != "more")
        return [(name, value) for name, value in named if value is not None]


class Page(Details, frozen=True, kw_only=True):
    """What the buyer's browser is sent to: an address or a form, no call."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What Alipay answered, verified. ``raw`` keeps every field, also those without a name here."""

    CURRENCIES: ClassVar[Mapping[str, str]] = {}
    """Amounts that are in the currency another field names; all others are in yuan."""

    trace_id: str | None = None
    raw: Mapping[str, Any] = msgspec.field(default_factory=lambda: NOTHING)

    @classmethod
    def read(cls, fields: Mapping[str, Any], trace_id: str | None) -> Self:
        """The result that verified ``fields`` hold. Raises `MalformedResult`."""
        values: dict[str, Any] = {}
        for name, read in _readers(cls).items():
            text = fields.get(name)
            if text is None or text == "":
                continue
            currency = str(fields.get(cls.CURRENCIES.get(name, "")) or "CNY")
            try:
                values[name] = read(text, currency)
            except (ValueError, TypeError, MoneyError) as problem:
                raise MalformedResult(f"{name}: {problem}") from None
        return cls(**values, trace_id=trace_id, raw=MappingProxyType(dict(fields)))


R = TypeVar("R", bound=Result)


class Operation(Details, Generic[R], frozen=True, kw_only=True):
    """A method that is called and answers with an ``R``."""

    RESULT: ClassVar[type[Result]]

    def read(self, fields: Mapping[str, Any], trace_id: str | None) -> R:
        """The result that verified ``fields`` hold, if they answer this operation.

        Raises `MalformedResult` if they speak of another trade or refund than was asked about.
        """
        for name in IDENTITIES:
            asked, told = getattr(self, name, None), fields.get(name)
            if asked and told and asked != told:
                raise MalformedResult(f"{name} {asked!r} was asked about; the answer has {told!r}.")
        return cast("R", self.RESULT.read(fields, trace_id))


def require_trade(operation: Details) -> None:
    """Refuses an operation that names no trade."""
    if not (getattr(operation, "out_trade_no", None) or getattr(operation, "trade_no", None)):
        raise ValueError(f"{type(operation).__name__} needs out_trade_no or trade_no.")


def require_yuan(name: str, amount: Money, *, positive: bool = True) -> None:
    """Refuses an amount that Alipay would read as another one than was meant."""
    if amount.currency != "CNY":
        raise ValueError(f"{name} counts yuan; {amount!r} is in another currency.")
    if amount.minor < 0 or (positive and not amount.minor):
        raise ValueError(f"{name} must be above zero; it is {amount}.")


def _check_identity(name: str, value: Any) -> None:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be text; {value!r} is a {type(value).__name__}.")
    if not value.strip():
        raise ValueError(f"{name} is empty; leave it out instead.")
    if value in _NULLS:
        raise ValueError(f"{name} is the text {value!r}: a missing value became text on its way.")


Reader = Callable[[Any, str], Any]


@functools.cache
def _readers(result: type[Result]) -> dict[str, Reader]:
    """How each field of ``result`` is read, by the type it is declared with."""
    hints = typing.get_type_hints(result)
    skipped = set(Result.__struct_fields__)
    return {
        name: _reader_for(hints[name]) for name in result.__struct_fields__ if name not in skipped
    }


def _reader_for(declared: Any) -> Reader:
    kinds = typing.get_args(declared) if isinstance(declared, UnionType) else (declared,)
    return next(_READERS[kind] for kind in kinds if kind in _READERS)


def _read_text(value: Any, _currency: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise TypeError(f"{value!r} is no text.")
    return str(value)


def _read_number(value: Any, _currency: str) -> int:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise TypeError(f"{value!r} is no number.")
    return int(value)


def _read_money(value: Any, currency: str) -> Money:
    return Money.parse(value, currency)


def _read_time(value: Any, _currency: str) -> datetime:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no time.")
    return from_beijing_text(value)


def _read_day(value: Any, _currency: str) -> date:
    """A day, also where Alipay writes a time behind it."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no day.")
    if len(value) == _DAY_CHARACTERS:
        return date.fromisoformat(value)
    return business_day(from_beijing_text(value))


def _read_details(value: Any, _currency: str) -> tuple[Mapping[str, Any], ...] | None:
    """A list of objects. Where Alipay writes such a list in another shape, ``raw`` has it."""
    items = cast("list[Any]", value) if isinstance(value, list) else []
    if not items or not all(isinstance(item, dict) for item in items):
        return None
    return tuple(cast("list[Mapping[str, Any]]", items))


def _read_object(value: Any, _currency: str) -> Mapping[str, Any] | None:
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else None


DetailList = tuple[Mapping[str, Any], ...]

_READERS: Final[dict[Any, Reader]] = {
    str: _read_text,
    int: _read_number,
    Money: _read_money,
    datetime: _read_time,
    date: _read_day,
    DetailList: _read_details,
    Mapping[str, Any]: _read_object,
}
