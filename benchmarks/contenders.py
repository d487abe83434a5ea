"""Who competes: daozhang, the bare prototype, and what a tutorial builds."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.bare import POSTGRESQL_TYPES, SQLITE_TYPES, TABLES
from benchmarks.case import FIELDS, Case
from benchmarks.contest import Server
from benchmarks.stage import AMOUNT, SHOP, Stage, expiry, run_sql
from daozhang.app import create_context
from daozhang.money import Money
from daozhang.service.bulk import insert_rows
from daozhang.service.jobs import Jobs
from daozhang.service.merchants.actions import add_app, add_merchant
from daozhang.service.merchants.model import Merchant, NewApp, NewMerchant
from daozhang.service.migrations import upgrade
from daozhang.service.orders.model import OrderStatus, Way
from daozhang.service.orders.store import orders
from daozhang.service.settings import load_settings
from grown import grow

OURS = "daozhang"
BARE = "bare prototype"
FLASK = "Flask + python-alipay-sdk + ORM"

HERE = Path(__file__).parent
ROWS_AT_ONCE = 1000


def contenders(stage: Stage) -> list[Server]:
    """All of them, for the stage's database."""
    workers = 1 if stage.dialect == "sqlite" else 2
    return [
        Server(
            OURS,
            fill_ours,
            lambda url, port: _ours(stage, url, port, workers),
            "SELECT count(*) FROM orders WHERE status = 'paid'",
            "SELECT count(*) FROM events WHERE type = 'order.paid'",
        ),
        Server(
            BARE,
            fill_plainly,
            lambda url, port: _bare(stage.case, url, port, workers),
            "SELECT count(*) FROM orders WHERE status = 'paid'",
            "SELECT count(*) FROM events",
        ),
        Server(
            FLASK,
            fill_plainly,
            lambda url, port: _flask(stage.case, url, port),
            "SELECT count(*) FROM orders WHERE status = 'paid'",
            "SELECT count(*) FROM events",
        ),
    ]


def our_environment(stage: Stage, url: str) -> dict[str, str]:
    """The settings of our service on the database at ``url``."""
    return {
        "DAOZHANG_DATA_DIR": str(stage.directory),
        "DAOZHANG_DATABASE_URL": url,
        "DAOZHANG_ENVIRONMENTS": "emulator",
        "DAOZHANG_PUBLIC_URL": "http://127.0.0.1:8800",
    }


def fill_ours(stage: Stage, url: str) -> None:
    """Our tables, one merchant, and the stage's orders, waiting."""
    fill_grown(stage, url, 0)


def fill_grown(stage: Stage, url: str, rows: int) -> None:
    """The same, after ``rows`` orders that are paid, with all that they left in the books."""
    context = create_context(load_settings(our_environment(stage, url)))
    upgrade(context.database)
    Jobs(context.database).prepare()
    with context.database.begin() as tx:
        add_app(tx, context, _app_of(stage.case))
        merchant = add_merchant(
            tx,
            context,
            NewMerchant(SHOP, "Shop", FIELDS["app_id"], "emulator", FIELDS["seller_id"]),
        )
    if rows:
        grow(context.database, rows)
    for first in range(0, len(stage.numbers), ROWS_AT_ONCE):
        numbers = stage.numbers[first : first + ROWS_AT_ONCE]
        with context.database.begin() as tx:
            insert_rows(tx, orders, [order_row(stage, merchant, number) for number in numbers])
    context.database.dispose()


def order_row(stage: Stage, merchant: Merchant, number: str) -> dict[str, Any]:
    """An order that waits to be paid, asked about long after the run."""
    return {
        "merchant_id": merchant.id,
        "environment": merchant.environment,
        "app_id": FIELDS["app_id"],
        "seller_id": merchant.seller_id,
        "out_trade_no": number,
        "way": Way.PAGE.value,
        "amount_minor": Money.parse(AMOUNT).minor,
        "currency": "CNY",
        "subject": FIELDS["subject"],
        "metadata": {},
        "status": OrderStatus.WAITING.value,
        "refunded_minor": 0,
        "reserved_minor": 0,
        "late": False,
        "attention": False,
        "close_confirmed": False,
        "absent_count": 0,
        "unclear_count": 0,
        "query_count": 0,
        "next_query_at": stage.now + timedelta(hours=3),
        "step_count": 0,
        "expires_at": expiry(stage.now),
        "created_at": stage.now,
        "updated_at": stage.now,
    }


def fill_plainly(stage: Stage, url: str) -> None:
    """The three tables of the bare prototype and of the tutorial's shop, and the same orders."""
    types = SQLITE_TYPES if stage.dialect == "sqlite" else POSTGRESQL_TYPES
    run_sql(url, [statement.format(**types) for statement in TABLES])
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(
            sa.text("INSERT INTO orders (out_trade_no, status, amount) VALUES (:n, 'waiting', :a)"),
            [{"n": number, "a": AMOUNT} for number in stage.numbers],
        )
    engine.dispose()


def _app_of(case: Case) -> NewApp:
    return NewApp(
        app_id=FIELDS["app_id"],
        environment="emulator",
        # The app's own key signs our requests, of which there are none here.
        private_key=_another_key(),
        alipay_public_key=case.public_spki,
        gateway_url="http://127.0.0.1:1/gateway.do",
        v3_base_url="http://127.0.0.1:1",
    )


@cache
def _another_key() -> str:
    from benchmarks.case import make_case

    return make_case().private_pkcs8


def _ours(stage: Stage, url: str, port: int, workers: int) -> tuple[list[str], Mapping[str, str]]:
    daozhang = str(Path(sys.executable).parent / "daozhang")
    command = [daozhang, "serve", "--port", str(port), "--workers", str(workers)]
    return command, our_environment(stage, url)


def _bare(case: Case, url: str, port: int, workers: int) -> tuple[list[str], Mapping[str, str]]:
    granian = str(Path(sys.executable).parent / "granian")
    command = [granian, "--interface", "asgi", "--factory", "--no-ws", "--port", str(port)]
    command += ["--workers", str(workers), "--log-level", "warning", "benchmarks.bare:create_app"]
    return command, {"BARE_DATABASE_URL": url, "BARE_PUBLIC_KEY": case.public_spki}


def _flask(case: Case, url: str, port: int) -> tuple[list[str], Mapping[str, str]]:
    command = [_flask_python(), "-m", "gunicorn", "--bind", f"127.0.0.1:{port}"]
    command += ["--workers", "2", "--threads", "8"]
    command += ["--chdir", str(HERE / "peers"), "--log-level", "warning", "flask_shop:app"]
    return command, {
        "FLASK_SHOP_DATABASE_URL": url,
        "FLASK_SHOP_PUBLIC_KEY": case.public_spki,
        "FLASK_SHOP_PRIVATE_KEY": case.private_pkcs1,
    }


@cache
def _flask_python() -> str:
    environments = HERE.parent / "tests" / "peers" / "environments.py"
    command = [sys.executable, str(environments), "--json", "flask"]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(answer.stdout)["flask"]["command"][0]
