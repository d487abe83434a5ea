"""Bills: a million lines against a million orders, from the zip to what differs.

A merchant's orders of one day lie in the books, their bill in a zip; one line in a thousand differs. Ours
keeps the file, reads it, holds its totals against it, matches both ways and writes down what differs, in
a process of its own, on each database. DuckDB does as much of it as it can with everything in files and
nothing decoded, pandas decoded. Rounds are interleaved; the figures are medians.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from benchmarks.peers import HERE as PEERS
from benchmarks.peers import peer_command
from benchmarks.rounds import print_table
from daozhang.clock import BEIJING
from daozhang.service.db import Database
from daozhang.service.merchants.store import apps, merchants
from postgres import PostgresServer

ROWS: Final = 1_000_000
GROWN: Final = 5_000_000
GROWN_ROUNDS: Final = 3
DAY: Final = date(2026, 6, 5)
SELLER: Final = "2088021109625633"
ODD_EVERY: Final = 1000
LIMITS: Final = {"postgresql": 2.5, "sqlite": 4.0}
GROWTH_MAX: Final = 5.5
PEAK_MB_MAX: Final = 120

_HEAD: Final = """#支付宝业务明细查询
#账号：[{seller}0156]
#起始日期：[2026年06月05日 00:00:00]   终止日期：[2026年06月06日 00:00:00]
#-----------------------------------------业务明细列表----------------------------------------
支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,商家实收（元）,\
支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,\
退款批次号/请求号,服务费（元）,分润（元）,备注
"""


def amount_of(number: int) -> int:
    """What an order is over, in fen."""
    return 100 + number % 99_999


def write_bill(path: Path, rows: int) -> None:
    """The bill of ``rows`` orders; every thousandth line is a fen off, or is another order's, in turn."""
    total = 0
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("bill.csv", "w", force_zip64=True) as out,
    ):
        out.write(_HEAD.format(seller=SELLER).encode("gb18030"))
        for part in _in_parts(_lines(rows)):
            out.write("".join(line for line, _ in part).encode("gb18030"))
            total += sum(minor for _, minor in part)
        foot = (
            f"#{'-' * 41}业务明细列表结束{'-' * 36}\n"
            f"#交易合计：{rows}笔，商家实收共{_yuan(total)}元，商家优惠共0.00元\n"
            "#退款合计：0笔，商家实收退款共0.00元，商家优惠退款共0.00元\n"
            "#导出时间：[2026年06月06日 05:46:49]\n"
        )
        out.write(foot.encode("gb18030"))


def _lines(rows: int) -> Iterator[tuple[str, int]]:
    midnight = datetime(2026, 6, 5)  # noqa: DTZ001 - as the bill writes it
    for number in range(rows):
        odd, turn = number % ODD_EVERY == ODD_EVERY - 1, number // ODD_EVERY % 2
        minor = amount_of(number) + (1 if odd and turn else 0)
        shop = "OTHER" if odd and not turn else "ORDER"
        amount, fee = _yuan(minor), _yuan((minor * 6000 + 500_000) // 1_000_000)
        at = midnight + timedelta(seconds=number * 86_000 // rows)
        yield (
            f"20260605220014199314{number:08d}\t,{shop}2026{number:012d}\t,交易\t,明前龙井茶叶礼盒装,{at},{at},"
            f"store_1\t,人民路旗舰店\t,\t,T-01\t,*小满(138****{number % 10_000:04d})\t,{amount},{amount},0.00,"
            f"0.00,0.00,0.00,0.00,,0.00\t,0.00,\t,-{fee},0.00,明前龙井茶叶礼盒装，送礼请包装\n",
            minor,
        )


def _yuan(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"


def _in_parts(lines: Iterable[tuple[str, int]]) -> Iterator[list[tuple[str, int]]]:
    part: list[tuple[str, int]] = []
    for line in lines:
        part.append(line)
        if len(part) == 5000:
            yield part
            part = []
    yield part


def write_orders(path: Path, rows: int) -> None:
    """The orders as a file, as somebody exports them who has no books."""
    with path.open("w") as out:
        out.write("out_trade_no,trade_no,amount_minor,receipt_minor,status\n")
        for number in range(rows):
            minor = amount_of(number)
            out.write(
                f"ORDER2026{number:012d},20260605220014199314{number:08d},{minor},{minor},paid\n"
            )


def fill(url: str, rows: int) -> None:
    """Lays a merchant and the orders of the day into the books."""
    # Here, since a pass, which is a process of this module, migrates nothing.
    from daozhang.service.migrations import upgrade

    database = Database(url)
    upgrade(database)
    at = datetime(2026, 6, 1, tzinfo=UTC)
    with database.begin() as tx:
        app = {"app_id": "a", "name": "Shop", "environment": "emulator", "private_key_sealed": b""}
        tx.execute(sa.insert(apps).values(id=1, created_at=at, **app))
        tx.execute(
            sa.insert(merchants).values(
                id=1, slug="shop", name="Shop", app_row=1, environment="emulator", seller_id=SELLER,
                late_policy="person", duplicate_policy="person", created_at=at,
            )
        )  # fmt: skip
    _insert_orders(database, rows)
    database.dispose()


def _insert_orders(database: Database, rows: int) -> None:
    on_postgresql = database.dialect == "postgresql"
    since = int(datetime(DAY.year, DAY.month, DAY.day, tzinfo=BEIJING).timestamp())
    minor = "(100 + n % 99999)"
    false, at, kept, trade, number = (
        (
            "false",
            f"to_timestamp({since} + n::bigint * 86000 / {rows})",
            f"jsonb_build_object('receipt', {minor}, 'buyer_logon_id', '138****0000')",
            "lpad(n::text, 8, '0')",
            "lpad(n::text, 12, '0')",
        )
        if on_postgresql
        else (
            "0",
            f"({since} + n * 86000 / {rows}) * 1000000",
            f"json_object('receipt', {minor}, 'buyer_logon_id', '138****0000')",
            "printf('%08d', n)",
            "printf('%012d', n)",
        )
    )
    nothing = "'{}'::jsonb" if on_postgresql else "'{}'"
    statement = f"""WITH RECURSIVE numbers(n) AS
        (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < {rows - 1})
        INSERT INTO orders (merchant_id, environment, app_id, seller_id, out_trade_no, way, amount_minor,
        currency, subject, metadata, status, refunded_minor, reserved_minor, late, attention,
        close_confirmed, absent_count, unclear_count, query_count, step_count, trade_no, paid_at, payment,
        expires_at, created_at, updated_at)
        SELECT 1, 'emulator', 'a', '{SELLER}', 'ORDER2026' || {number}, 'page', {minor}, 'CNY', 'Tea', {nothing},
        'paid', 0, 0, {false}, {false}, {false}, 0, 0, 0, 1, '20260605220014199314' || {trade}, {at}, {kept},
        {at}, {at}, {at} FROM numbers"""
    with database.begin() as tx:
        tx.connection.exec_driver_sql(statement.replace("%", "%%") if on_postgresql else statement)
    with database.engine.connect() as connection:
        own = connection.execution_options(isolation_level="AUTOCOMMIT")
        own.execute(sa.text("VACUUM ANALYZE" if on_postgresql else "ANALYZE"))
        if on_postgresql:
            own.execute(sa.text("CHECKPOINT"))


def run(rounds: int, rows: int = ROWS, grown: int = GROWN) -> bool:
    """Prints the table, and whether ours is as quick and as small as promised."""
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="daozhang-bills-")))
        server = PostgresServer.create(fsync=True)
        stack.callback(server.remove)
        small = _laid_out(place / "small", server, rows)
        figures = _interleaved(small, small, rounds, place)
        large = _laid_out(place / "large", server, grown)
        grew = _interleaved(large, (POSTGRESQL, SQLITE), min(rounds, GROWN_ROUNDS), place)
    return _told(figures, grew, rows, grown)


def _interleaved(
    commands: dict[str, list[str]], names: Iterable[str], rounds: int, place: Path
) -> dict[str, list[dict[str, Any]]]:
    """The figures of each contender named. What was laid out is on disk before anybody is timed."""
    os.sync()
    figures: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for _ in range(rounds):
        for name, found in figures.items():
            found.append(_timed(commands[name], place))
    return figures


POSTGRESQL: Final = "daozhang, PostgreSQL"
SQLITE: Final = "daozhang, SQLite"
DUCKDB: Final = "DuckDB, files, undecoded"
PANDAS: Final = "pandas, files"


def _laid_out(folder: Path, server: PostgresServer, rows: int) -> dict[str, list[str]]:
    """The files and the books of ``rows`` orders, and the command of each contender."""
    folder.mkdir()
    bill, csv = folder / "bill.zip", folder / "orders.csv"
    write_bill(bill, rows)
    write_orders(csv, rows)
    urls = {
        POSTGRESQL: server.create_database(f"bills_{folder.name}"),
        SQLITE: f"sqlite:///{folder / 'books.sqlite3'}",
    }
    for url in urls.values():
        fill(url, rows)
    own = [sys.executable, "-m", "benchmarks.bills"]
    frames = peer_command("frames")
    return {
        **{name: [*own, url, str(bill), str(folder)] for name, url in urls.items()},
        DUCKDB: [*frames, str(PEERS / "bills_duckdb.py"), str(bill), str(csv)],
        PANDAS: [*frames, str(PEERS / "bills_pandas.py"), str(bill), str(csv)],
    }


def _timed(command: list[str], place: Path) -> dict[str, Any]:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TMPDIR": str(place)},
    )
    if done.returncode != 0:
        raise SystemExit(f"{command} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def _told(
    figures: dict[str, list[dict[str, Any]]],
    grew: dict[str, list[dict[str, Any]]],
    rows: int,
    grown: int,
) -> bool:
    medians, peaks = _medians(figures), _peaks(figures)
    odd = rows // ODD_EVERY
    wanted = {"amount_differs": odd // 2, "missing_here": odd - odd // 2}
    wanted["missing_there"] = wanted["missing_here"]
    for name in (POSTGRESQL, SQLITE):
        found = figures[name][-1]["found"]
        assert found == [rows, rows - odd, wanted], f"{name} has found {found}"
    print_table(
        f"A bill of {rows:,} lines against {rows:,} orders, from the zip",
        ["who", "s", "of DuckDB's", "peak MB"],
        [
            [
                name,
                f"{medians[name]:.2f}",
                f"{medians[name] / medians[DUCKDB]:.2f}",
                f"{peaks[name]:.0f}",
            ]
            for name in figures
        ],
    )
    grown_medians, grown_peaks = _medians(grew), _peaks(grew)
    growth = {name: grown_medians[name] / medians[name] for name in grew}
    print_table(
        f"The same, {grown:,} lines",
        ["who", "s", "times as long", "peak MB"],
        [
            [name, f"{grown_medians[name]:.2f}", f"{growth[name]:.2f}", f"{grown_peaks[name]:.0f}"]
            for name in grew
        ],
    )
    missed = [
        f"{name}: {what}"
        for name, limit in ((POSTGRESQL, LIMITS["postgresql"]), (SQLITE, LIMITS["sqlite"]))
        for what, kept in (
            (f"at most {limit} x DuckDB", medians[name] <= limit * medians[DUCKDB]),
            (f"at most {PEAK_MB_MAX} MB", max(peaks[name], grown_peaks[name]) <= PEAK_MB_MAX),
            (f"at most {GROWTH_MAX} x as long", growth[name] <= GROWTH_MAX),
        )
        if not kept
    ]
    print(f"promise: {'missed: ' + '; '.join(missed) if missed else 'kept'}")
    return not missed


def _medians(figures: dict[str, list[dict[str, Any]]]) -> dict[str, float]:
    return {name: statistics.median(one["seconds"] for one in f) for name, f in figures.items()}


def _peaks(figures: dict[str, list[dict[str, Any]]]) -> dict[str, float]:
    return {name: max(one["peak_mb"] for one in f) for name, f in figures.items()}


# ---- one pass of ours, in a process of its own


def ours(url: str, bill: str, folder: str) -> None:
    """Keeps, reads, adds up, matches and writes; prints seconds, peak memory and what was found."""
    from daozhang.service.audit.model import SYSTEM
    from daozhang.service.bills import store as bills
    from daozhang.service.bills.keeping import keep_file, look_at, require_of
    from daozhang.service.bills.model import FileOrigin, StatementKind
    from daozhang.service.reconciliation import store
    from daozhang.service.reconciliation.actions import Reconciler

    context = _context(url, Path(folder))
    now = datetime(2026, 6, 6, 2, tzinfo=UTC)
    with context.database.begin() as tx:
        for table in (store.mismatches, store.runs, bills.parts, bills.files, bills.statements):
            tx.execute(sa.delete(table))
        statement_id = bills.insert_statement(
            tx,
            {
                "environment": "emulator",
                "seller_id": SELLER,
                "kind": "trade",
                "period": DAY.isoformat(),
                "status": "waiting",
                "created_at": now,
                "updated_at": now,
            },
        )
        assert statement_id is not None
        statement = bills.find_by_id(tx, statement_id)
    assert statement is not None
    before = peak_mb()
    started = time.perf_counter()
    looked = look_at(Path(bill), "bill.zip")
    require_of(looked, SELLER, StatementKind.TRADE, DAY.isoformat())
    keep_file(context, None, SYSTEM, statement, Path(bill), "bill.zip", FileOrigin.UPLOADED)
    Reconciler(context).run(statement_id)
    seconds = time.perf_counter() - started
    with context.database.read() as tx:
        run = store.last_run(tx, statement_id)
    assert run is not None
    peak = peak_mb()
    counts = {name: one["count"] for name, one in run.counts.items()}
    found = [run.line_count, run.matched_count, counts]
    print(json.dumps({"seconds": seconds, "peak_mb": peak, "before_mb": before, "found": found}))


def peak_mb() -> float:
    """The most memory that this process has had; what a parent had before is no part of it."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _context(url: str, folder: Path) -> Any:
    from daozhang.clock import SystemClock
    from daozhang.service.seal import open_sealer
    from daozhang.service.settings import load_settings
    from daozhang.service.signals import Signals
    from daozhang.service.web.context import Context

    settings = load_settings({}, data_dir=folder, database_url=url)
    return Context(
        settings=settings,
        clock=SystemClock(),
        database=Database(url),
        sealer=open_sealer(None, folder / "sealing.keys"),
        signals=Signals(),
    )


if __name__ == "__main__":
    ours(*sys.argv[1:])
