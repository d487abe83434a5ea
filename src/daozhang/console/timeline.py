"""Timeline: what happened, as `parts.timeline` shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from daozhang.console.states import Tone
from daozhang.money import Money


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened. Texts are in the reader's language already, but for ``quote``, which
    is as somebody wrote it."""

    at: datetime
    title: str
    icon: str
    tone: Tone = "calm"
    lines: Sequence[str] = ()
    amount: Money | None = None
    quote: str | None = None
    details: Sequence[tuple[str, str]] = ()
