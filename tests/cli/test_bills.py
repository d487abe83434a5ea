"""`daozhang bills`: a day fetched without a server, a file given by hand, and what differs in words."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from daozhang.cli.main import build
from daozhang.clock import business_day
from daozhang.emulator.oddities import Oddity, OddityName
from worlds import World, running


def ask(world: World, *arguments: str) -> Result:
    """A command on the database of ``world``, with a context of its own."""
    settings = world.service.context.settings
    return CliRunner().invoke(
        build("bills"),
        ["bills", *arguments],
        env={
            "DAOZHANG_DATA_DIR": str(settings.data_dir),
            "DAOZHANG_DATABASE_URL": settings.database_url,
            "DAOZHANG_ENVIRONMENTS": "emulator",
            "DAOZHANG_PUBLIC_URL": settings.public_url,
            "COLUMNS": "200",
        },
    )


def run(world: World, *arguments: str) -> tuple[int, Any]:
    """A command with ``--json``: its exit code, and what it said."""
    done = ask(world, *arguments, "--json")
    return done.exit_code, json.loads(done.stdout or done.stderr)


def two_payments(world: World) -> tuple[date, str]:
    """A day that is over, and a payment that its bill has with a fen too much."""
    day = business_day(world.clock.now())
    numbers = [world.order("10.00") for _ in range(2)]
    for number in numbers:
        world.pay(number)
    world.settle()
    odd = Oddity(OddityName.AMOUNT_OFF, bill_type="trade", out_trade_no=numbers[0])
    world.emulator.desk.account.oddities.set(odd)
    world.advance(26 * 3600)
    return day, numbers[0]


def test_a_day_is_fetched_matched_and_told_in_words(tmp_path: Path) -> None:
    with running(tmp_path) as world:
        day, odd = two_payments(world)
        not_yet = ask(world, "show", str(day))
        assert "尚未对账" in not_yet.stdout
        code, rows = run(world, "fetch", str(day))
        assert (code, [(row["kind"], row["status"]) for row in rows]) == (
            0,
            [("trade", "ready"), ("signcustomer", "ready")],
        ), rows
        assert (rows[0]["lines"], rows[0]["matched"], rows[0]["differs"]) == (2, 1, 1)
        assert run(world, "fetch", str(day)) == (0, rows)  # what is here is not asked for again
        code, (difference,) = run(world, "show", str(day))
        assert difference["mismatch"] == "amount_differs"
        assert difference["say"].startswith(f"payment {odd}: the books have 10.00, the bill has ")
        assert run(world, "show") == (0, [])  # the machine's own days are others
        code, (row,) = run(world, "show", "--last", str(day))
        assert (row["day"], row["trade"], row["lines"], row["matched"], row["differs"]) == (
            str(day),
            "ready 已对账",
            2,
            1,
            1,
        )
        assert row["by_class"] == ["amount 金额不符 1 (0.01)"]
        code, refused = run(world, "fetch", "2099-01-01")
        assert (code, refused["error"]["code"]) == (1, "bill_not_over")
        assert ask(world, "show", "yesterday").exit_code == 2


def test_a_file_says_whose_it_is_and_is_matched_at_once(tmp_path: Path) -> None:
    with running(tmp_path / "one") as world:
        day, odd = two_payments(world)
        run(world, "fetch", str(day))
        bill = world.api.get(f"/v1/bills/trade/{day}").json()
        (file,) = bill["files"]
        path = tmp_path / "bill.zip"
        path.write_bytes(world.api.get(f"/v1/bills/files/{file['id']}/content").content)
        code, row = run(world, "import", str(path))
        assert code == 0
        assert (row["seller_id"], row["period"], row["sha256"], row["status"]) == (
            bill["seller_id"],
            str(day),
            file["sha256"],
            "ready",
        )
        said = ask(world, "import", str(path)).stdout
        assert f"{day} 的业务账单" in said
        assert odd in ask(world, "show", str(day)).stdout
        path.write_bytes(b"nothing of the kind")
        code, refused = run(world, "import", str(path))
        assert (code, refused["error"]["code"]) == (1, "bill_unreadable")
