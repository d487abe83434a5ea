"""What ``make chaos`` found, as tables on the screen and in docs/reports/chaos.md.

``python tests/chaos_report.py FIGURES``: reads what `figures.note_figures` has written.
"""

from __future__ import annotations

import json
import platform
import sys
from collections import defaultdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

REPORT = Path(__file__).parents[1] / "docs/reports/chaos.md"

HEAD = """# Report: chaos

Written by `make chaos` from what its parts have noted; every row is a run that passed, and one that does not
pass ends it. Two cores, shared by everything. What each part does is in its test: [deaths](../../tests/journeys/test_deaths.py),
[named points](../../tests/journeys/test_named_deaths.py), [weather](../../tests/journeys/test_weather.py),
[receivers](../../tests/journeys/test_receivers_weather.py), [a month](../../tests/journeys/test_month.py),
[mismatches](../../tests/journeys/test_mismatches.py).
"""


def tables_of(lines: list[str]) -> dict[str, list[dict[str, Any]]]:
    """The rows of each table, in the order in which they came."""
    tables: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in lines:
        noted = json.loads(line)
        tables[noted["table"]].append(noted["row"])
    return tables


def written(tables: dict[str, list[dict[str, Any]]]) -> str:
    """The report."""
    versions = f"Python {platform.python_version()}, " + ", ".join(
        f"{name} {version(name)}" for name in ("sqlalchemy", "psycopg", "dbos", "granian")
    )
    parts = [HEAD, f"{versions}.\n"]
    for name, found in tables.items():
        rows = _beside_each_other(found) if all("died" in row for row in found) else found
        columns = list(dict.fromkeys(column for row in rows for column in row))
        parts.append(f"## {name[0].upper()}{name[1:]}\n")
        lines = [columns, ["---"] * len(columns)]
        lines += [[str(row.get(column, "")) for column in columns] for row in rows]
        parts.append("\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n")
    return "\n".join(parts)


def _beside_each_other(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row for each point, a column for each database."""
    points: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for row in rows:
        points[row["died"]][row["database"]] = f"lost {row['lost']}, double {row['double']}"
    return [{"died": point, **outcomes} for point, outcomes in points.items()]


def main(file: Path) -> None:
    """Prints the report and keeps it."""
    text = written(tables_of(file.read_text(encoding="utf-8").splitlines()))
    REPORT.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
