"""What a row of the trail hashes to, and how a search for a break ends. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from daozhang.service.audit.model import AuditEntry

GENESIS: Final = "0" * 64
"""What stands before the first row."""


class Break(StrEnum):
    """How a trail shows that it was meddled with."""

    CHANGED = "changed"  # a row's content is not what its hash covers
    UNLINKED = "unlinked"  # a row does not follow the one before it: taken out, put in, or moved
    CUT = "cut"  # the row that was noted down elsewhere is not there
    REWRITTEN = "rewritten"  # that row is there with another hash


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a look at the whole trail tells. ``broken`` names the break and ``at`` its row."""

    rows: int
    head: str
    broken: Break | None = None
    at: int | None = None


@dataclass(frozen=True, slots=True)
class Anchor:
    """A row's number and hash, noted down where whoever can change the database cannot."""

    sequence: int
    hash: str


def detail_text(detail: Mapping[str, Any]) -> str:
    """The one form in which a row's particulars are kept and hashed."""
    return json.dumps(detail, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def hash_of(entry: AuditEntry) -> str:
    """What a row hashes to: all of it but the hash, after the hash of the row before."""
    content = [
        entry.sequence,
        entry.at.isoformat(timespec="microseconds"),
        entry.actor.kind.value,
        entry.actor.reference,
        entry.actor.name,
        entry.action,
        entry.subject,
        entry.merchant_id,
        entry.address,
        detail_text(entry.detail),
    ]
    text = json.dumps(content, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(f"{entry.previous_hash}\n{text}".encode()).hexdigest()


def verdict_on(entries: Iterable[AuditEntry], anchor: Anchor | None = None) -> Verdict:
    """Follows the trail from its first row to the first break, or to its end."""
    rows, head = 0, GENESIS
    anchored = anchor is None
    for entry in entries:
        if entry.sequence != rows + 1 or entry.previous_hash != head:
            return Verdict(rows, head, Break.UNLINKED, entry.sequence)
        if hash_of(entry) != entry.hash:
            return Verdict(rows, head, Break.CHANGED, entry.sequence)
        rows, head = entry.sequence, entry.hash
        if anchor is not None and anchor.sequence == rows:
            anchored = True
            if anchor.hash != head:
                return Verdict(rows, head, Break.REWRITTEN, rows)
    if anchor is not None and not anchored:
        return Verdict(rows, head, Break.CUT, anchor.sequence)
    return Verdict(rows, head)
