"""The bare prototype: verifies, group-commits, and does nothing else. What the machine can give.

Served like ours (granian, the same number of processes), with as many connections that write as
ours has. A group is one statement and one commit: the notification, its order, its event. It
checks the signature and nothing besides, keeps nothing sealed, knows one merchant, one kind of
notification and no second chance. Nobody should take payments with it.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sqlite3
from binascii import a2b_qp
from collections.abc import Callable, Coroutine
from typing import Any

import psycopg
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

TABLES = (
    "CREATE TABLE notifications (notify_id {text} PRIMARY KEY, out_trade_no {text} NOT NULL,"
    " body {bytes} NOT NULL)",
    "CREATE TABLE orders (out_trade_no {text} PRIMARY KEY, status {text} NOT NULL,"
    " amount {text} NOT NULL, trade_no {text}, paid_at {text})",
    "CREATE TABLE events (id {id}, out_trade_no {text} NOT NULL, type {text} NOT NULL,"
    " data {text} NOT NULL)",
)
"""With the names of the types to be filled in."""

POSTGRESQL_TYPES = {
    "text": "text",
    "bytes": "bytea",
    "id": "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
}
SQLITE_TYPES = {"text": "TEXT", "bytes": "BLOB", "id": "INTEGER PRIMARY KEY"}

POSTGRESQL_GROUP = b"""
WITH arrived AS (
    SELECT * FROM unnest(%b::text[], %b::text[], %b::bytea[], %b::text[], %b::text[], %b::text[])
        AS arrived (notify_id, out_trade_no, body, trade_no, paid_at, amount)
), recorded AS (
    INSERT INTO notifications SELECT notify_id, out_trade_no, body FROM arrived
    ON CONFLICT DO NOTHING RETURNING out_trade_no
), paid AS (
    UPDATE orders SET status = 'paid', trade_no = arrived.trade_no, paid_at = arrived.paid_at
    FROM arrived JOIN recorded USING (out_trade_no)
    WHERE orders.out_trade_no = arrived.out_trade_no AND orders.amount = arrived.amount
        AND orders.status = 'waiting'
    RETURNING orders.out_trade_no, arrived.trade_no, arrived.amount
)
INSERT INTO events (out_trade_no, type, data)
SELECT out_trade_no, 'order.paid',
    '{"out_trade_no":"' || out_trade_no || '","trade_no":"' || trade_no
        || '","amount":"' || amount || '"}'
FROM paid
"""

Arrival = tuple[str, str, bytes, str, str, str]
"""notify_id, out_trade_no, body, trade_no, paid_at, amount."""

_PKCS1 = padding.PKCS1v15()
_SHA256 = hashes.SHA256()
_MARKS = bytes.maketrans(b"&=+%", b"\x00\x01 =")


def read(body: bytes, key: RSAPublicKey) -> Arrival:
    """One notification, verified; raises if it is not Alipay's."""
    fields = dict(pair.split(b"\x01", 1) for pair in a2b_qp(body.translate(_MARKS)).split(b"\x00"))
    signature = fields.pop(b"sign")
    del fields[b"sign_type"]
    canonical = b"&".join(
        b"%b=%b" % (name, fields[name]) for name in sorted(fields) if fields[name]
    )
    key.verify(base64.b64decode(signature), canonical, _PKCS1, _SHA256)
    return (
        fields[b"notify_id"].decode(),
        fields[b"out_trade_no"].decode(),
        body,
        fields[b"trade_no"].decode(),
        fields[b"gmt_payment"].decode(),
        fields[b"total_amount"].decode(),
    )


class Group:
    """Everybody who waits, written by whoever is free, in one statement and one commit."""

    def __init__(self, write: Callable[[list[Arrival]], Coroutine[Any, Any, None]]) -> None:
        """``write`` puts a group on the disk."""
        self._write = write
        self._waiting: list[tuple[Arrival, asyncio.Future[None]]] = []
        self._wake = asyncio.Event()

    async def record(self, arrival: Arrival) -> None:
        """Returns once it is on the disk."""
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((arrival, done))
        self._wake.set()
        await done

    async def run(self) -> None:
        """Writes for ever."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            group, self._waiting = self._waiting, []
            if not group:
                continue
            await self._write([arrival for arrival, _ in group])
            for _, done in group:
                done.set_result(None)


class Bare:
    """The ASGI application."""

    def __init__(self, database_url: str, public_key: str) -> None:
        """``public_key`` is bare base64, as Alipay shows it."""
        key = load_der_public_key(base64.b64decode(public_key))
        assert isinstance(key, RSAPublicKey)
        self._key = key
        self._url = database_url
        self._group: Group | None = None
        self._writers: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request, or the lifespan."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        assert self._group is not None
        await self._group.record(read(body, self._key))
        headers = [(b"content-type", b"text/plain"), (b"content-length", b"7")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"success"})

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        write = await (_sqlite(self._url) if "sqlite" in self._url else _postgresql(self._url))
        self._group = Group(write)
        self._writers.add(asyncio.create_task(self._group.run()))
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})


async def _postgresql(url: str) -> Callable[[list[Arrival]], Coroutine[Any, Any, None]]:
    address = url.replace("postgresql+psycopg://", "postgresql://")
    connection = await psycopg.AsyncConnection.connect(address, autocommit=True)
    cursor = connection.cursor()

    async def write(group: list[Arrival]) -> None:
        columns = [list(column) for column in zip(*sorted(group), strict=True)]
        await cursor.execute(POSTGRESQL_GROUP, columns, prepare=True)

    return write


async def _sqlite(url: str) -> Callable[[list[Arrival]], Coroutine[Any, Any, None]]:
    connection = sqlite3.connect(
        url.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")

    def write_now(group: list[Arrival]) -> None:
        run = connection.execute
        run("BEGIN IMMEDIATE")
        for notify_id, out_trade_no, body, trade_no, paid_at, amount in group:
            new = run(
                "INSERT INTO notifications VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (notify_id, out_trade_no, body),
            ).rowcount
            paid = (
                new
                and run(
                    "UPDATE orders SET status = 'paid', trade_no = ?, paid_at = ?"
                    " WHERE out_trade_no = ? AND amount = ? AND status = 'waiting'",
                    (trade_no, paid_at, out_trade_no, amount),
                ).rowcount
            )
            if paid:
                data = {"out_trade_no": out_trade_no, "trade_no": trade_no, "amount": amount}
                run(
                    "INSERT INTO events (out_trade_no, type, data) VALUES (?, 'order.paid', ?)",
                    (out_trade_no, json.dumps(data)),
                )
        run("COMMIT")

    async def write(group: list[Arrival]) -> None:
        await asyncio.to_thread(write_now, group)

    return write


def create_app() -> Bare:
    """The application that the environment describes."""
    return Bare(os.environ["BARE_DATABASE_URL"], os.environ["BARE_PUBLIC_KEY"])
