"""Backup and restore, as an operator runs them, with a service at work beside them."""

from __future__ import annotations

import json
import shutil
import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import deployment
from daozhang.cli.main import build
from daozhang.service.db import Database
from daozhang.service.merchants.store import list_merchants
from databases import on_postgresql

pytestmark = pytest.mark.skipif(on_postgresql(), reason="what is copied is a file of SQLite")
runner = CliRunner()


class Keeper:
    """Runs ``daozhang`` on one data directory."""

    def __init__(self, data_dir: Path, **variables: str) -> None:
        self.data_dir = data_dir
        self.database = data_dir / "daozhang.sqlite3"
        self.variables = {"DAOZHANG_DATA_DIR": str(data_dir), "COLUMNS": "200", **variables}

    def run(self, *arguments: str) -> Result:
        result = runner.invoke(build(arguments[0]), arguments, env=self.variables)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def answer(self, *arguments: object) -> Any:
        result = self.run(*map(str, arguments), "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def refusal(self, *arguments: object) -> dict[str, str]:
        result = self.run(*map(str, arguments), "--json")
        assert result.exit_code == 1, result.output
        return json.loads(result.stderr)["error"]

    def merchants(self) -> list[str]:
        database = Database(f"sqlite:///{self.database}")
        with database.read() as tx:
            slugs = [merchant.slug for merchant in list_merchants(tx)]
        database.dispose()
        return slugs


@pytest.fixture
def keeper(tmp_path: Path) -> Keeper:
    keeper = Keeper(tmp_path / "data")
    keeper.answer("migrate")
    context = deployment.new_context(keeper.data_dir)
    deployment.add_one_app(context)
    deployment.add_one_merchant(context)
    context.database.dispose()
    return keeper


def test_a_backup_comes_back_on_another_machine(keeper: Keeper, tmp_path: Path) -> None:
    file = tmp_path / "monday.sqlite3"
    made = keeper.answer("backup", file)
    assert made["bytes"] == file.stat().st_size
    assert made["sealing_keys"] == str(keeper.data_dir / "sealing.keys")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    other = Keeper(tmp_path / "other")
    other.data_dir.mkdir()
    shutil.copy2(keeper.data_dir / "sealing.keys", other.data_dir)
    done = other.answer("restore", file)
    assert done["sealing_key_opens"] is True
    assert done["migrated"] is True
    assert done["set_aside"] is None
    assert other.merchants() == ["my-shop"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "monday.sqlite3", "other"]


def test_a_backup_is_one_moment_of_a_database_that_is_being_written(
    keeper: Keeper, tmp_path: Path
) -> None:
    stop, written = threading.Event(), threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(keeper.database, isolation_level=None, timeout=30)) as here:
            here.execute("CREATE TABLE pairs_a (n INTEGER)")
            here.execute("CREATE TABLE pairs_b (n INTEGER)")
            while not stop.is_set():
                here.execute("BEGIN IMMEDIATE")
                here.execute("INSERT INTO pairs_a VALUES (1)")
                here.execute("INSERT INTO pairs_b VALUES (1)")
                here.execute("COMMIT")
                written.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert written.wait(10)
        for number in range(5):
            keeper.answer("backup", tmp_path / f"{number}.sqlite3")
    finally:
        stop.set()
        writer.join()
    found: list[int] = []
    for number in range(5):
        with closing(sqlite3.connect(tmp_path / f"{number}.sqlite3")) as copy:
            a, b = (copy.execute(f"SELECT count(*) FROM pairs_{x}").fetchone()[0] for x in "ab")
        assert a == b
        found.append(a)
    assert found == sorted(set(found)), "the writer went on between the copies"


def test_nothing_is_written_over(keeper: Keeper, tmp_path: Path) -> None:
    file = tmp_path / "taken"
    file.write_text("mine")
    assert keeper.refusal("backup", file)["code"] == "backup_refused"
    assert file.read_text() == "mine"
    before = keeper.database.read_bytes()
    copy = tmp_path / "copy.sqlite3"
    keeper.answer("backup", copy)
    refused = keeper.refusal("restore", copy)
    assert refused["code"] == "restore_refused"
    assert "--replace" in refused["detail"]
    assert keeper.database.read_bytes() == before


def test_a_replaced_database_is_kept(keeper: Keeper, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite3"
    keeper.answer("backup", copy)
    context = deployment.new_context(keeper.data_dir)
    deployment.add_one_merchant(context, "later", seller_id="2088000000000002")
    context.database.dispose()
    done = keeper.answer("restore", copy, "--replace")
    assert keeper.merchants() == ["my-shop"]
    aside = Path(done["set_aside"])
    with closing(sqlite3.connect(aside)) as old:
        assert old.execute("SELECT count(*) FROM merchants").fetchone() == (2,)


def test_a_database_in_use_is_not_replaced(keeper: Keeper, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite3"
    keeper.answer("backup", copy)
    serving = Database(f"sqlite:///{keeper.database}")
    with serving.read() as tx:
        list_merchants(tx)
    # The connection rests in the pool now, in no transaction: the service is idle, not gone.
    assert "in use" in keeper.refusal("restore", copy, "--replace")["detail"]
    with serving.begin() as tx:
        assert len(list_merchants(tx)) == 1
    serving.dispose()
    assert keeper.answer("restore", copy, "--replace")["set_aside"] is not None


def test_other_sealing_keys_are_told(keeper: Keeper, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite3"
    keeper.answer("backup", copy)
    other = Keeper(tmp_path / "other")
    done = other.answer("restore", copy)
    assert done["sealing_key_opens"] is False
    assert done["unopened"] == ["apps.private_key_sealed"]
    assert "do not open" in Keeper(tmp_path / "third").run("restore", str(copy)).stdout


@pytest.mark.parametrize("damage", ["rubbish", "cut", "later"])
def test_a_copy_that_cannot_be_trusted_is_refused(
    keeper: Keeper, tmp_path: Path, damage: str
) -> None:
    copy = tmp_path / "copy.sqlite3"
    keeper.answer("backup", copy)
    if damage == "rubbish":
        copy.write_bytes(b"rubbish" * 1000)
    elif damage == "cut":
        copy.write_bytes(copy.read_bytes()[: copy.stat().st_size // 2])
    else:
        with closing(sqlite3.connect(copy, isolation_level=None)) as made:
            made.execute("UPDATE alembic_version SET version_num = '9999'")
    refused = keeper.refusal("restore", copy, "--replace")
    assert refused["code"] == "restore_refused"
    assert keeper.merchants() == ["my-shop"]
    assert [path.name for path in keeper.data_dir.glob(".daozhang*")] == []


def test_postgresql_is_told_how_and_never_the_password(tmp_path: Path) -> None:
    url = "postgresql://books:hunter2@db.example:5433/pay"
    keeper = Keeper(tmp_path / "data", DAOZHANG_DATABASE_URL=url)
    for command in ("backup", "restore"):
        refused = keeper.refusal(command, tmp_path / "my file.dump")
        assert "--host db.example --port 5433 --username books" in refused["detail"]
        assert f"'{tmp_path}/my file.dump'" in refused["detail"]
        assert "hunter2" not in json.dumps(refused)
