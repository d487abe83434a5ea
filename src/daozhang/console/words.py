"""Words: every text of the console in the reader's language.

A text is written in English where it is used: ``t("Orders")`` in a template, ``word("Orders")`` in
Python for what is translated later. Its Chinese stands in ``words/zh/<family>.json``, one file for each
family of pages. A test compares both sides, so nothing is forgotten and nothing left over.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

from daozhang.service.people.model import Language

CATALOGUES: Final = Path(__file__).parent / "words"

Translate = Callable[..., str]
"""``t("{count} orders", count=3)``: the text in one language, with its values put in."""


def word(text: str) -> str:
    """``text`` itself: says that it is a text of the console, to be translated where it is shown."""
    return text


@cache
def catalogue(language: Language) -> Mapping[str, str]:
    """English text to the text in ``language``; empty for English."""
    found: dict[str, str] = {}
    for path in sorted((CATALOGUES / language.value).glob("*.json")):
        for english, translated in json.loads(path.read_text("utf-8")).items():
            assert found.get(english, translated) == translated, f"{english!r} twice: {path.name}"
            found[english] = translated
    return found


def translator(language: Language) -> Translate:
    """The function ``t`` of ``language``. A text without translation stays English."""
    known = catalogue(language)

    def t(text: str, **values: object) -> str:
        said = known.get(text, text)
        return said.format(**values) if values else said

    return t


def language_accepted(header: str) -> Language:
    """The first language of an ``Accept-Language`` that we speak; Chinese if there is none."""
    ranked: list[tuple[float, int, str]] = []
    for place, part in enumerate(header.split(",")[:20]):
        tag, _, weight = part.strip().partition(";q=")
        quality = float(weight) if weight.replace(".", "", 1).isdecimal() else 1.0
        ranked.append((-quality, place, tag[:2].lower()))
    for _, _, tag in sorted(ranked):
        if tag in tuple(Language):
            return Language(tag)
    return Language.CHINESE
