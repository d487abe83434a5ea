"""The stage: a database server, orders that wait, and a signed notification for each of them.

Everything is made once per run, as templates; each turn of a contender begins with a fresh copy,
so that all meet tables of the same size and no notification twice.
"""

from __future__ import annotations

import base64
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote_plus

import sqlalchemy as sa
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from benchmarks.case import Case, make_case
from benchmarks.load import write_bodies
from daozhang.clock import to_beijing_text
from postgres import PostgresServer

ORDERS = 40_000
AMOUNT = "88.88"
SHOP = "shop"
NOTIFY_PATH = f"/alipay/notify/{SHOP}"


@dataclass
class Stage:
    """What a run has: where its files are, the keys, the numbers of the orders, the bodies."""

    directory: Path
    case: Case
    numbers: list[str]
    bodies: Path
    now: datetime
    server: PostgresServer | None
    _copies: int = 0
    _templates: dict[str, str] = field(default_factory=dict)

    @property
    def dialect(self) -> str:
        """``"postgresql"`` or ``"sqlite"``."""
        return "sqlite" if self.server is None else "postgresql"

    def template(self, name: str, fill: Callable[[str], None]) -> None:
        """Makes a template: ``fill`` gets its address."""
        self._templates[name] = url = self._new_database(name)
        fill(url)
        if self.server is None:
            self._run(url, ["PRAGMA wal_checkpoint(TRUNCATE)"])
        else:
            self._run(url, ["VACUUM ANALYZE"])

    def own(self, name: str) -> str:
        """The address of a template itself, for one that is used up."""
        return self._templates[name]

    @contextmanager
    def copy(self, name: str) -> Generator[str]:
        """The address of a fresh copy of a template, which is gone after the block."""
        self._copies += 1
        own = f"{name}_{self._copies}"
        if self.server is None:
            source = Path(self._templates[name].removeprefix("sqlite:///"))
            target = self.directory / own / source.name
            target.parent.mkdir()
            shutil.copy(source, target)
            yield f"sqlite:///{target}"
            shutil.rmtree(target.parent)
        else:
            url = self.server.create_database(own, name)
            # What copying wrote must be on the disk now, not during the contender's turn.
            self._run(url, ["CHECKPOINT"])
            yield url
            self.server.drop_database(own)

    def _new_database(self, name: str) -> str:
        if self.server is not None:
            return self.server.create_database(name)
        (self.directory / name).mkdir()
        return f"sqlite:///{self.directory / name}/shop.db"

    def _run(self, url: str, statements: Iterable[str]) -> None:
        run_sql(url, statements)


def run_sql(url: str, statements: Iterable[str]) -> None:
    """Runs statements, each for itself."""
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))
    engine.dispose()


def read_number(url: str, statement: str) -> int:
    """The one number that a query gives."""
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        number = connection.execute(sa.text(statement)).scalar_one()
    engine.dispose()
    return int(number)


@contextmanager
def set_up(dialect: str, orders: int = ORDERS) -> Generator[Stage]:
    """A stage on that database; PostgreSQL with fsync on."""
    directory = Path(tempfile.mkdtemp(prefix="daozhang-benchmark-"))
    server = None
    try:
        server = PostgresServer.create(fsync=True) if dialect == "postgresql" else None
        case, now = make_case(), datetime.now(UTC).replace(microsecond=0)
        numbers = [f"{now:%Y%m%d%H%M%S}{number:08d}" for number in range(orders)]
        with ThreadPoolExecutor(2) as pool:
            bodies = list(pool.map(lambda number: signed_body(case, number, now), numbers))
        write_bodies(directory / "bodies", bodies)
        yield Stage(directory, case, numbers, directory / "bodies", now, server)
    finally:
        if server is not None:
            server.remove()
        shutil.rmtree(directory, ignore_errors=True)


def signed_body(case: Case, number: str, now: datetime) -> bytes:
    """The notification that says that the order of that number is paid."""
    at = to_beijing_text(now)
    fields = {name: value for name, value in case.fields.items() if not name.startswith("sign")}
    fields |= {
        "gmt_create": at,
        "gmt_payment": at,
        "notify_time": at,
        "out_trade_no": number,
        "trade_no": f"2026{number}",
        "notify_id": f"{number}0222180135028001",
        "body": f"到账演示商店 · 订单 {number}",
    }
    canonical = "&".join(f"{name}={fields[name]}" for name in sorted(fields)).encode()
    signature = case.private_key.sign(canonical, padding.PKCS1v15(), hashes.SHA256())
    fields |= {"sign": base64.b64encode(signature).decode(), "sign_type": "RSA2"}
    return "&".join(f"{name}={quote_plus(value)}" for name, value in fields.items()).encode()


def expiry(now: datetime) -> datetime:
    """When the orders of a stage expire: not while it stands."""
    return now + timedelta(hours=4)


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ends a server that was started in a session of its own, and all its processes."""
    import os
    import signal

    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
