"""Figures of the long tests, for the report that ``make chaos`` writes."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FILE_VARIABLE = "CHAOS_FIGURES"


def note_figures(table: str, row: Mapping[str, Any]) -> None:
    """Adds ``row`` to the table, one JSON object a line, if somebody collects figures."""
    name = os.environ.get(FILE_VARIABLE)
    if name:
        with Path(name).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"table": table, "row": dict(row)}, ensure_ascii=False) + "\n")
