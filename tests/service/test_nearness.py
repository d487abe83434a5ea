"""What is for this machine alone is not for whoever comes through a proxy on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from signed_world import signed_world

CLAIMS = (
    {"X-Forwarded-For": "127.0.0.1"},
    {"X-Real-IP": "203.0.113.7"},
    {"Forwarded": "for=127.0.0.1"},
    {"Via": "1.1 proxy"},
)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: next(iter(claim)))
def test_the_clock_and_the_metrics_are_not_for_strangers_behind_a_proxy(
    tmp_path: Path, claim: dict[str, str]
) -> None:
    with signed_world(tmp_path) as world:
        push = {"advance_seconds": 1}
        refused = world.stranger.post("/_control/clock", json=push, headers=claim)
        assert (refused.status_code, refused.json()["code"]) == (403, "control_refused")
        assert world.stranger.get("/metrics", headers=claim).status_code == 403
        assert world.stranger.post("/_control/clock", json=push).status_code == 200
        assert world.stranger.get("/metrics").status_code == 200


def test_a_token_opens_both_through_a_proxy(tmp_path: Path) -> None:
    token = "t" * 16
    with signed_world(tmp_path, control_token=token, metrics_token=token) as world:
        own = {"Authorization": f"Bearer {token}", "X-Forwarded-For": "203.0.113.7"}
        push = {"advance_seconds": 1}
        assert world.stranger.post("/_control/clock", json=push, headers=own).status_code == 200
        assert world.stranger.get("/metrics", headers=own).status_code == 200
        assert world.stranger.post("/_control/clock", json=push).status_code == 403
