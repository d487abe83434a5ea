"""Money: whole minor units with a currency. Exact, immutable, and closed to floats.

What comes in is text (``"88.88"``, as on Alipay's wire) or whole minor units; what goes out is
the same text. A float, or a JSON number that a parser made into one, is refused by type and at
run time: 0.1 + 0.2 has already been on somebody's bill (see the pain points, number 21).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

MINOR_DIGITS: Final[dict[str, int]] = {
    "CNY": 2, "HKD": 2, "USD": 2, "EUR": 2, "GBP": 2, "AUD": 2, "CAD": 2, "CHF": 2, "DKK": 2,
    "MOP": 2, "MYR": 2, "NOK": 2, "NZD": 2, "PHP": 2, "RUB": 2, "SEK": 2, "SGD": 2, "THB": 2,
    "JPY": 0, "KRW": 0, "VND": 0,
}  # fmt: skip
"""How many decimal places a currency has (ISO 4217). A currency that is not here is refused."""

MINOR_MAX: Final = 10**15
"""The largest amount, in minor units, either way: far above Alipay's 100,000,000.00 yuan for one
payment, so that totals fit too, and far below what an SQL BIGINT holds."""

_AMOUNT = re.compile(r"(-?[0-9]{1,16})(?:\.([0-9]{1,4}))?", re.ASCII)


class MoneyError(ValueError):
    """An amount that cannot be believed: malformed, out of range, or of another currency."""


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An exact amount: ``minor`` units (fen for CNY) of ``currency`` (ISO 4217).

    Arithmetic and comparison work between equal currencies only and raise `MoneyError` otherwise.
    """

    minor: int
    currency: str = "CNY"

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise TypeError(
                f"Money counts whole minor units; {self.minor!r} is a {type(self.minor).__name__}."
                ' Write Money.parse("88.88") instead.'
            )
        if self.currency not in MINOR_DIGITS:
            raise MoneyError(
                f"{self.currency!r} is not a currency that is known here: "
                + ", ".join(sorted(MINOR_DIGITS))
            )
        if abs(self.minor) > MINOR_MAX:
            raise MoneyError(f"{self.minor} minor units are beyond the limit of {MINOR_MAX}.")

    @classmethod
    def parse(cls, text: str, currency: str = "CNY") -> Money:
        """The amount that ``text`` names, such as ``"88.88"``, ``"88"`` or ``"-0.01"``.

        No sign but ``-``, no spaces, no separators, no exponent. More decimal places than the
        currency has are taken only if they are zero (``"0.10"`` yen is refused, ``"100.00"`` is
        not). Raises `TypeError` for anything but text, `MoneyError` for text that is no amount.
        """
        if type(text) is not str:
            raise TypeError(
                f'An amount must be text such as "88.88"; {text!r} is a {type(text).__name__}, '
                "and a JSON number or float cannot hold money exactly."
            )
        digits = MINOR_DIGITS.get(currency)
        if digits is None:
            raise MoneyError(
                f"{currency!r} is not a currency that is known here: "
                + ", ".join(sorted(MINOR_DIGITS))
            )
        found = _AMOUNT.fullmatch(text)
        if found is None:
            raise MoneyError(f'{text[:40]!r} is not an amount; write it like "88.88".')
        signed, fraction = found.groups("")
        kept = fraction[:digits].ljust(digits, "0")
        if fraction[digits:].strip("0"):
            raise MoneyError(
                f"{text!r} has {len(fraction)} decimal places; {currency} has {digits}."
            )
        return cls(int(signed + kept), currency)

    @classmethod
    def zero(cls, currency: str = "CNY") -> Money:
        """Nothing, in ``currency``."""
        return cls(0, currency)

    @classmethod
    def total(cls, amounts: Iterable[Money], currency: str = "CNY") -> Money:
        """The sum of ``amounts``, zero of ``currency`` if there are none."""
        result = cls.zero(currency)
        for amount in amounts:
            result += amount
        return result

    def __str__(self) -> str:
        """The text of the wire: ``"88.88"``, always with the currency's decimal places."""
        digits = MINOR_DIGITS[self.currency]
        sign = "-" if self.minor < 0 else ""
        if not digits:
            return f"{sign}{abs(self.minor)}"
        whole, fraction = divmod(abs(self.minor), 10**digits)
        return f"{sign}{whole}.{fraction:0{digits}d}"

    def __repr__(self) -> str:
        return f"Money({str(self)!r}, {self.currency!r})"

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.minor <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.minor > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.minor >= self._same(other)

    def __bool__(self) -> bool:
        return self.minor != 0

    def split(self, weights: Sequence[int]) -> tuple[Money, ...]:
        """The amount cut in proportion to whole ``weights``; the parts add up to it exactly.

        Minor units that do not divide go one each to the parts with the largest remainders, the
        earlier part first where they are equal. Raises `MoneyError` if no weight is above zero or
        one is below.
        """
        if any(type(weight) is not int for weight in weights):
            raise TypeError("Weights are whole numbers; floats do not divide money exactly.")
        whole = sum(weights)
        if whole <= 0 or any(weight < 0 for weight in weights):
            raise MoneyError("Weights must not be negative, and one must be above zero.")
        sign = -1 if self.minor < 0 else 1
        shares = [divmod(abs(self.minor) * weight, whole) for weight in weights]
        parts = [quotient for quotient, _ in shares]
        left = abs(self.minor) - sum(parts)
        by_remainder = sorted(range(len(parts)), key=lambda i: (-shares[i][1], i))
        for index in by_remainder[:left]:
            parts[index] += 1
        return tuple(Money(sign * part, self.currency) for part in parts)

    def _same(self, other: object) -> int:
        if not isinstance(other, Money):
            raise TypeError(f"Money goes with Money only, not with {type(other).__name__}.")
        if other.currency != self.currency:
            raise MoneyError(f"{self.currency} and {other.currency} do not mix.")
        return other.minor
