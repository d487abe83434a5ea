"""Sheets of transfers: tried first, then sent as they were tried, and followed.

What was tried travels in the page, sealed for whoever tried it: nothing of it is kept here before it
is asked for, and what is sent is what was looked at.
"""

from __future__ import annotations

import base64
import binascii
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from daozhang.console.forgery import FormOutdated
from daozhang.console.forms import NUMBER, new_number, number_sent, text_sent
from daozhang.console.pages import page
from daozhang.console.paging import ROWS, before_id
from daozhang.console.rendering import respond
from daozhang.console.transfers.routes import HERE
from daozhang.console.transfers.views import sheet_row, sheets_view, waits
from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.service.people.model import Language, Right
from daozhang.service.refusals import Refusal
from daozhang.service.seal import SealBroken
from daozhang.service.transfers.batch_routes import XLSX
from daozhang.service.transfers.batching import batch_as
from daozhang.service.transfers.by_people import (
    batch_for,
    limits_for,
    list_batches_for,
    try_sheet_as,
)
from daozhang.service.transfers.refusals import SheetInvalid
from daozhang.service.transfers.sheets import COLUMNS
from daozhang.service.transfers.templates import csv_template, workbook_template

SHEET_BYTES_MAX: Final = 512 * 1024
"""A sheet of as many rows as one may have, with the longest of texts in each."""

TITLE_CHARACTERS_MAX: Final = 128
TITLE_MISSING: Final = word("Say what the sheet is for: whoever approves it reads that first.")
FILE_MISSING: Final = word("Choose the sheet first.")


@page(Right.TRANSFERS_READ, HERE)
def list_page(visit: Visit) -> Response:
    """The sheets of a merchant, newest first."""
    found = list_batches_for(
        visit.context,
        visit.who,
        visit.merchant.id,
        before_id=before_id(visit.query),
        rows_max=ROWS + 1,
    )
    return respond(visit, "transfers/sheets.html", view=sheets_view(visit, found))


@page(Right.TRANSFERS_REQUEST, HERE)
def new_page(visit: Visit) -> Response:
    """The form by which a sheet is tried."""
    return _form(visit, {}, None, 200)


@page(Right.TRANSFERS_REQUEST, HERE, file_bytes_max=SHEET_BYTES_MAX)
def try_page(visit: Visit) -> Response:
    """What the sheet would do, and all that is wrong with it. Nothing is written."""
    title, errors = text_sent(visit, "title", TITLE_CHARACTERS_MAX), dict[str, str]()
    if not title:
        errors["title"] = visit.t(TITLE_MISSING)
    if visit.upload is None:
        errors["file"] = visit.t(FILE_MISSING)
    if errors or visit.upload is None:
        return _form(visit, errors, None, 422)
    content = visit.upload.file.read()
    try:
        trial = try_sheet_as(visit.context, visit.who, visit.merchant, content)
    except Refusal as refusal:
        return _form(visit, {}, visit.says(refusal), refusal.status)
    chinese = visit.language is Language.CHINESE
    problems = [
        (one.row, (COLUMNS[one.column] if chinese else one.column) if one.column else "", one)
        for one in trial.problems
    ]
    return respond(
        visit,
        "transfers/tried.html",
        422 if problems else 200,
        trial=trial,
        problems=problems,
        chinese=chinese,
        title=title,
        name=visit.upload.name,
        form_number=new_number(visit, "sheet"),
        number_field=NUMBER,
        sealed="" if problems else _sealed(visit, content),
    )


@page(Right.TRANSFERS_REQUEST, HERE, file_bytes_max=2 * SHEET_BYTES_MAX)
def send_page(visit: Visit) -> Response:
    """Sends all of a sheet that was tried, or has it wait for a second person."""
    number, title = number_sent(visit), text_sent(visit, "title", TITLE_CHARACTERS_MAX)
    content = _opened(visit)
    try:
        batch, _ = batch_as(visit.context, visit.who, visit.merchant, number, title, content)
    except SheetInvalid as refusal:
        # What was free when it was tried may be taken by now: it is tried again to see.
        return _form(visit, {}, visit.says(refusal), refusal.status)
    return RedirectResponse(f"{visit.home}/transfers/sheets/{batch.number}", 303)


@page(Right.TRANSFERS_READ, HERE)
def batch_page(visit: Visit) -> Response:
    """One sheet: how many of its transfers stand how."""
    number = str(visit.request.path_params["number"])[:64]
    batch, progress = batch_for(visit.context, visit.who, visit.merchant.id, number)
    approval = None
    if batch.approval_id is not None:
        approval = f"{visit.home}/approvals/{batch.approval_id}"
    return respond(
        visit,
        "transfers/sheet.html",
        row=sheet_row(visit, batch, progress),
        waits=waits(batch),
        approval=approval,
    )


@page(Right.TRANSFERS_REQUEST, HERE)
def template_page(visit: Visit) -> Response:
    """An empty sheet with all columns, and an example of each kind of payee: a workbook, or CSV."""
    form = visit.request.path_params["form"]
    headers = {"Content-Disposition": f'attachment; filename="transfers.{form}"'}
    if form == "xlsx":
        return Response(workbook_template(), media_type=XLSX, headers=headers)
    if form != "csv":
        raise HTTPException(404)
    encoding = "gbk" if visit.query.get("encoding") == "gbk" else "utf-8"
    media_type = f"text/csv; charset={encoding}"
    return Response(csv_template(encoding), media_type=media_type, headers=headers)


def _form(visit: Visit, errors: dict[str, str], refused: str | None, status: int) -> Response:
    return respond(
        visit,
        "transfers/sheet_new.html",
        status,
        errors=errors,
        refused=refused,
        title=visit.form.get("title", ""),
        set_up=limits_for(visit.context, visit.who, visit.merchant.id) is not None,
    )


def _sealed(visit: Visit, content: bytes) -> str:
    return base64.b64encode(visit.context.sealer.seal(content, _bound_to(visit))).decode()


def _opened(visit: Visit) -> bytes:
    try:
        sealed = base64.b64decode(visit.form.get("sealed", ""), validate=True)
        return visit.context.sealer.open(sealed, _bound_to(visit))
    except (binascii.Error, SealBroken):
        raise FormOutdated from None


def _bound_to(visit: Visit) -> str:
    return f"transfer_sheet:{visit.merchant.id}:{visit.who.id}"
