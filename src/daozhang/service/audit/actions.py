"""Writing the trail, proving it whole, and handing it out."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

from daozhang.service.audit import store
from daozhang.service.audit.model import Actor, AuditEntry
from daozhang.service.audit.rules import Anchor, Verdict, detail_text, verdict_on
from daozhang.service.db import Database, Tx

SUBJECT_CHARACTERS_MAX: Final = 128
NAME_CHARACTERS_MAX: Final = 254

COLUMNS: Final = (
    "sequence",
    "at",
    "actor",
    "actor_name",
    "action",
    "subject",
    "merchant_id",
    "address",
    "detail",
    "previous_hash",
    "hash",
)
"""The columns of an export, in their order."""


def record(
    tx: Tx,
    actor: Actor,
    action: str,
    subject: str,
    now: datetime,
    *,
    merchant_id: int | None = None,
    address: str | None = None,
    **detail: str | int | bool | list[str] | None,
) -> None:
    """Writes down that ``actor`` did ``action`` to ``subject``, with the change itself or not at all.

    The row is written as the transaction's last work: the rows of all processes form one chain,
    and whoever writes the next one is waited for. Never secrets, nor a buyer's personal fields.
    """
    entry = AuditEntry(
        sequence=0,
        at=now,
        actor=Actor(
            actor.kind,
            _clean(actor.reference, 64),
            _clean(actor.name, NAME_CHARACTERS_MAX),
        ),
        action=action,
        subject=_clean(subject, SUBJECT_CHARACTERS_MAX),
        merchant_id=merchant_id,
        address=None if address is None else _clean(address, 64),
        detail={name: value for name, value in detail.items() if value is not None},
        previous_hash="",
        hash="",
    )

    def append() -> None:
        store.append(tx, entry)

    tx.before_commit(append)


def verify_chain(database: Database, anchor: Anchor | None = None) -> Verdict:
    """Reads the whole trail and follows its hashes.

    Whoever can rewrite the database can rewrite every hash too; an ``anchor`` that was noted down
    elsewhere shows even that.
    """
    with database.read() as tx:
        return verdict_on(store.all_entries(tx), anchor)


def as_jsonl(entries: Iterable[AuditEntry]) -> Iterator[str]:
    """The rows as JSON, one a line."""
    for entry in entries:
        row = dict(zip(COLUMNS, _values(entry), strict=True)) | {"detail": dict(entry.detail)}
        yield json.dumps(row, ensure_ascii=False) + "\n"


def as_csv(entries: Iterable[AuditEntry]) -> Iterator[str]:
    """The rows as CSV with a heading. What a spreadsheet would take for a formula leaves as text."""
    yield _csv_line(COLUMNS)
    for entry in entries:
        yield _csv_line([_cell(value) for value in _values(entry)])


def _values(entry: AuditEntry) -> list[Any]:
    return [
        entry.sequence,
        entry.at.isoformat(timespec="microseconds"),
        str(entry.actor),
        entry.actor.name,
        entry.action,
        entry.subject,
        entry.merchant_id,
        entry.address,
        detail_text(entry.detail),
        entry.previous_hash,
        entry.hash,
    ]


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _csv_line(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def _clean(text: str, characters_max: int) -> str:
    """``text`` as both databases keep it: PostgreSQL has no room for NUL."""
    return text.replace("\x00", "")[:characters_max]
