"""Who a buyer is to an app: a user id or an open id, never a null that became text (apis.md §0.3).

Apps from before 2023 are told ``user_id`` (one for all apps), newer ones ``open_id`` (one for each app).
Whoever keeps one as the other loses every buyer, so the two are one type with two makers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final, Literal

_USER_ID: Final = re.compile(r"2088[0-9]{12}", re.ASCII)
_OPEN_ID: Final = re.compile(r"[A-Za-z0-9_-]{28,128}", re.ASCII)


@dataclass(frozen=True, slots=True)
class BuyerRef:
    """A buyer, by the one id that the app may see. Made by `user_id`, `open_id` or `parse`."""

    kind: Literal["user_id", "open_id"]
    text: str

    def __post_init__(self) -> None:
        shape = _USER_ID if self.kind == "user_id" else _OPEN_ID
        given: Any = self.text
        if not isinstance(given, str) or not shape.fullmatch(given):
            wanted = (
                "16 digits that begin with 2088"
                if self.kind == "user_id"
                else "28 to 128 letters, digits, _ and -"
            )
            raise ValueError(f"A {self.kind} is {wanted}; this is {given!r}.")

    @classmethod
    def user_id(cls, text: str) -> BuyerRef:
        """The buyer with that user id. Raises `ValueError` for anything else, nulls included."""
        return cls("user_id", text)

    @classmethod
    def open_id(cls, text: str) -> BuyerRef:
        """The buyer with that open id. Raises `ValueError` for anything else, nulls included."""
        return cls("open_id", text)

    @classmethod
    def parse(cls, text: str) -> BuyerRef:
        """The buyer whom ``text`` names, told apart by its shape. Raises `ValueError`."""
        given: Any = text
        if isinstance(given, str) and _USER_ID.fullmatch(given):
            return cls.user_id(given)
        if not isinstance(given, str) or not _OPEN_ID.fullmatch(given):
            raise ValueError(
                f"{given!r} is neither a user_id (16 digits that begin with 2088) nor an open_id."
            )
        return cls.open_id(given)

    def fields(self) -> dict[str, str]:
        """As a payment names its buyer: ``buyer_id`` or ``buyer_open_id``."""
        return {"buyer_id" if self.kind == "user_id" else "buyer_open_id": self.text}
