"""Asking for a list of orders, writing it, and handing it out."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from daozhang.service.audit.actions import record
from daozhang.service.exports import store
from daozhang.service.exports.model import Export, ExportFormat, ExportStatus
from daozhang.service.exports.rules import KEPT_SECONDS, cells_of, headings, percent_done
from daozhang.service.exports.sheets import open_sheet
from daozhang.service.ids import new_id
from daozhang.service.jobs import Jobs
from daozhang.service.people.model import Person, Right
from daozhang.service.people.rights import require
from daozhang.service.refusals import Refusal
from daozhang.service.search.actions import find_orders
from daozhang.service.search.model import Found, Sought
from daozhang.service.search.rules import sought_from_json, sought_to_json
from daozhang.service.web.context import Context

EXPORT_JOB: Final = "export"
EXPORT_LANE: Final = "exports"
PART_BYTES: Final = 512 * 1024
READ_ROWS: Final = 1000
LISTED_MAX: Final = 50


class ExportNotFound(Refusal):
    """The merchant has no such export, or its file is not there."""

    code = "export_not_found"
    status = 404
    title = "No such export"

    def __init__(self) -> None:
        super().__init__(
            "There is no such file: it is not written yet, or was deleted when its time was over.",
            "没有该文件：尚未生成，或已到期删除。",
        )


def ask_export(
    context: Context,
    jobs: Jobs,
    actor: Person,
    merchant_id: int,
    sought: Sought,
    form: ExportFormat,
    words: Mapping[str, str],
) -> Export:
    """A new export of the orders that fit and exist now; it is written by a job."""
    require(actor, Right.ORDERS_EXPORT, merchant_id)
    now = context.clock.now()
    until = now + timedelta(microseconds=1)  # what exists at this very moment as well
    if sought.created_before is not None:
        until = min(until, sought.created_before)
    content = sought_to_json(replace(sought, created_before=until))
    with context.database.begin() as tx:
        export = store.insert_export(
            tx,
            {
                "public_id": new_id("exp", now),
                "merchant_id": merchant_id,
                "format": form.value,
                "status": ExportStatus.WAITING.value,
                "sought": content,
                "words": dict(words),
                "rows_done": 0,
                "percent": 0,
                "bytes_count": 0,
                "requested_by": str(actor.actor),
                "requested_name": actor.name,
                "created_at": now,
                "updated_at": now,
                "expires_at": now + timedelta(seconds=KEPT_SECONDS),
            },
        )
        subject = f"export:{export.public_id}"
        record(
            tx,
            actor.actor,
            "orders.exported",
            subject,
            now,
            merchant_id=merchant_id,
            format=form.value,
            narrowed_by=sorted(name for name, value in content.items() if value),
        )
        jobs.enqueue(tx, EXPORT_JOB, export.public_id, {"export_id": export.id}, lane=EXPORT_LANE)
    return export


def list_exports(context: Context, actor: Person, merchant_id: int) -> list[Export]:
    """The merchant's latest exports, newest first."""
    require(actor, Right.ORDERS_EXPORT, merchant_id)
    with context.database.read() as tx:
        return store.list_exports(tx, merchant_id, LISTED_MAX)


def open_export(
    context: Context, actor: Person, merchant_id: int, public_id: str
) -> tuple[Export, Iterator[bytes]]:
    """A file that is whole, piece by piece; that it was taken is in the trail."""
    require(actor, Right.ORDERS_EXPORT, merchant_id)
    now = context.clock.now()
    with context.database.begin() as tx:
        export = store.find_export(tx, merchant_id, public_id)
        if export is None or export.status is not ExportStatus.DONE or export.expires_at <= now:
            raise ExportNotFound
        subject = f"export:{export.public_id}"
        record(tx, actor.actor, "export.taken", subject, now, merchant_id=merchant_id)
    return export, _pieces(context, export.id)


def _pieces(context: Context, export_id: int) -> Iterator[bytes]:
    number = 0
    while True:
        # A transaction a piece: whoever takes it slowly keeps none open.
        with context.database.read() as tx:
            piece = store.read_part(tx, export_id, number)
        if piece is None:
            return
        yield piece
        number += 1


class Exports:
    """Writes exports. A job may die anywhere and be run again: it begins anew."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def run(self, export_id: int) -> None:
        """Writes the file of one export."""
        with self._context.database.begin() as tx:
            export = store.find_by_id(tx, export_id)
            if export is None or not export.is_open:
                return
            store.delete_parts(tx, export_id)
        self._note(export, status=ExportStatus.RUNNING.value)
        folder = self._context.settings.data_dir
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix="export-") as place:
            path = Path(place) / f"{export.public_id}.{export.format}"
            rows = self._write(export, path)
            self._keep(export, path, rows)

    def _write(self, export: Export, path: Path) -> int:
        words, rows, top = export.words, 0, 0
        with open_sheet(path, export.format, headings(words)) as sheet:
            for found in self._pages(export):
                for order in found.orders:
                    sheet.write(cells_of(order, words))
                rows += len(found.orders)
                if found.looked_to is not None:
                    top = max(top, found.looked_to)
                    percent = percent_done(top, 0, found.looked_to)
                    self._note(export, rows_done=rows, percent=percent)
        return rows

    def _pages(self, export: Export) -> Iterator[Found]:
        sought, before = sought_from_json(export.sought), None
        while True:
            with self._context.database.read() as tx:
                found = find_orders(
                    tx, export.merchant_id, sought, before_id=before, rows_max=READ_ROWS
                )
            yield found
            before = found.looked_to
            if before is None:
                return

    def _keep(self, export: Export, path: Path, rows: int) -> None:
        """Moves the file into the database, piece by piece."""
        with path.open("rb") as file:
            number = 0
            while piece := file.read(PART_BYTES):
                with self._context.database.begin() as tx:
                    store.put_part(tx, export.id, number, piece)
                number += 1
        self._note(
            export,
            status=ExportStatus.DONE.value,
            rows_done=rows,
            percent=100,
            bytes_count=path.stat().st_size,
            ended_at=self._context.clock.now(),
        )

    def _note(self, export: Export, **values: Any) -> None:
        with self._context.database.begin() as tx:
            now = self._context.clock.now()
            store.update_export(tx, export.id, updated_at=now, **values)
