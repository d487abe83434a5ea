"""Every text that the console's code and templates hold."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from jinja2.ext import extract_from_ast

from daozhang.console.rendering import TEMPLATES, environment

CONSOLE = TEMPLATES.parent
SAYING = {"t", "word"}


def texts() -> dict[str, str]:
    """Each text, and where it stands."""
    found: dict[str, str] = {}
    for path in sorted(TEMPLATES.rglob("*.html")):
        for line, text in _of_template(path):
            found.setdefault(text, f"{path.relative_to(CONSOLE)}:{line}")
    for path in sorted(CONSOLE.rglob("*.py")):
        for line, text in _of_module(path):
            found.setdefault(text, f"{path.relative_to(CONSOLE)}:{line}")
    return found


def _of_template(path: Path) -> Iterator[tuple[int, str]]:
    tree = environment().parse(path.read_text("utf-8"))
    for line, _, text in extract_from_ast(tree, gettext_functions=("t",)):
        said = text[0] if isinstance(text, tuple) else text
        if said is not None:  # else it is a variable, whose text is written elsewhere
            yield line, said


def _of_module(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and node.args and _name(node.func) in SAYING:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield node.lineno, first.value


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""
