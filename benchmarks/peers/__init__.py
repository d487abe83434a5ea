"""The other SDKs, each in a process of its own, in the environment that the tests use too."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.rounds import Contender, in_child

HERE = Path(__file__).parent
ENVIRONMENTS = HERE.parents[1] / "tests" / "peers" / "environments.py"


def node_peer(name: str, script: str, case: Mapping[str, object]) -> Contender:
    """``script`` under the official npm SDK."""
    return _peer("node", name, script, case)


def python_peer(name: str, peer: str, script: str, case: Mapping[str, object]) -> Contender:
    """``script`` under one of the Python SDKs: ``official`` or ``fzlee``."""
    return _peer(peer, name, script, case)


def peer_command(peer: str) -> list[str]:
    """What runs a script in the environment of a peer that only benchmarks use."""
    command = [sys.executable, str(ENVIRONMENTS), "--json", peer]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    return list(json.loads(answer.stdout)[peer]["command"])


def _peer(peer: str, name: str, script: str, case: Mapping[str, object]) -> Contender:
    found = _peers()[peer]
    environment = {**os.environ, **found["environment"]}
    return in_child(name, [*found["command"], HERE / script], case, environment)


@cache
def _peers() -> dict[str, Any]:
    """Where the peers are; made first where they are missing."""
    answer = subprocess.run(
        [sys.executable, str(ENVIRONMENTS), "--json"], check=True, capture_output=True, text=True
    )
    return json.loads(answer.stdout)
