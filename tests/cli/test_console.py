"""The commands about owners and the trail, as an operator runs them."""

from __future__ import annotations

import csv
import getpass
import io
import json
from pathlib import Path

import pytest

from cli.test_service import Operator
from daozhang.service.db import Database
from databases import run


@pytest.fixture
def fresh(tmp_path: Path) -> Operator:
    return Operator(tmp_path / "data")


def create(operator: Operator, email: str = "wang@example.com") -> dict[str, str]:
    return operator.answer("console", "create-owner", "--email", email, "--name", "王五")


def trail(operator: Operator) -> list[dict[str, str]]:
    result = operator.run("audit", "export")
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_the_first_command_of_all_can_make_an_owner(fresh: Operator) -> None:
    made = create(fresh)
    assert made["email"] == "wang@example.com"
    assert made["address"].startswith("http://127.0.0.1:8800/console/invitation/")
    assert made["console"] == "http://127.0.0.1:8800/console"
    refused = fresh.refusal(
        "console", "create-owner", "--email", "Wang@example.com", "--name", "王五"
    )
    assert refused["code"] == "person_exists"


def test_a_person_reads_what_to_do_in_both_languages(fresh: Operator) -> None:
    result = fresh.run("console", "create-owner", "--email", "w@example.com", "--name", "王五")
    assert "Open this address within an hour" in result.stdout
    assert "请在一小时内打开该链接设置密码" in result.stdout
    assert "/console/invitation/" in result.stdout


def test_a_password_is_asked_for_at_a_terminal_only(fresh: Operator) -> None:
    result = fresh.run(
        "console", "create-owner", "--email", "w@example.com", "--name", "w", "--password"
    )
    assert result.exit_code == 2
    assert "at a terminal only" in result.stderr


def test_who_is_locked_out_gets_another_address(fresh: Operator) -> None:
    first = create(fresh)["address"]
    second = fresh.answer("console", "recover-owner", "--email", "wang@example.com")["address"]
    assert second.startswith("http://127.0.0.1:8800/console/invitation/")
    assert second != first
    missing = fresh.refusal("console", "recover-owner", "--email", "li@example.com")
    assert missing["code"] == "person_not_found"
    assert first.rpartition("/")[2] not in json.dumps(trail(fresh))


def test_what_the_command_line_does_is_in_the_trail_under_the_users_name(fresh: Operator) -> None:
    create(fresh)
    fresh.add_app()
    fresh.add_merchant()
    key = fresh.answer("apikey", "create", "--merchant", "my-shop", "--name", "till")
    fresh.answer("merchant", "outgoing", "my-shop", "--stop", "--reason", "audit")
    set_to = fresh.answer("merchant", "second-person", "my-shop", "--per-order", "500.00")
    assert set_to == {"merchant": "my-shop", "per_order": "500.00", "per_day": None}
    assert fresh.answer("merchant", "second-person", "my-shop") == set_to
    never = fresh.answer("merchant", "second-person", "my-shop", "--never")
    assert never["per_order"] is None
    fresh.answer("apikey", "revoke", key["prefix"])
    fresh.answer("keys", "reseal")
    rows = trail(fresh)
    assert [row["action"] for row in rows] == [
        "person.invited",
        "app.added",
        "merchant.added",
        "apikey.created",
        "outgoing.stopped",
        "merchant.second_person_set",
        "merchant.second_person_set",
        "apikey.revoked",
        "keys.resealed",
        "audit.exported",
    ]
    assert {row["actor"] for row in rows} == {f"cli:{getpass.getuser()}"}
    assert key["api_key"] not in json.dumps(rows)
    table = fresh.run("audit", "export", "--format", "csv").stdout
    assert len(list(csv.DictReader(io.StringIO(table)))) == 11


def test_a_trail_that_was_meddled_with_is_told_and_ends_with_one(fresh: Operator) -> None:
    create(fresh)
    noted = fresh.answer("audit", "verify")
    assert (noted["whole"], noted["rows"]) == (True, 1)
    create(fresh, "li@example.com")
    assert fresh.answer("audit", "verify", "--anchor", noted["anchor"])["whole"]
    database = Database(f"sqlite:///{fresh.data_dir / 'daozhang.sqlite3'}")
    run(database, "UPDATE audit_entries SET actor_name = 'nobody' WHERE id = 2")
    database.dispose()
    told = fresh.run("audit", "verify")
    assert told.exit_code == 1
    assert "broken at row 2: changed" in told.stdout
    assert "审计记录在第 2 行被改动" in told.stdout
    assert fresh.run("audit", "verify", "--anchor", "2:short").exit_code == 2
