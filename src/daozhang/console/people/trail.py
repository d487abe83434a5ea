"""The pages of the audit trail: read, proved whole, taken away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal, Self

from starlette.responses import Response, StreamingResponse

from daozhang.console.formats import day_end, day_start
from daozhang.console.pages import page
from daozhang.console.paging import ROWS, before_id, cut
from daozhang.console.people.deeds import DEEDS, SUBJECTS
from daozhang.console.rendering import respond
from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.service.audit.model import ActorKind, AuditEntry
from daozhang.service.audit.rules import Break, Verdict
from daozhang.service.people.model import Right
from daozhang.service.people.trail import export_trail, list_trail, verify_trail

ROOM = "people/trail"

KINDS: Final[Mapping[ActorKind, str]] = {
    ActorKind.PERSON: word("Person"),
    ActorKind.API_KEY: word("API key"),
    ActorKind.CLI: word("Command line"),
    ActorKind.SYSTEM: word("The service itself"),
}

BREAKS: Final[Mapping[Break, str]] = {
    Break.CHANGED: word("The content of a row was changed"),
    Break.UNLINKED: word("A row was taken out, put in, or moved"),
    Break.CUT: word("The newest rows are missing"),
    Break.REWRITTEN: word("The trail was rewritten"),
}


@dataclass(frozen=True, slots=True)
class Filters:
    """To what the trail is narrowed. What cannot be understood narrows nothing."""

    by: str = ""
    what: str = ""
    first: date | None = None
    last: date | None = None

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> Self:
        """The filters that an address or a form asks for."""
        what = fields.get("what", "")
        return cls(
            by=fields.get("by", "").strip()[:254],
            what=what if what in SUBJECTS else "",
            first=_day(fields.get("from", "")),
            last=_day(fields.get("to", "")),
        )

    @property
    def since(self) -> datetime | None:
        """When the first day begins, in Beijing."""
        return None if self.first is None else day_start(self.first)

    @property
    def until(self) -> datetime | None:
        """When the last day is over, in Beijing."""
        return None if self.last is None else day_end(self.last)

    @property
    def narrows(self) -> bool:
        """Whether there may be rows that are not shown."""
        return self != Filters()

    def query(self) -> dict[str, str]:
        """The filters as fields of an address."""
        return {
            "by": self.by,
            "what": self.what,
            "from": "" if self.first is None else self.first.isoformat(),
            "to": "" if self.last is None else self.last.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class TrailRow:
    """A row of the trail, in words. ``deed`` is ``None`` for one that has none yet."""

    id: int
    entry: AuditEntry
    kind: str
    deed: str | None
    merchant: str | None


@page(Right.AUDIT_READ, ROOM)
def trail_page(visit: Visit) -> Response:
    """Who did what, newest first."""
    return _show(visit, None)


@page(Right.AUDIT_READ, ROOM)
def verify(visit: Visit) -> Response:
    """Follows the hashes of the whole trail, now."""
    return _show(visit, verify_trail(visit.context, visit.who))


@page(Right.AUDIT_READ, ROOM)
def export(visit: Visit) -> Response:
    """The trail as a file, of the days that were asked for."""
    form: Literal["jsonl", "csv"] = "csv" if visit.form.get("form") == "csv" else "jsonl"
    filters = Filters.of(visit.form)
    lines = export_trail(visit.context, visit.who, form, since=filters.since, until=filters.until)
    kind = "text/csv" if form == "csv" else "application/x-ndjson"
    name = f"audit-{visit.context.clock.now():%Y%m%d-%H%M%S}.{form}"
    return StreamingResponse(
        lines,
        media_type=f"{kind}; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _show(visit: Visit, verdict: Verdict | None) -> Response:
    filters = Filters.of(visit.query)
    entries = list_trail(
        visit.context,
        visit.who,
        rows_max=ROWS + 1,
        before=before_id(visit.query),
        by=filters.by or None,
        action=f"{filters.what}." if filters.what else None,
        since=filters.since,
        until=filters.until,
    )
    path = f"{visit.base}/trail"
    rows = [_row(visit, entry) for entry in entries]
    shown, pages = cut(rows, path, {**filters.query(), "before": visit.query.get("before", "")})
    broken = None if verdict is None or verdict.broken is None else visit.t(BREAKS[verdict.broken])
    return respond(
        visit,
        "people/trail.html",
        path=path,
        filters=filters,
        subjects=[("", visit.t("Anything")), *((k, visit.t(v)) for k, v in SUBJECTS.items())],
        rows=shown,
        pages=pages,
        verdict=verdict,
        broken=broken,
        now=visit.context.clock.now(),
    )


def _row(visit: Visit, entry: AuditEntry) -> TrailRow:
    deed = DEEDS.get(entry.action)
    slugs = {one.id: one.name for one in visit.merchants}
    return TrailRow(
        id=entry.sequence,
        entry=entry,
        kind=visit.t(KINDS[entry.actor.kind]),
        deed=None if deed is None else visit.t(deed),
        merchant=None if entry.merchant_id is None else slugs.get(entry.merchant_id),
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
