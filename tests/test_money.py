"""Money: exact in, exact out, and closed to everything that is not exact."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daozhang.money import MINOR_DIGITS, MINOR_MAX, Money, MoneyError

currencies = st.sampled_from(sorted(MINOR_DIGITS))
minors = st.integers(-MINOR_MAX, MINOR_MAX)
halves = st.integers(-MINOR_MAX // 2, MINOR_MAX // 2)


@given(minors, currencies)
def test_the_text_of_an_amount_names_that_amount(minor: int, currency: str) -> None:
    amount = Money(minor, currency)
    assert Money.parse(str(amount), currency) == amount
    assert Decimal(str(amount)).scaleb(MINOR_DIGITS[currency]) == minor


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("88.88", 8888),
        ("88", 8800),
        ("88.8", 8880),
        ("0.01", 1),
        ("-0.01", -1),
        ("007", 700),
        ("0", 0),
        ("-0", 0),
        ("1.2000", 120),
        ("100000000.00", 10_000_000_000),
    ],
)
def test_parse_reads_what_the_wire_writes(text: str, minor: int) -> None:
    assert Money.parse(text).minor == minor


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "88.888",
        "0.001",
        "+1",
        "1e3",
        "1,000.00",
        " 1",
        "1 ",
        "1\n",
        ".5",
        "5.",
        "--1",
        "NaN",
        "Infinity",
        "0x10",
        "１２",
        "٣",
        "1_000",
        "9" * 17,
        "￥1",
        "1.00元",
        "1.00000",
    ],
)
def test_parse_refuses_what_is_no_amount(text: str) -> None:
    with pytest.raises(MoneyError):
        Money.parse(text)


@pytest.mark.parametrize("given_value", [88.88, 88, True, None, b"88.88", Decimal("88.88")])
def test_parse_takes_text_only(given_value: object) -> None:
    with pytest.raises(TypeError):
        Money.parse(given_value)  # pyright: ignore[reportArgumentType]


@given(st.floats() | st.booleans() | st.text() | st.decimals(allow_nan=False))
def test_minor_units_are_whole_numbers_by_type(value: object) -> None:
    with pytest.raises(TypeError, match="whole minor units"):
        Money(value)  # pyright: ignore[reportArgumentType]


def test_a_json_number_is_refused_with_a_sentence() -> None:
    body = json.loads('{"amount": 88.88}')
    with pytest.raises(TypeError, match="JSON number"):
        Money.parse(body["amount"])


def test_yen_have_no_decimal_places() -> None:
    assert Money.parse("100", "JPY") == Money(100, "JPY")
    assert Money.parse("100.00", "JPY") == Money(100, "JPY")
    assert str(Money(100, "JPY")) == "100"
    with pytest.raises(MoneyError, match="decimal places"):
        Money.parse("0.10", "JPY")


@pytest.mark.parametrize("currency", ["", "cny", "RMB", "XXX", "CNY "])
def test_an_unknown_currency_is_refused_by_name(currency: str) -> None:
    with pytest.raises(MoneyError, match="not a currency"):
        Money(1, currency)
    with pytest.raises(MoneyError, match="not a currency"):
        Money.parse("1", currency)


def test_amounts_beyond_the_limit_are_refused() -> None:
    assert Money(MINOR_MAX).minor == MINOR_MAX
    for minor in (MINOR_MAX + 1, -MINOR_MAX - 1):
        with pytest.raises(MoneyError, match="limit"):
            Money(minor)
    with pytest.raises(MoneyError, match="limit"):
        _ = Money(MINOR_MAX) + Money(1)


@given(halves, halves)
def test_sums_and_differences_are_exact(left: int, right: int) -> None:
    one, other = Money(left), Money(right)
    assert (one + other).minor == left + right
    assert (one - other).minor == left - right
    assert one + other - other == one
    assert (-one).minor == -left
    assert Money.total([one, other]) == one + other


def test_the_total_of_nothing_is_zero_of_its_currency() -> None:
    assert Money.total([], "HKD") == Money.zero("HKD")


@given(minors, minors)
def test_order_is_that_of_the_numbers(left: int, right: int) -> None:
    one, other = Money(left), Money(right)
    assert (one < other, one <= other, one > other, one >= other) == (
        (left < right, left <= right, left > right, left >= right)
    )
    assert (one == other) is (left == right)
    assert bool(one) is (left != 0)


def test_currencies_do_not_mix() -> None:
    yuan, dollars = Money(1, "CNY"), Money(1, "USD")
    assert yuan != dollars
    for mixed in (
        lambda: yuan + dollars,
        lambda: yuan - dollars,
        lambda: yuan < dollars,
        lambda: yuan >= dollars,
        lambda: Money.total([dollars]),
    ):
        with pytest.raises(MoneyError, match="do not mix"):
            mixed()


@pytest.mark.parametrize("other", [1, 1.0, "1.00", Decimal(1), None])
def test_money_goes_with_money_only(other: object) -> None:
    with pytest.raises(TypeError, match="Money only"):
        _ = Money.total([Money(1), other])  # pyright: ignore[reportArgumentType]
    assert Money(1) != other


weights = st.lists(st.integers(0, 10**9), min_size=1, max_size=20).filter(any)


@given(minors, weights)
def test_the_parts_of_a_split_add_up_and_are_fair(minor: int, shares: list[int]) -> None:
    parts = Money(minor).split(shares)
    assert sum(part.minor for part in parts) == minor
    for part, weight in zip(parts, shares, strict=True):
        exact = Fraction(minor * weight, sum(shares))
        assert abs(part.minor - exact) < 1
        assert weight or not part


def test_what_does_not_divide_goes_to_the_largest_remainder_then_the_earlier() -> None:
    assert [part.minor for part in Money(100).split([1, 1, 1])] == [34, 33, 33]
    assert [part.minor for part in Money(-100).split([1, 1, 1])] == [-34, -33, -33]
    assert [part.minor for part in Money(10).split([1, 2])] == [3, 7]


def test_a_split_needs_weights_that_divide() -> None:
    for wrong in ([], [0, 0], [1, -1], [2, -1]):
        with pytest.raises(MoneyError, match="Weights"):
            Money(1).split(wrong)
    with pytest.raises(TypeError, match="Weights"):
        Money(1).split([0.5, 0.5])  # pyright: ignore[reportArgumentType]


def test_money_is_a_value() -> None:
    amount = Money.parse("88.88")
    assert hash(amount) == hash(Money(8888))
    assert repr(amount) == "Money('88.88', 'CNY')"
    with pytest.raises(AttributeError):
        amount.minor = 1  # pyright: ignore[reportAttributeAccessIssue]
