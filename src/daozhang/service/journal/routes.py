"""The journal over HTTP: the vouchers of a closed day or month, and the templates to begin with."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import PlainTextResponse, Response

from daozhang.service.auth.dependencies import caller_with
from daozhang.service.auth.model import Caller
from daozhang.service.journal.actions import export_journal
from daozhang.service.journal.model import TEMPLATE_CHARACTERS_MAX, JournalFile, Template
from daozhang.service.journal.reading import NAMES, read_template, template_of, text_of
from daozhang.service.merchants.store import find_merchant_by_id
from daozhang.service.web.context import context_of

router = APIRouter(prefix="/v1/journal", tags=["ledger"])

Reader = Annotated[Caller, Depends(caller_with("ledger:read"))]

_FILE: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The file, in the encoding of the template.",
        "content": {"text/csv": {"schema": {"type": "string", "format": "binary"}}},
    }
}
_TEXT: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "TOML.", "content": {"text/plain": {"schema": {"type": "string"}}}}
}


class TemplateOut(BaseModel):
    """A template that comes with the service."""

    object: str = "journal_template"
    name: str
    title: str
    encoding: str


class TemplateList(BaseModel):
    """All of them."""

    object: str = "list"
    environment: str
    data: list[TemplateOut]


class JournalIn(BaseModel):
    """Vouchers in a layout of the caller's own."""

    model_config = ConfigDict(extra="forbid")

    period: str = Field(max_length=10, description="A closed day 2026-03-01 or month 2026-03.")
    template: str = Field(max_length=TEMPLATE_CHARACTERS_MAX, description="TOML.")


@router.get("/templates", response_model=TemplateList, summary="The templates")
def get_templates(caller: Reader) -> TemplateList:
    """The layouts that come with the service."""
    found = [(name, template_of(name)) for name in NAMES]
    return TemplateList(
        environment=caller.environment,
        data=[
            TemplateOut(name=name, title=one.title, encoding=one.encoding.value)
            for name, one in found
        ],
    )


@router.get(
    "/templates/{name}",
    response_class=PlainTextResponse,
    responses=_TEXT,
    summary="A template, to be edited",
    dependencies=[Depends(caller_with("ledger:read"))],
)
def get_template(name: str) -> PlainTextResponse:
    """The text of a template, with what is known of its layout and what is not."""
    return PlainTextResponse(text_of(name))


@router.get("", response_class=Response, responses=_FILE, summary="Vouchers of a closed time")
def get_journal(
    request: Request,
    caller: Reader,
    period: Annotated[
        str, Query(max_length=10, description="A closed day 2026-03-01 or month 2026-03.")
    ],
    template: Annotated[str, Query(description="The name of a template.")] = "yonyou",
) -> Response:
    """What was posted as vouchers for a bookkeeping program, in one of the layouts that come with the
    service."""
    return _answer(request, caller, period, template_of(template))


@router.post(
    "", response_class=Response, responses=_FILE, summary="Vouchers in a layout of one's own"
)
def post_journal(request: Request, caller: Reader, body: JournalIn) -> Response:
    """The same in the layout that the body describes."""
    return _answer(request, caller, body.period, read_template(body.template))


def _answer(request: Request, caller: Caller, period: str, template: Template) -> Response:
    context = context_of(request)
    with context.database.read() as tx:
        merchant = find_merchant_by_id(tx, caller.merchant_id)
    return file_response(export_journal(context, caller.actor, merchant, period, template))


def file_response(file: JournalFile) -> Response:
    """A file as an answer that a browser saves."""
    return Response(
        file.content,
        media_type="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{file.name}"'},
    )
