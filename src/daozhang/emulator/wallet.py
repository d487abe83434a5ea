"""The wallet: what a buyer's phone shows at a till, and what it is asked to confirm.

A payment code is made with a behaviour, so that a test or a person decides beforehand what becomes of
the payment that is made with it. It is good for one use within a minute.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from daozhang.emulator.ledger import Channel, Declined

CODE_LIFE: Final = timedelta(minutes=1)
"""How long a code can be charged (apis.md §8, unverified)."""

BALANCE_TOO_LOW: Final = "ACQ.BUYER_BALANCE_NOT_ENOUGH"

_FACE_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz0123456789"


class Behaviour(StrEnum):
    """What becomes of a payment that is made with a code."""

    PAYS = "pays"  # paid at once
    ASKS = "asks"  # the buyer has to confirm on the phone
    DECLINES = "declines"  # a no, and the trade that it opened stays open
    DIES = "dies"  # a no, and there is no trade


@dataclass(frozen=True, slots=True)
class PaymentCode:
    """A code that a buyer shows."""

    text: str
    scene: str
    behaviour: Behaviour
    sub_code: str
    channel: Channel
    expires_at: datetime


@dataclass(slots=True)
class Wallet:
    """The codes of all buyers, and the payments that wait for one of them. Its owner holds a lock."""

    _codes: dict[str, PaymentCode] = field(default_factory=dict[str, PaymentCode])
    _asked: dict[tuple[str, str], Channel] = field(default_factory=dict[tuple[str, str], Channel])

    def make(
        self,
        now: datetime,
        *,
        behaviour: Behaviour = Behaviour.PAYS,
        sub_code: str = BALANCE_TOO_LOW,
        channel: Channel = Channel.BALANCE,
        face: bool = False,
    ) -> PaymentCode:
        """A new code; those that nobody can use any more are forgotten."""
        for text in [text for text, code in self._codes.items() if code.expires_at <= now]:
            del self._codes[text]
        if face:
            text = "fp" + "".join(secrets.choice(_FACE_ALPHABET) for _ in range(33))
        else:
            text = f"28{secrets.randbelow(10**16):016d}"
        scene = "security_code" if face else "bar_code"
        code = PaymentCode(text, scene, behaviour, sub_code, channel, now + CODE_LIFE)
        self._codes[text] = code
        return code

    def find(self, text: str, now: datetime) -> PaymentCode | None:
        """The code of that text, while it can be used."""
        code = self._codes.get(text)
        return None if code is None or code.expires_at <= now else code

    def use(self, text: str, scene: str, now: datetime) -> PaymentCode:
        """The code of that text, which is used up by this. Raises `Declined`."""
        code = self._codes.get(text)
        if code is None or code.scene != scene or code.expires_at <= now:
            raise Declined("ACQ.PAYMENT_AUTH_CODE_INVALID")
        del self._codes[text]
        return code

    def ask(self, key: tuple[str, str], channel: Channel) -> None:
        """The phone asks its owner to confirm the trade of ``key``, paid by ``channel``."""
        self._asked[key] = channel

    def asked(self) -> dict[tuple[str, str], Channel]:
        """What waits for its owner: the keys of the trades, and what they would be paid with."""
        return dict(self._asked)

    def answer(self, key: tuple[str, str]) -> Channel | None:
        """The owner has answered: what the trade would be paid with, ``None`` if nobody was asked."""
        return self._asked.pop(key, None)

    def clear(self) -> None:
        """Forgets everything."""
        self._codes.clear()
        self._asked.clear()
