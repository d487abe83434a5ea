"""The service's commands, as an operator or a script runs them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import deployment
from daozhang.cli.main import build
from daozhang.service.db import Database
from daozhang.service.migrations import differences

runner = CliRunner()


class Operator:
    """Runs ``daozhang`` in a data directory of its own."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.variables: dict[str, str] = {"DAOZHANG_DATA_DIR": str(data_dir), "COLUMNS": "200"}

    def run(self, *arguments: str, given: str | None = None) -> Result:
        result = runner.invoke(build(arguments[0]), arguments, input=given, env=self.variables)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def answer(self, *arguments: str, given: str | None = None) -> Any:
        result = self.run(*arguments, "--json", given=given)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def refusal(self, *arguments: str) -> dict[str, str]:
        result = self.run(*arguments, "--json")
        assert result.exit_code == 1
        return json.loads(result.stderr)["error"]

    def add_app(self, *more: str) -> Any:
        return self.answer(
            "app", "add", "--app-id", deployment.APP_ID, "--environment", "emulator",
            "--private-key-file", self.file("app.pem", deployment.APP_KEYS.private),
            "--alipay-public-key-file", self.file("alipay.pem", deployment.ALIPAY_KEYS.public),
            "--gateway-url", "http://127.0.0.1:1/gateway.do", *more,
        )  # fmt: skip

    def add_merchant(self, slug: str = "my-shop") -> Any:
        return self.answer(
            "merchant", "add", "--slug", slug, "--app", deployment.APP_ID,
            "--seller-id", deployment.SELLER_ID,
        )  # fmt: skip

    def file(self, name: str, text: str) -> str:
        path = self.data_dir.parent / name
        path.write_text(text)
        return str(path)


@pytest.fixture
def fresh(tmp_path: Path) -> Operator:
    return Operator(tmp_path / "data")


@pytest.fixture
def operator(fresh: Operator) -> Operator:
    assert fresh.answer("migrate") == {"migrated": True}
    return fresh


def test_migrate_makes_exactly_the_tables_of_the_code_and_can_be_repeated(
    operator: Operator,
) -> None:
    operator.answer("migrate")
    database = Database(f"sqlite:///{operator.data_dir / 'daozhang.sqlite3'}")
    assert differences(database) == []
    database.dispose()


def test_before_migrate_every_command_says_what_to_run(fresh: Operator) -> None:
    for command in (["app", "list"], ["merchant", "list"], ["apikey", "list"], ["keys", "reseal"]):
        refusal = fresh.refusal(*command)
        assert refusal["code"] == "not_migrated"
        assert "daozhang migrate" in refusal["detail"]
        assert "daozhang migrate" in refusal["detail_zh"]
    assert "daozhang migrate" in fresh.run("serve").stderr


def test_wrong_settings_are_all_named_and_nothing_runs(fresh: Operator) -> None:
    fresh.variables |= {"DAOZHANG_PORT": "x", "DAOZHANG_COLOUR": "blue"}
    refusal = fresh.refusal("migrate")
    assert refusal["code"] == "settings_invalid"
    assert "DAOZHANG_PORT" in refusal["detail"]
    assert "DAOZHANG_COLOUR" in refusal["detail"]
    assert not fresh.data_dir.exists()


def test_from_nothing_to_an_api_key(operator: Operator) -> None:
    app = operator.add_app("--name", "Shop")
    assert (app["app_id"], app["mode"], app["environment"]) == (
        deployment.APP_ID,
        "key",
        "emulator",
    )
    merchant = operator.add_merchant()
    assert merchant["notify_url"] == "http://127.0.0.1:8800/alipay/notify/my-shop"
    assert merchant["late_policy"] == "person"
    made = operator.answer("apikey", "create", "--merchant", "my-shop", "--name", "shop")
    assert made["api_key"].startswith(made["prefix"])
    assert made["scopes"] == ["events:read", "orders:read", "orders:write"]
    assert [row["app_id"] for row in operator.answer("app", "list")] == [deployment.APP_ID]
    assert [row["slug"] for row in operator.answer("merchant", "list")] == ["my-shop"]
    listed = operator.answer("apikey", "list")
    assert [row["merchants"] for row in listed] == [["my-shop"]]
    revoked = operator.answer("apikey", "revoke", made["prefix"])
    assert revoked["revoked_at"] is not None
    assert operator.refusal("apikey", "revoke", "dz_nobody")["code"] == "api_key_not_found"


def test_a_key_may_have_scopes_a_limit_and_several_merchants(operator: Operator) -> None:
    operator.add_app()
    operator.add_merchant("first")
    operator.add_merchant("second")
    made = operator.answer(
        "apikey", "create", "--name", "till", "--merchant", "first", "--merchant", "second",
        "--scope", "refunds:write", "--refund-limit", "100.00",
    )  # fmt: skip
    assert made["merchants"] == ["first", "second"]
    assert made["scopes"] == ["refunds:write"]
    assert made["refund_limit"] == "100.00"
    refusal = operator.refusal(
        "apikey", "create", "--name", "x", "--merchant", "first", "--refund-limit", "1e3"
    )
    assert refusal["code"] == "amount_invalid"


def test_people_get_tables_and_hints(operator: Operator) -> None:
    assert "daozhang app add" in operator.run("app", "list").stdout
    operator.add_app("--name", "到账商店")
    shown = operator.run("app", "list").stdout
    assert deployment.APP_ID in shown
    assert "到账商店" in shown


def test_a_script_that_forgets_a_flag_is_told_which(operator: Operator) -> None:
    result = operator.run("merchant", "add", "--slug", "x")
    assert result.exit_code == 2
    assert "--app" in result.stderr


def test_an_app_comes_from_the_emulators_own_words(operator: Operator) -> None:
    credentials = {
        "gateway_url": "http://127.0.0.1:8900/gateway.do",
        "v3_base_url": "http://127.0.0.1:8900",
        "app_id": deployment.APP_ID,
        "seller_id": deployment.SELLER_ID,
        "app_private_key_pkcs1": "",
        "app_private_key_pkcs8": deployment.APP_KEYS.private,
        "alipay_public_key": deployment.ALIPAY_KEYS.public,
        "encrypt_key": "QUJDREVGR0hJSktMTU5PUA==",
    }
    added = operator.answer("app", "add", "--from-emulator", "-", given=json.dumps(credentials))
    assert added["environment"] == "emulator"
    assert operator.run("app", "add", "--from-emulator", "-", given="{}").exit_code == 2


def test_a_check_that_reaches_nobody_fails_and_says_so(operator: Operator) -> None:
    operator.add_app()
    operator.add_merchant()
    for command in (["app", "check", deployment.APP_ID], ["merchant", "check", "my-shop"]):
        result = operator.run(*command, "--json")
        assert result.exit_code == 1
        assert json.loads(result.stdout)["result"] == "unknown"


def test_resealing_with_a_new_key(operator: Operator) -> None:
    operator.add_app()
    answer = operator.answer("keys", "reseal", "--new-key")
    assert answer["current_key_id"] == "k2"
    assert answer["resealed"]["apps.private_key_sealed"] == 1
    key_file = operator.data_dir / "sealing.keys"
    assert key_file.read_text().startswith("k2:")
    assert sum(operator.answer("keys", "reseal")["resealed"].values()) == 0


def test_no_command_shows_or_keeps_key_material(operator: Operator) -> None:
    operator.add_app()
    operator.add_merchant()
    made = operator.answer("apikey", "create", "--merchant", "my-shop", "--name", "shop")
    shown = "".join(
        result.output
        for command in (
            ["app", "list"],
            ["merchant", "list"],
            ["apikey", "list"],
            ["keys", "reseal"],
        )
        for result in (operator.run(*command), operator.run(*command, "--json"))
    ).encode()
    written = deployment.everything_written(operator.data_dir)
    secrets = [
        line.encode() for line in deployment.APP_KEYS.private.splitlines()[1:-1] if len(line) == 64
    ]
    secrets.append(made["api_key"][12:].encode())
    secrets.append((operator.data_dir / "sealing.keys").read_bytes().split(b":")[1].strip())
    for secret in secrets:
        assert secret not in shown
        assert secret not in written
