"""How much a property test tries, where an example is a whole journey: more when nobody waits."""

from __future__ import annotations

import os

import databases


def examples(count: int) -> int:
    """``count`` on SQLite; half of them again on PostgreSQL, where the rules are the same ones; eight
    times as many in ``make chaos``."""
    if "CHAOS_FIGURES" in os.environ:
        return 8 * count
    return count // 2 if databases.on_postgresql() else count
