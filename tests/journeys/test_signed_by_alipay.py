"""A notification that Alipay itself signed, in 2019, pays the order that it names."""

from __future__ import annotations

import json
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import httpx2
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from daozhang.app import Service, create_context
from daozhang.clock import ManualClock
from daozhang.service.merchants.model import NewApp
from daozhang.service.migrations import upgrade
from daozhang.service.settings import load_settings
from databases import database_url
from ports import free_port
from worlds import Server, register

FILE = json.loads(
    (Path(__file__).parents[1] / "alipay/data/vectors.json").read_text(encoding="utf-8")
)
VECTOR: dict[str, Any] = next(v for v in FILE["vectors"] if v["id"] == "notify.v1.node.yuque")
PARAMS: dict[str, str] = VECTOR["params"]
BODY = "&".join(f"{name}={quote_plus(value)}" for name, value in PARAMS.items()).encode()
HEADERS = {"Content-Type": "application/x-www-form-urlencoded; text/html; charset=UTF-8"}


@pytest.fixture
def api(tmp_path: Path) -> Generator[httpx2.Client]:
    """The service as it would have run on that day in 2019."""
    port = free_port()
    settings = load_settings(
        {},
        data_dir=tmp_path,
        database_url=database_url(tmp_path),
        clock="manual",
        environments=("emulator",),
        public_url=f"http://127.0.0.1:{port}",
    )
    context = create_context(settings, ManualClock(datetime(2019, 8, 15, 7, 50, tzinfo=UTC)))
    upgrade(context.database)
    own = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    app = NewApp(
        app_id=PARAMS["app_id"],
        environment="emulator",
        private_key=own.decode(),
        alipay_public_key=VECTOR["public_key"],
        gateway_url=f"http://127.0.0.1:{free_port()}/gateway.do",
    )
    key = register(context, app, seller_id=PARAMS["seller_id"], slug="yuque")
    own = {"Authorization": f"Bearer {key}"}
    with (
        Server(Service(context).web(), port),
        httpx2.Client(
            base_url=settings.public_url, headers=own, trust_env=False, verify=False
        ) as client,
    ):
        yield client


def settled(api: httpx2.Client) -> dict[str, Any]:
    """The order, once everything that was due has run."""
    assert api.post("/_control/clock", json={"advance_seconds": 1}).status_code == 200
    return api.get(f"/v1/orders/{PARAMS['out_trade_no']}").json()


def create(api: httpx2.Client) -> None:
    created = api.post(
        "/v1/orders",
        json={
            "out_trade_no": PARAMS["out_trade_no"],
            "amount": PARAMS["total_amount"],
            "subject": PARAMS["subject"],
        },
    )
    assert created.status_code == 201, created.text


def test_it_pays_the_order_that_it_names(api: httpx2.Client) -> None:
    create(api)

    answer = api.post("/alipay/notify/yuque", content=BODY, headers=HEADERS)

    assert answer.content == b"success"
    order = settled(api)
    assert order["status"] == "paid"
    assert order["trade_no"] == PARAMS["trade_no"]
    assert order["paid_at"].startswith("2019-08-15T07:56:24")


def test_it_waits_for_its_order_and_pays_it_when_it_comes(api: httpx2.Client) -> None:
    assert api.post("/alipay/notify/yuque", content=BODY, headers=HEADERS).content == b"success"
    api.post("/_control/clock", json={"advance_seconds": 60})

    create(api)

    assert settled(api)["status"] == "paid"


def test_with_one_byte_changed_it_never_does(api: httpx2.Client) -> None:
    create(api)
    unsigned = BODY.index(b"sign_type=")
    for place in range(0, len(BODY), 5):
        if unsigned <= place < unsigned + len(b"sign_type=RSA2"):
            continue
        changed = bytearray(BODY)
        changed[place] ^= 1
        answer = api.post("/alipay/notify/yuque", content=bytes(changed), headers=HEADERS)
        assert answer.content != b"success", changed[place - 10 : place + 10]
        assert answer.status_code == 400

    assert settled(api)["status"] == "created"
