"""Asking for a right: the first line of every action of a person."""

from __future__ import annotations

from daozhang.service.people.model import Person, Right
from daozhang.service.people.refusals import MerchantNotYours, RightMissing


def require(actor: Person, right: Right, merchant_id: int | None = None) -> None:
    """Raises `RightMissing` if ``actor`` lacks ``right``, `MerchantNotYours` if they may not for
    that merchant."""
    if not actor.may(right):
        raise RightMissing(right)
    if merchant_id is not None and not actor.covers(merchant_id):
        raise MerchantNotYours
