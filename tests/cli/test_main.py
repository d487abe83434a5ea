"""The command `daozhang`: quick, and in one sentence about what is missing."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys

import pytest

from daozhang.cli.main import COMMANDS, main

IN_A_HOUSE_WITHOUT = """
import sys
from importlib.machinery import PathFinder

class Shelf(PathFinder):
    \"""Finds what is installed, but for the packages that this test takes away.\"""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.partition(".")[0] not in {missing!r}:
            return PathFinder.find_spec(name, path, target)

sys.meta_path[:] = [Shelf if finder is PathFinder else finder for finder in sys.meta_path]
from daozhang.cli.main import main
main({arguments!r})
"""


def run(*arguments: str, missing: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Runs the command in a new interpreter, in which `missing` packages cannot be imported."""
    script = IN_A_HOUSE_WITHOUT.format(missing=missing, arguments=list(arguments))
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )


def test_version_is_said_without_importing_any_package() -> None:
    heavy = ("typer", "rich", "fastapi", "starlette", "sqlalchemy", "cryptography", "httpx2")
    said = run("--version", missing=heavy)
    assert said.stdout == f"daozhang {importlib.metadata.version('daozhang')}\n"
    assert (said.returncode, said.stderr) == (0, "")


def test_help_names_every_command_and_imports_none() -> None:
    said = run("--help", missing=("fastapi", "starlette", "sqlalchemy", "pydantic", "dbos"))
    assert said.returncode == 0, said.stderr
    for name in COMMANDS:
        assert f" {name} " in said.stdout


def test_help_has_no_colours_where_nobody_sees_them() -> None:
    assert "\x1b[" not in run("--help").stdout


@pytest.mark.parametrize("name", [*COMMANDS, "--help"])
def test_without_typer_one_sentence_says_what_to_install(name: str) -> None:
    said = run(name, missing=("typer",))
    assert said.returncode == 1
    assert said.stderr.count("\n") == 1
    assert "needs typer, which" in said.stderr
    extra = COMMANDS[name].extra if name in COMMANDS else "service,emulator"
    assert f"pip install 'daozhang[{extra}]'" in said.stderr


def test_an_unknown_command_is_a_wrong_command_line() -> None:
    said = run("srve")
    assert said.returncode == 2
    assert "srve" in said.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_that_is_named_is_there(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main([name, "--help"])
    assert not end.value.code
    assert f"daozhang {name}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "missing", "extra"),
    [
        ("serve", "fastapi", "service"),
        ("migrate", "sqlalchemy", "service"),
        ("emulator", "starlette", "emulator"),
        ("demo", "jinja2", "service,emulator"),
    ],
)
def test_an_extra_that_is_missing_is_named(name: str, missing: str, extra: str) -> None:
    said = run(name, "--help", missing=(missing,))
    assert said.returncode == 1
    assert said.stderr == (
        f"daozhang: `daozhang {name}` needs {missing}, which the library alone does without:"
        f" pip install 'daozhang[{extra}]'\n"
    )
