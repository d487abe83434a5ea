"""Every text has its Chinese, and nothing is translated that nobody says."""

from __future__ import annotations

import json
import re
from collections import Counter
from string import Formatter

from console.texts import texts
from daozhang.console.rendering import TEMPLATES
from daozhang.console.words import CATALOGUES, catalogue, language_accepted, translator
from daozhang.service.people.model import Language

CHINESE = catalogue(Language.CHINESE)


def test_something_is_said() -> None:
    assert len(texts()) > 100


def test_every_text_has_its_chinese() -> None:
    assert {text: place for text, place in texts().items() if text not in CHINESE} == {}


def test_nothing_is_translated_that_nobody_says() -> None:
    assert set(CHINESE) - set(texts()) == set()


def test_the_chinese_has_the_same_values() -> None:
    def values(text: str) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(text) if name}

    assert {text for text, chinese in CHINESE.items() if values(text) != values(chinese)} == set()


def test_no_family_translates_what_another_does() -> None:
    files = (CATALOGUES / "zh").glob("*.json")
    said = Counter(text for path in files for text in json.loads(path.read_text("utf-8")))
    assert [text for text, count in said.items() if count > 1] == []


def test_templates_hold_no_text_of_their_own() -> None:
    """What stands between the tags is said by ``t``; so are labels and placeholders."""
    loose: list[str] = []
    for path in sorted(TEMPLATES.rglob("*.html")):
        text = re.sub(
            r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", path.read_text("utf-8"), flags=re.DOTALL
        )
        text = re.sub(r"<(kbd|script|style)\b.*?</\1>", "", text, flags=re.DOTALL)
        text = re.sub(r'<(\w+)[^<>]*\btranslate="no"[^<>]*>.*?</\1>', "", text, flags=re.DOTALL)
        labels = re.findall(r'(?:aria-label|title|placeholder|alt)="([^"]*\w[^"]*)"', text)
        between = [part.strip() for part in re.findall(r">([^<>]*)<", text)]
        loose += [f"{path.name}: {part}" for part in [*between, *labels] if re.search(r"\w", part)]
    assert loose == []


def test_nothing_is_inline() -> None:
    """The policy forbids it; here it is said where."""
    inline = re.compile(
        r"<style|\sstyle=|\son[a-z]+=|javascript:|<script(?![^>]*(?:src=|application/json))"
    )
    found = {
        path.name: inline.findall(path.read_text("utf-8"))
        for path in TEMPLATES.rglob("*.html")
        if inline.search(path.read_text("utf-8"))
    }
    assert found == {}


def test_the_reader_is_heard() -> None:
    assert language_accepted("en-GB,en;q=0.9") is Language.ENGLISH
    assert language_accepted("fr-FR,zh;q=0.2,en;q=0.8") is Language.ENGLISH
    assert language_accepted("zh-TW,en;q=0.9") is Language.CHINESE
    assert language_accepted("") is Language.CHINESE
    assert translator(Language.CHINESE)("{count} on this page", count=3) == "本页 3 条"
    assert translator(Language.ENGLISH)("{count} on this page", count=3) == "3 on this page"
