"""The deployment guide, the files that it has people copy, and the commands are of one mind."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from house.test_docs import paragraphs

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs/guides/deploy.md").read_text("utf-8")


@pytest.mark.parametrize("language", ["nginx", "ini"])
def test_what_is_quoted_is_in_the_file_word_for_word(language: str) -> None:
    kept = [*(ROOT / "deploy/nginx").iterdir(), *(ROOT / "deploy/systemd").iterdir()]
    texts = [path.read_text("utf-8") for path in kept]
    quoted = re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    assert quoted
    for block in quoted:
        assert any(block in text for text in texts), block


def test_every_file_that_is_named_is_there_and_every_file_is_named() -> None:
    named = {name.rstrip(".") for name in re.findall(r"\bdeploy/[\w./-]+", GUIDE)} - {"deploy/"}
    assert sorted(name for name in named if not (ROOT / name).exists()) == []
    files = {path.relative_to(ROOT).as_posix() for path in (ROOT / "deploy").rglob("*.*")}
    files = {name for name in files if (ROOT / name).is_file()}
    # Prometheus' rules belong to the guide for those who operate.
    assert sorted(files - named) == ["deploy/alerts.yml"]


def test_every_command_that_is_printed_is_one() -> None:
    known = {name.removeprefix("daozhang ") for name in paragraphs("cli.md")}
    printed = set(
        re.findall(r"daozhang-admin ([a-z]+(?: (?:add|check|create|test|reseal))?)", GUIDE)
    )
    assert {"migrate", "app add", "alerts test"} <= printed
    assert sorted(printed - known) == []
