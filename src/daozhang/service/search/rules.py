"""What of an order can be found, and by which terms. Pure.

Rows are looked for in blocks of their numbers: of each block and term it is kept which rows have it, as
the bits of one number. What several terms have in common is then an ``and``, and the newest block
comes first.
"""

from __future__ import annotations

import struct
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from daozhang.money import Money, MoneyError
from daozhang.service.orders.model import Order
from daozhang.service.search.model import Sought

BLOCK_ROWS: Final = 4096

WORDS_MAX: Final = 8
TERM_CHARACTERS_MAX: Final = 96

INDEXED: Final = ("status", "way", "operator_id", "terminal_id", "store_id", "late", "attention")
"""Columns that can be narrowed by. What a row has been once stays in the index: the row decides."""

_DENSE, _SPARSE = b"d", b"s"


def words_of(text: str) -> list[str]:
    """What is written, in words of one writing: full-width and capital letters are the same as others."""
    return unicodedata.normalize("NFKC", text).casefold().split()


def bigrams(text: str) -> set[str]:
    """Every two letters that follow each other in a word of ``text``; a word of one letter is that."""
    found: set[str] = set()
    for word in words_of(text):
        found |= {word[at : at + 2] for at in range(max(len(word) - 1, 1))}
    return found


def contains(subject: str, word: str) -> bool:
    """Whether ``word``, one of `words_of`, stands in a word of ``subject``; one letter has to be all
    of it."""
    if len(word) == 1:
        return word in words_of(subject)
    return any(word in each for each in words_of(subject))


def amount_of(word: str) -> Money | None:
    """The amount that a word may be: ``88.88``, ``¥1,288``."""
    try:
        return Money.parse(word.removeprefix("¥").removesuffix("元").replace(",", ""))
    except MoneyError:
        return None


def amount_term(amount: Money) -> str:
    """By what orders over ``amount`` are found."""
    return f"amount:{amount.minor}:{amount.currency}"


def column_term(name: str, value: object) -> str:
    """By what orders are found whose column has that value."""
    return f"{name}:{value}"[:TERM_CHARACTERS_MAX]


def terms_of(order: Order) -> set[str]:
    """Every term by which ``order`` is found as it stands."""
    terms = {*bigrams(order.subject), amount_term(order.amount)}
    for name in INDEXED:
        value = getattr(order, name)
        if value is not None and value is not False:
            terms.add(column_term(name, value))
    return terms


def personal_numbers_of(order: Order) -> set[str]:
    """What says who paid."""
    payment = order.payment
    if payment is None:
        return set()
    told = (payment.buyer_id, payment.buyer_open_id, payment.buyer_logon_id)
    return {number_of(each) for each in told if each}


def numbers_of(order: Order) -> set[str]:
    """The numbers by which ``order`` is found beside its own: Alipay's, and who paid."""
    found = personal_numbers_of(order)
    if order.trade_no is not None:
        found.add(number_of(order.trade_no))
    return found


def number_of(text: str) -> str:
    """A number as it is kept: letters of either case are the same."""
    return text.casefold()[:TERM_CHARACTERS_MAX]


def place_of(row_id: int) -> tuple[int, int]:
    """The block of a row, and its bit there."""
    return divmod(row_id, BLOCK_ROWS)


def rows_of(block: int, bits: int) -> Iterator[int]:
    """The rows whose bits are set, newest first."""
    while bits:
        top = bits.bit_length() - 1
        yield block * BLOCK_ROWS + top
        bits ^= 1 << top


def bits_from(row_ids: Iterable[int]) -> dict[int, int]:
    """The bits of rows, by block."""
    found: dict[int, int] = {}
    for row_id in row_ids:
        block, place = place_of(row_id)
        found[block] = found.get(block, 0) | 1 << place
    return found


def pack(bits: int) -> bytes:
    """``bits`` as they are kept: the bits, or the places of the few that are set."""
    dense = bits.to_bytes((bits.bit_length() + 7) // 8, "little")
    if bits.bit_count() * 2 >= len(dense):
        return _DENSE + dense
    places = list(rows_of(0, bits))
    return _SPARSE + struct.pack(f"<{len(places)}H", *places)


def unpack(kept: bytes) -> int:
    """The bits that `pack` has made ``kept`` of."""
    if kept[:1] == _DENSE:
        return int.from_bytes(kept[1:], "little")
    bits = 0
    for place in struct.unpack(f"<{len(kept) // 2}H", kept[1:]):
        bits |= 1 << place
    return bits


_AMOUNTS: Final = ("amount_from", "amount_to")
_MOMENTS: Final = ("created_from", "created_before")


def sought_to_json(sought: Sought) -> dict[str, Any]:
    """What is looked for, as a row keeps it."""
    kept: dict[str, Any] = {"text": sought.text, "equal": dict(sought.equal)}
    for name in _MOMENTS:
        moment: datetime | None = getattr(sought, name)
        kept[name] = None if moment is None else moment.isoformat()
    for name in _AMOUNTS:
        amount: Money | None = getattr(sought, name)
        kept[name] = None if amount is None else [amount.minor, amount.currency]
    return kept


def sought_from_json(kept: Mapping[str, Any]) -> Sought:
    """What `sought_to_json` has made ``kept`` of."""
    found: dict[str, Any] = {
        **{name: datetime.fromisoformat(kept[name]) for name in _MOMENTS if kept[name]},
        **{name: Money(*kept[name]) for name in _AMOUNTS if kept[name]},
    }
    return Sought(text=kept["text"], equal=kept["equal"], **found)
