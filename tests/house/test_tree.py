"""The house keeps its own rules: names, lengths, versions, and what must never be committed."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
FILE_LINES_MAX: Final = 500
FUNCTION_LINES_MAX: Final = 70
NAMES_THAT_SAY_NOTHING: Final = {"utils", "util", "helpers", "helper", "common", "misc"}
CODE: Final = ("src", "tests", "benchmarks", "examples")


def tracked() -> list[Path]:
    """Every file that is committed or would be, or all of an unpacked source distribution."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        skipped = {".venv", "environments", "node_modules", "__pycache__"}
        return [path for path in ROOT.rglob("*") if path.is_file() and not skipped & {*path.parts}]
    names = [name for name in listed.stdout.split("\0") if name]
    return [ROOT / name for name in names if (ROOT / name).is_file()]


TRACKED: Final = tracked()
PYTHON: Final = [
    path for path in TRACKED if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in CODE
]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def texts() -> Iterator[tuple[str, str]]:
    """Every tracked file that is text, with its content."""
    for path in TRACKED:
        content = path.read_bytes()
        if b"\0" not in content:
            yield name(path), content.decode("utf-8", errors="replace")


def test_something_is_looked_at() -> None:
    """Else the other tests here would be true of nothing."""
    assert len(PYTHON) > 50
    assert ROOT / "pyproject.toml" in TRACKED


def test_no_module_has_a_name_that_says_nothing() -> None:
    idle = [name(path) for path in PYTHON if NAMES_THAT_SAY_NOTHING & {path.stem, *path.parts}]
    assert idle == []


def test_files_can_be_read_in_one_sitting() -> None:
    lengths = {name(path): len(path.read_text("utf-8").splitlines()) for path in PYTHON}
    assert {path: lines for path, lines in lengths.items() if lines > FILE_LINES_MAX} == {}


def test_functions_fit_in_one_look() -> None:
    long: dict[str, int] = {}
    written = [path for path in PYTHON if path.parent.name != "versions"]  # migrations are made
    for path in written:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION_LINES_MAX:
                    long[f"{name(path)}:{node.name}"] = lines
    assert long == {}


def test_every_package_says_what_it_owns() -> None:
    silent = [
        name(path)
        for path in PYTHON
        if path.name == "__init__.py"
        and path.is_relative_to(ROOT / "src")
        and not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]
    assert silent == []


# Written in pieces, so that this file does not contain what it looks for.
PRIVATE_KEYS = re.compile("-----BEGIN (?:[A-Z]+ )*PRIVATE " + "KEY-----\\s*[A-Za-z0-9+/=\\s]{100}")
BARE_PRIVATE_KEYS = re.compile(
    "(?<![A-Za-z0-9+/])MII" + "(?:E[o-qu-w]|C[U-X]|J[o-s])[A-Za-z0-9+/]{300}"
)
ADDRESSES_OF_INDEXES = [
    "pypi" + ".org/simple",
    "files.python" + "hosted.org",
    "registry.npm" + "js.org",
]


def test_no_private_key_is_committed() -> None:
    with_keys = [
        path
        for path, text in texts()
        if PRIVATE_KEYS.search(text) or BARE_PRIVATE_KEYS.search(text.replace("\\n", ""))
    ]
    assert with_keys == []


def test_the_search_for_keys_finds_one(tmp_path: Path) -> None:
    """A key made now, in both forms in which keys lie around, is found."""
    command = ["openssl", "genrsa", "-traditional", "2048"]
    made = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    bare = "".join(line for line in made.splitlines() if not line.startswith("-"))
    assert PRIVATE_KEYS.search(made)
    assert BARE_PRIVATE_KEYS.search(f'key = "{bare}"')


def test_locks_name_no_addresses_and_hash_everything() -> None:
    locks = sorted((ROOT / "requirements").glob("*.txt"))
    assert len(locks) >= 4
    for lock in locks:
        text = lock.read_text("utf-8")
        assert "://" not in text, f"{lock.name} names an address"
        assert "--index-url" not in text
        pinned = re.findall(r"^[a-z0-9][^ ]*==[^ ]+.*\\$\n    --hash=sha256:", text, re.MULTILINE)
        assert len(pinned) == len(re.findall(r"^[a-z0-9]", text, re.MULTILINE)) > 0
    node = (ROOT / "tests/peers/node/package-lock.json").read_text("utf-8")
    assert '"resolved"' not in node
    assert "://" not in node
    assert node.count('"integrity": "sha512-') == node.count('"node_modules/')


@pytest.mark.parametrize("address", ADDRESSES_OF_INDEXES)
def test_nothing_names_a_package_index(address: str) -> None:
    """Whoever builds this has an index of their own choice."""
    assert [path for path, text in texts() if address in text] == []


# Paths and words of the desks at which the project is written; they mean nothing to a reader.
TRACES = re.compile(
    "|".join(
        [
            "(?<![\\w./~-])/wo" + "rk/(?:main|shared|\\.)",
            "/tmp/" + "(?:brief|bash_jobs|h-)",
            "/opt/" + "(?:pypi|wheels)",
            "/root/" + "\\.",
            "\\bfarm" + "-[a-z]+\\b",
            "\\bsub" + "-?agents?\\b",
            "\\bCo-Authored" + "-By\\b",
            "\\bGenerated " + "(?:with|by) (?:an? )?(?:AI|LLM)\\b",
        ]
    ),
    re.IGNORECASE,
)


def test_no_file_tells_of_the_desk_at_which_it_was_written() -> None:
    traces = {path: found.group() for path, text in texts() if (found := TRACES.search(text))}
    assert traces == {}


def test_a_refusal_names_no_address_of_the_api() -> None:
    """The console says it too, to people who have no use for one; the reference of errors says where."""
    refusals = [path for path in PYTHON if path.name == "refusals.py"]
    assert refusals
    assert not [name(path) for path in refusals if "/v1/" in path.read_text("utf-8")]


def test_the_changelog_tells_of_this_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert re.search(rf"^## {re.escape(project['version'])}\b", changelog, re.MULTILINE)


def test_the_extras_that_the_command_names_exist() -> None:
    from daozhang.cli.main import COMMANDS, EXTRAS

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras: dict[str, list[str]] = project["optional-dependencies"]
    for extra, packages in EXTRAS.items():
        brought = {re.split(r"[\[>=<]", requirement)[0] for requirement in extras[extra]}
        assert set(packages) <= brought, extra
    assert {extra for command in COMMANDS.values() for extra in command.extra.split(",")} <= {
        *EXTRAS
    }


def test_decisions_follow_their_template() -> None:
    decisions = sorted((ROOT / "docs/decisions").glob("*.md"))
    numbers = [int(path.name[:4]) for path in decisions]
    assert numbers == list(range(1, len(numbers) + 1))
    for path in decisions:
        headings = re.findall(r"^## (.+)$", path.read_text("utf-8"), re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences", "Alternatives"], path.name
