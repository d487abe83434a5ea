"""Timeline: what happened, as `parts.timeline` shows it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from markupsafe import Markup, escape

from daozhang.console.states import Tone
from daozhang.money import Money
from daozhang.service.people.model import Language


@dataclass(frozen=True, slots=True)
class Paper:
    """Something word for word: what was sent, or answered. ``title`` is in the reader's language."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened. Texts are in the reader's language already, but for ``quote``, which
    is as somebody wrote it. ``raw``: the address of what came, word for word."""

    at: datetime
    title: str
    icon: str
    tone: Tone = "calm"
    lines: Sequence[str] = ()
    amount: Money | None = None
    quote: str | None = None
    details: Sequence[tuple[str, str]] = ()
    papers: Sequence[Paper] = ()
    raw: str | None = None


@dataclass(frozen=True, slots=True)
class Coming:
    """One thing that happens by itself. Without ``at`` a person decides when."""

    at: datetime | None
    text: str


def told(language: Language, entries: Iterable[Mapping[str, Any]]) -> list[Moment]:
    """The entries of a story of the service, which say by themselves what happened; latest first."""
    key = _SAYS[language]
    moments = [
        Moment(
            at=datetime.fromisoformat(entry["at"]),
            title=marked(str(entry[key]), language),
            icon=_ICONS.get(str(entry["kind"]), "arrow-right"),
            tone=_tone_of(entry),
            quote=entry.get("note") if entry["kind"] == "approval" else None,
        )
        for entry in entries
    ]
    return moments[::-1]


def coming(language: Language, upcoming: Iterable[Mapping[str, Any]]) -> list[Coming]:
    """What happens next; what waits for a person before all."""
    key = _SAYS[language]
    found = [Coming(one["at"], marked(str(one[key]), language)) for one in upcoming]
    return sorted(found, key=lambda one: (one.at is not None, one.at))


def marked(sentence: str, language: Language) -> Markup:
    """``sentence`` with what is not of its language (names, numbers, what people wrote) marked so."""
    pieces = _FOREIGN[language].split(sentence)
    foreign = Markup('<span translate="no">{}</span>')
    return Markup("").join(
        foreign.format(piece) if place % 2 else escape(piece) for place, piece in enumerate(pieces)
    )


_SAYS: Final[Mapping[Language, str]] = {Language.CHINESE: "say_zh", Language.ENGLISH: "say"}

_FOREIGN: Final[Mapping[Language, re.Pattern[str]]] = {
    Language.CHINESE: re.compile(r"([!-~]*[A-Za-z][!-~]+(?: +[!-~]*[A-Za-z][!-~]+)*)"),
    Language.ENGLISH: re.compile(
        r"([\u3000-\u9fff\uff00-\uffef]+|[\w.+-]+@[\w.-]+\w|\b[a-z_]+\.[a-z_]+\b)"
    ),
}


def _icon(name: str) -> str:
    """``name``: says that it is an icon, so that the set-up takes it."""
    return name


_ICONS: Final[Mapping[str, str]] = {
    "created": _icon("plus"),
    "requested": _icon("plus"),
    "notification": _icon("bell"),
    "event": _icon("bell"),
    "delivery": _icon("send"),
    "surprise": _icon("alert-triangle"),
    "approval": _icon("user-check"),
    "capture": _icon("cash"),
    "deduction": _icon("cash"),
    "release": _icon("lock-open"),
    "called": _icon("send"),
    "held": _icon("lock"),
    "ended": _icon("circle-check"),
}

_GOOD: Final = frozenset({"succeeded", "paid", "approved", "authorized", "active", "delivered"})
_BAD: Final = frozenset({"failed", "declined"})


def _tone_of(entry: Mapping[str, Any]) -> Tone:
    if entry["kind"] in ("surprise", "held") or entry.get("status") == "parked":
        return "warn"
    became = entry.get("status_after") if _moved(entry) else entry.get("status")
    if became in _GOOD and entry["kind"] not in ("delivery", "notification"):
        return "good"
    return "bad" if became in _BAD else "calm"


def _moved(entry: Mapping[str, Any]) -> bool:
    return entry.get("status_before") != entry.get("status_after")
