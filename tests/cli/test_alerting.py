"""`daozhang alerts`, as an operator runs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from daozhang.cli.main import build
from databases import database_url, run
from deployment import add_one_app, add_one_merchant, new_context
from receivers import Answer, receiver

runner = CliRunner()


@pytest.fixture
def deployed(tmp_path: Path) -> Path:
    """A migrated deployment with a merchant."""
    context = new_context(tmp_path)
    add_one_app(context)
    add_one_merchant(context)
    context.database.dispose()
    return tmp_path


def daozhang(directory: Path, *arguments: str, **settings: str) -> Result:
    variables = {
        "DAOZHANG_DATA_DIR": str(directory),
        "DAOZHANG_DATABASE_URL": database_url(directory),
        "COLUMNS": "200",
        **{f"DAOZHANG_{name.upper()}": value for name, value in settings.items()},
    }
    result = runner.invoke(build("alerts"), ["alerts", *arguments], env=variables)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_it_lists_what_is_wrong_now_with_what_to_do(deployed: Path) -> None:
    nothing = daozhang(deployed, "list")
    assert (nothing.exit_code, nothing.stdout) == (0, "Nothing is wrong. 一切正常.\n")
    context = new_context(deployed)
    run(
        context.database,
        "INSERT INTO surprises (merchant_id, out_trade_no, reason, detail, amount_minor, currency,"
        " owner, created_at) SELECT id, 'A-1', 'amount_differs', '', 1234, 'CNY', 'merchant',"
        " created_at FROM merchants",
    )
    context.database.dispose()
    (row,) = json.loads(daozhang(deployed, "list", "--json").stdout)
    assert row["key"] == "surprises_open"
    assert "12.34 CNY" in row["text"]
    assert row["todo_zh"]
    assert "surprises_open" in daozhang(deployed, "list").stdout


def test_a_test_goes_to_every_channel_and_says_which_took_it(deployed: Path) -> None:
    robot_says = Answer(body=b'{"errcode":0}')
    with receiver() as here:
        here.answer = lambda _got: robot_says
        settings = {
            "alerts_webhook_url": here.url,
            "alerts_robots_url": here.url.removesuffix("/hook"),
            "alerts_dingtalk_token": "a-token",
            "webhooks_allow_private": "true",
        }
        told = daozhang(deployed, "test", "--json", **settings)
        assert (told.exit_code, json.loads(told.stdout)) == (
            0,
            {"delivered": ["webhook", "dingtalk"]},
        )
        assert len(here.got) == 2
        assert "测试告警" in here.got[1].body.decode()
        robot_says = Answer(body=b'{"errcode":310000,"errmsg":"keywords not in content"}')
        failed = daozhang(deployed, "test", "--json", **settings)
    assert failed.exit_code == 1
    error: dict[str, Any] = json.loads(failed.stderr)["error"]
    assert error["code"] == "alerts_not_delivered"
    assert "dingtalk" in error["detail"]
    assert "keywords not in content" in error["detail"]
    assert "webhook:" not in error["detail"]
    assert "a-token" not in failed.output


def test_without_a_channel_nobody_would_hear(deployed: Path) -> None:
    told = daozhang(deployed, "test")
    assert told.exit_code == 1
    assert "No channel is set" in told.stderr
    assert "未配置任何告警渠道" in told.stderr
