"""Adding an Alipay app step by step. A draft rests sealed, so a reload or a closed lid loses nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from starlette.responses import RedirectResponse, Response

from daozhang.alipay.config import GATEWAY_URLS, Environment
from daozhang.console.confirming import grave
from daozhang.console.pages import page
from daozhang.console.rendering import respond
from daozhang.console.visits import Visit
from daozhang.service.keys import drafts
from daozhang.service.keys.model import Draft, DraftContent
from daozhang.service.merchants.clients import clients_of
from daozhang.service.merchants.model import Check
from daozhang.service.people.model import Right
from daozhang.service.refusals import Refusal

ROOM = "merchants/merchants"

STEPS: Final = ("app", "key", "alipay", "prove", "merchant")


@page(Right.MERCHANTS_WRITE, ROOM)
@grave
def begin(visit: Visit) -> Response:
    """A new draft."""
    draft = drafts.begin_draft(visit.context, visit.who)
    return RedirectResponse(f"{visit.base}/apps/drafts/{draft.id}", 303)


@page(Right.MERCHANTS_WRITE, ROOM)
def draft_page(visit: Visit) -> Response:
    """The draft, open at its first step that is not done, or at one that was chosen."""
    return _show(visit, _read(visit))


@page(Right.MERCHANTS_WRITE, ROOM)
@grave
def name_step(visit: Visit) -> Response:
    """Which app, and where."""
    form = visit.form
    return _step(
        visit,
        "app",
        lambda number: drafts.name_app(
            visit.context,
            visit.who,
            number,
            environment=form.get("environment", ""),
            app_id=form.get("app_id", "").strip(),
            name=form.get("name", "").strip(),
            gateway_url=form.get("gateway_url", "").strip() or None,
        ),
    )


@page(Right.MERCHANTS_WRITE, ROOM)
@grave
def make_step(visit: Visit) -> Response:
    """A key pair made here."""
    return _step(
        visit, "key", lambda number: drafts.make_key_pair(visit.context, visit.who, number)
    )


@page(Right.MERCHANTS_WRITE, ROOM)
@grave
def key_step(visit: Visit) -> Response:
    """The app's private key, pasted."""
    pasted = visit.form.get("private_key", "")
    return _step(
        visit,
        "key",
        lambda number: drafts.take_private_key(visit.context, visit.who, number, pasted),
    )


@page(Right.MERCHANTS_WRITE, ROOM)
@grave
def alipay_step(visit: Visit) -> Response:
    """Alipay's public key, pasted."""
    pasted = visit.form.get("alipay_public_key", "")
    return _step(
        visit,
        "alipay",
        lambda number: drafts.take_alipay_key(visit.context, visit.who, number, pasted),
    )


@page(Right.MERCHANTS_WRITE, ROOM)
@grave
def certificates_step(visit: Visit) -> Response:
    """The three certificates, pasted."""
    form = visit.form
    return _step(
        visit,
        "alipay",
        lambda number: drafts.take_certificates(
            visit.context,
            visit.who,
            number,
            app=form.get("app_cert", ""),
            alipay=form.get("alipay_cert", ""),
            root=form.get("alipay_root_cert", ""),
        ),
    )


@page(Right.MERCHANTS_WRITE, ROOM)
@grave
def prove_step(visit: Visit) -> Response:
    """Has Alipay asked, and shows what it said."""
    try:
        draft, check = drafts.prove_draft(
            visit.context, clients_of(visit.request), visit.who, _number(visit)
        )
    except Refusal as refusal:
        return _show(visit, _read(visit), "prove", refusal)
    return _show(visit, draft, check=check)


@page(Right.MERCHANTS_WRITE, ROOM)
@grave
def finish_step(visit: Visit) -> Response:
    """The app and its first merchant; their page asks for the rest."""
    form = visit.form
    try:
        merchant = drafts.finish_draft(
            visit.context,
            visit.who,
            _number(visit),
            slug=form.get("slug", "").strip(),
            name=form.get("name", "").strip(),
            seller_id=form.get("seller_id", "").strip(),
        )
    except Refusal as refusal:
        return _show(visit, _read(visit), "merchant", refusal)
    return RedirectResponse(f"{visit.base}/merchants/{merchant.slug}?new=yes", 303)


@page(Right.MERCHANTS_WRITE, ROOM)
def drop(visit: Visit) -> Response:
    """Throws the draft away."""
    drafts.drop_draft(visit.context, visit.who, _number(visit))
    return RedirectResponse(f"{visit.base}/merchants", 303)


def _step(visit: Visit, step: str, take: Callable[[str], Draft]) -> Response:
    try:
        draft = take(_number(visit))
    except Refusal as refusal:
        return _show(visit, _read(visit), step, refusal)
    return RedirectResponse(f"{visit.base}/apps/drafts/{draft.id}", 303)


def _show(
    visit: Visit,
    draft: Draft,
    step: str | None = None,
    refusal: Refusal | None = None,
    check: Check | None = None,
) -> Response:
    done = _done(draft.content)
    first = next((one for one in STEPS if not done[one]), STEPS[-1])
    chosen = visit.query.get("step", "")
    can = chosen in STEPS and STEPS.index(chosen) <= STEPS.index(first)
    environments = visit.context.settings.environments
    return respond(
        visit,
        "merchants/draft.html",
        200 if refusal is None else refusal.status,
        draft=draft,
        content=draft.content,
        done=done,
        at=step or (chosen if can else first),
        error=None if refusal is None else visit.says(refusal),
        check=check,
        environments=environments,
        gateways={one: GATEWAY_URLS[Environment(one)] for one in environments},
        path=f"{visit.base}/apps/drafts/{draft.id}",
        public_url=visit.context.settings.public_url,
    )


def _done(content: DraftContent) -> Mapping[str, bool]:
    return {
        "app": bool(content.app_id),
        "key": content.private_key is not None,
        "alipay": content.alipay_public_key is not None or content.alipay_cert is not None,
        "prove": content.proved_at is not None,
        "merchant": False,
    }


def _read(visit: Visit) -> Draft:
    return drafts.read_draft(visit.context, visit.who, _number(visit))


def _number(visit: Visit) -> str:
    return str(visit.request.path_params["draft"])
