"""``python -m daozhang.service.migrations "what it does"``: writes the next revision."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from daozhang.service.db import Database
from daozhang.service.migrations import make_revision, upgrade


def main(message: str) -> None:
    """Upgrades a fresh SQLite file to the newest revision and writes what is still missing."""
    with tempfile.TemporaryDirectory() as directory:
        database = Database(f"sqlite:///{Path(directory) / 'fresh.sqlite3'}")
        upgrade(database)
        make_revision(database, message)
        database.dispose()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit('Say what it does: python -m daozhang.service.migrations "what it does"')
    main(sys.argv[1])
