"""Books that have grown: many rows of things that are over, written in one go."""

from __future__ import annotations

import json
from datetime import datetime

import sqlalchemy as sa

from daozhang.service.db import Database
from daozhang.service.outbox.model import API_VERSION

_EPOCH_2026 = 1_772_000_000
"""In February 2026, in seconds."""

_NUMBERED = {
    "orders": "id",
    "inbox_notifications": "id",
    "order_steps": "id",
    "events": "number",
    "refunds": "id",
    "webhook_deliveries": "id",
    "webhook_attempts": "id",
}
"""The tables that grow, and the column that counts up in each."""

_PAID = json.dumps(
    {
        "order": {
            "out_trade_no": "G1",
            "trade_no": None,
            "status": "paid",
            "amount": "88.88",
            "currency": "CNY",
            "refunded_amount": "0.00",
            "cart_ref": None,
            "late": False,
            "attention": False,
            "paid_at": None,
            "closed_reason": None,
            "metadata": {},
        }
    }
)
"""What every event says: of one order, which is enough for counting."""


def grow(database: Database, rows: int, *, first: int = 1) -> None:
    """Adds ``rows`` orders that are paid, each with its notification, step, event, refund,
    delivery and attempt, numbered from ``first``. There is a merchant with row 1 already."""
    last = first + rows - 1
    postgresql = database.dialect == "postgresql"
    at = f"to_timestamp({_EPOCH_2026} + n)" if postgresql else f"({_EPOCH_2026} + n) * 1000000"
    true, false = ("true", "false") if postgresql else ("1", "0")
    empty = "'\\x00'::bytea" if postgresql else "x'00'"
    nothing, array = ("'{}'::jsonb", "'[]'::jsonb") if postgresql else ("'{}'", "'[]'")
    paid = f"'{_PAID}'{'::jsonb' if postgresql else ''}"
    seller = "SELECT seller_id FROM merchants WHERE id = 1"
    numbers = f"WITH RECURSIVE numbers(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM numbers WHERE n < {last})"
    statements = [
        f"""{numbers} INSERT INTO orders (id, merchant_id, environment, app_id, seller_id,
        out_trade_no, way, amount_minor, currency, subject, metadata, status, refunded_minor,
        reserved_minor, late, attention, close_confirmed, absent_count, unclear_count, query_count,
        step_count, expires_at, created_at, updated_at)
        SELECT n, 1, 'emulator', 'a', ({seller}), 'G' || n, 'page', 8888, 'CNY', 'Tea', {nothing}, 'paid', 0,
        0, {false}, {false}, {false}, 0, 0, 0, 1, {at}, {at}, {at} FROM numbers""",
        f"""{numbers} INSERT INTO inbox_notifications (id, merchant_id, notify_id, content_hash,
        out_trade_no, kind, status, fact, body_sealed, copies, attempts, received_at, applied_at)
        SELECT n, 1, 'N' || n, 'h', 'G' || n, 'trade_status_sync', 'applied', {nothing}, {empty}, 1,
        0, {at}, {at} FROM numbers""",
        f"""{numbers} INSERT INTO order_steps (id, order_id, sequence, at, cause, source_ref,
        status_before, status_after, events, fact)
        SELECT n, n, 1, {at}, 'notification', '', 'waiting', 'paid', {array}, {nothing} FROM numbers""",
        f"""{numbers} INSERT INTO events (number, id, merchant_id, environment, order_id, sequence,
        type, api_version, data, created_at)
        SELECT n, 'evt' || n, 1, 'emulator', n, 1, 'order.paid', '{API_VERSION}', {paid}, {at}
        FROM numbers""",
        f"""{numbers} INSERT INTO refunds (id, order_id, merchant_id, out_request_no, origin,
        status, amount_minor, currency, calling, call_count, ask_count, attempt, created_at,
        updated_at)
        SELECT n, n, 1, 'R', 'ours', 'succeeded', 1, 'CNY', {false}, 1, 0, 0, {at}, {at}
        FROM numbers""",
        *_posted(numbers, at, seller, true),
        f"""INSERT INTO webhook_endpoints (id, public_id, merchant_id, url, types, format, status,
        signing_key_sealed, after_number, created_at, updated_at)
        SELECT 1, 'we_1', 1, 'https://example.com', {array}, 'json', 'paused', {empty}, 0, {at}, {at}
        FROM (SELECT 1 AS n) AS one WHERE {true}""",
        f"""{numbers} INSERT INTO webhook_deliveries (id, public_id, endpoint_id, event_number,
        event_id, event_type, order_id, sequence, status, attempt_count, created_at)
        SELECT n, 'wd' || n, 1, n, 'evt' || n, 'order.paid', n, 1, 'delivered', 1, {at}
        FROM numbers""",
        f"""{numbers} INSERT INTO webhook_attempts (id, delivery_id, at, status_code, duration_ms)
        SELECT n, n, {at}, 200, 5 FROM numbers""",
        f"UPDATE webhook_fan_out SET event_number = {last}",
    ]
    if postgresql:  # what comes next is numbered after these; SQLite does so by itself
        statements += [
            f"SELECT setval(pg_get_serial_sequence('{table}', '{number}'), {last})"
            for table, number in _NUMBERED.items()
        ]
    with database.begin() as tx:
        for statement in statements:
            tx.execute(sa.text(statement))
    with database.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(sa.text("ANALYZE"))


def _posted(numbers: str, at: str, seller: str, true: str) -> list[str]:
    """What posts each payment and refund to the ledger, and says that nothing was booked before it."""
    book = f"SELECT id FROM ledger_books WHERE seller_id = ({seller})"
    posted = (
        ("payment", "available", "sales", 8888),
        ("refund", "refunds", "available", 1),
    )
    return [
        """INSERT INTO ledger_books (environment, seller_id, currency, payout, fee_ppm)
        SELECT 'emulator', seller_id, 'CNY', 'at_once', 6000 FROM merchants WHERE id = 1
        ON CONFLICT DO NOTHING""",
        *(
            f"""{numbers} INSERT INTO ledger_moves (book_id, kind, key, number, debit, credit,
            amount_minor, at, booked_on, order_id, merchant_id)
            SELECT ({book}), '{kind}', CAST(n AS TEXT), 0, '{debit}', '{credit}', {minor}, {at},
            '2026-02-25', n, 1 FROM numbers"""
            for kind, debit, credit, minor in posted
        ),
        *(
            f"""INSERT INTO ledger_backfill (round, position, starts_at, ended_at)
            SELECT {number}, 0, {at}, {at} FROM (SELECT 1 AS n) AS one WHERE {true}
            ON CONFLICT DO NOTHING"""
            for number in (1, 2)
        ),
    ]


_SECONDS_APART = 31
"""Between two orders of a million that are spread over a year."""


def spread_over_a_year(database: Database, rows: int, until: datetime) -> None:
    """Makes what `grow` has laid down look lived in: the first ``rows`` orders lie a while apart, the
    last at ``until``, are paid in many ways and stand in every state, and of one in twenty some money
    went back."""
    end = int(until.timestamp())
    apart = max(_SECONDS_APART * 1_000_000 // rows, 1)

    def at(number: str, later: int = 0) -> str:
        seconds = f"({end} - ({rows} - {number}) * {apart} + {later})"
        if database.dialect == "postgresql":
            return f"to_timestamp({seconds})"
        return f"{seconds} * 1000000"

    # Few of what is not over: it has an index of its own, and its sweeps have nothing to do here.
    status = """CASE WHEN id % 100000 = 5 THEN 'closing' WHEN id % 50000 = 6 THEN 'waiting'
        WHEN id % 50000 = 7 THEN 'created' WHEN id % 10 = 3 THEN 'closed'
        WHEN id % 200 = 8 THEN 'refunded' WHEN id % 25 = 9 THEN 'finished' ELSE 'paid' END"""
    way = """CASE WHEN id % 20000 = 0 THEN 'mini' WHEN id % 7 = 0 THEN 'app'
        WHEN id % 3 = 0 THEN 'wap' WHEN id % 5 = 0 THEN 'qr' ELSE 'page' END"""
    digits = (
        "lpad(id::text, 24, '0')" if database.dialect == "postgresql" else "printf('%024d', id)"
    )
    is_unpaid = "id % 100000 = 5 OR id % 50000 IN (6, 7) OR id % 10 = 3"
    statements = [
        f"""UPDATE orders SET created_at = {at("id")}, updated_at = {at("id", 45)}, way = {way},
        expires_at = {at("id", 7200)}, status = {status}, trade_no = '2026' || {digits},
        next_query_at = CASE WHEN id % 100000 = 5 OR id % 50000 IN (6, 7)
            THEN {at(str(rows), 86400 * 30)} END,
        paid_at = CASE WHEN {is_unpaid} THEN NULL ELSE {at("id", 40)} END WHERE id <= {rows}""",
        f"""UPDATE events SET created_at = {at("number", 42)}, type = CASE
        WHEN {is_unpaid.replace("id", "number")} THEN 'order.closed' ELSE 'order.paid' END
        WHERE number <= {rows}""",
        f"UPDATE order_steps SET at = {at('id', 42)} WHERE id <= {rows}",
        # As after the time for which raw bytes and their fact are kept.
        f"UPDATE inbox_notifications SET received_at = {at('id', 41)}, fact = NULL"
        f" WHERE id <= {rows}",
        f"DELETE FROM refunds WHERE id % 20 <> 0 AND id <= {rows}",
        f"UPDATE refunds SET created_at = {at('id', 3600)}, ended_at = {at('id', 3605)}"
        f" WHERE id <= {rows}",
    ]
    with database.begin() as tx:
        for statement in statements:
            tx.execute(sa.text(statement))
    with database.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(sa.text("ANALYZE"))
