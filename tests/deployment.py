"""A small deployment for tests of the foundation: migrated SQLite, a manual clock, one merchant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from daozhang.clock import ManualClock
from daozhang.money import Money
from daozhang.service.auth.actions import create_api_key
from daozhang.service.auth.model import KeyMerchant, Scope
from daozhang.service.db import Database
from daozhang.service.merchants.actions import add_app, add_merchant
from daozhang.service.merchants.model import App, Merchant, NewApp, NewMerchant
from daozhang.service.migrations import upgrade
from daozhang.service.seal import open_sealer
from daozhang.service.settings import load_settings
from daozhang.service.signals import Signals
from daozhang.service.web.context import Context
from databases import database_url, everything_in

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
APP_ID = "2021000000000001"
SELLER_ID = "2088000000000001"


@dataclass(frozen=True)
class KeyPair:
    """An RSA pair of this run, as PEM text."""

    private: str
    public: str

    @classmethod
    def generate(cls) -> KeyPair:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return cls(private.decode(), public.decode())


APP_KEYS = KeyPair.generate()
ALIPAY_KEYS = KeyPair.generate()


def new_context(data_dir: Path, **chosen: object) -> Context:
    """A context over the migrated database of ``data_dir``; its clock stands still."""
    where = {"data_dir": data_dir, "database_url": database_url(data_dir)}
    settings = load_settings({}, clock="manual", **where, **chosen)
    context = Context(
        settings=settings,
        clock=ManualClock(START),
        database=Database(settings.database_url),
        sealer=open_sealer(None, settings.sealing_keys_file),
        signals=Signals(),
    )
    upgrade(context.database)
    return context


def clock_of(context: Context) -> ManualClock:
    assert isinstance(context.clock, ManualClock)
    return context.clock


def new_app(**changes: object) -> NewApp:
    """An emulator's app that is right, but for ``changes``."""
    values: dict[str, object] = {
        "app_id": APP_ID,
        "environment": "emulator",
        "private_key": APP_KEYS.private,
        "alipay_public_key": ALIPAY_KEYS.public,
        "gateway_url": "http://127.0.0.1:1/gateway.do",
        "v3_base_url": "http://127.0.0.1:1",
    }
    return NewApp(**(values | changes))  # pyright: ignore[reportArgumentType]


def add_one_app(context: Context, **changes: object) -> App:
    with context.database.begin() as tx:
        return add_app(tx, context, new_app(**changes))


def add_one_merchant(context: Context, slug: str = "my-shop", **changes: object) -> Merchant:
    values: dict[str, object] = {
        "slug": slug,
        "name": "",
        "app_id": APP_ID,
        "environment": "emulator",
        "seller_id": SELLER_ID,
    }
    new = NewMerchant(**(values | changes))  # pyright: ignore[reportArgumentType]
    with context.database.begin() as tx:
        return add_merchant(tx, context, new)


def make_key(
    context: Context,
    *merchants: Merchant,
    scopes: tuple[Scope, ...] = tuple(Scope),
    refund_limit: Money | None = None,
) -> str:
    """An API key for ``merchants``."""
    with context.database.begin() as tx:
        _, secret = create_api_key(
            tx,
            name="test",
            environment=merchants[0].environment,
            merchants=[KeyMerchant(one.id, one.slug) for one in merchants],
            scopes=scopes,
            refund_limit=refund_limit,
            now=context.clock.now(),
        )
    return secret


def everything_written(data_dir: Path, *, but: str = "sealing.keys") -> bytes:
    """Every byte that the deployment wrote, except the sealing keys themselves."""
    files = [path for path in data_dir.rglob("*") if path.is_file() and path.name != but]
    return b"".join(path.read_bytes() for path in files) + everything_in(data_dir)
