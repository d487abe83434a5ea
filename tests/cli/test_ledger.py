"""`daozhang ledger`: how an account is paid out, and what will come when."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from daozhang.cli.main import build
from daozhang.clock import SystemClock
from worlds import World, running


def ask(world: World, *arguments: str) -> Result:
    """A command on the database of ``world``, with a context of its own."""
    settings = world.service.context.settings
    return CliRunner().invoke(
        build("ledger"),
        ["ledger", *arguments],
        env={
            "DAOZHANG_DATA_DIR": str(settings.data_dir),
            "DAOZHANG_DATABASE_URL": settings.database_url,
            "DAOZHANG_ENVIRONMENTS": "emulator",
            "DAOZHANG_PUBLIC_URL": settings.public_url,
            "COLUMNS": "200",
        },
    )


def run(world: World, *arguments: str) -> dict[str, Any]:
    done = ask(world, *arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_an_account_is_paid_out_so_many_working_days_later(tmp_path: Path) -> None:
    with running(tmp_path) as world:
        before = run(world, "set", "shop")
        assert (before["payout"], before["payout_days"]) == ("at_once", 1)
        assert "没有待结算金额" in ask(world, "payouts", "shop").stdout
        changed = run(world, "set", "shop", "--payout", "later", "--days", "2")
        assert (changed["payout"], changed["payout_days"], changed["fee_ppm"]) == ("later", 2, 6000)
        assert run(world, "set", "shop", "--days", "3")["payout"] == "later"
        assert ask(world, "set", "shop", "--days", "0").exit_code == 2

        world.clock.set(SystemClock().now())  # the command goes by this machine's clock
        number = world.order("10.00")
        world.pay(number)
        world.settle()
        told = world.api.get("/v1/ledger/payouts").json()
        assert (told["unsettled"], told["payout_days"]) == ("10.00", 3)
        (line,) = told["unsettled_lines"]
        shown = ask(world, "payouts", "shop").stdout
        assert line["paid_on"] in shown
        assert "待结算 10.00" in shown
