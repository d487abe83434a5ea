"""Rendering: Jinja with everything escaped, and nothing that is not there taken for empty."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from daozhang.console.assets import asset_path, icon_address
from daozhang.console.forgery import FIELD, mask
from daozhang.console.rooms import Line, menu
from daozhang.console.states import STATES
from daozhang.console.visits import Visit

TEMPLATES: Final = Path(__file__).parent / "templates"


@cache
def environment() -> Environment:
    """The one environment of all templates."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "sort_keys": False}
    return made


def render(visit: Visit, template: str, **values: Any) -> str:
    """``template`` as text, with ``values`` and with what every template has."""
    return environment().get_template(template).render(**_always(visit), **values)


def respond(visit: Visit, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """``template`` as an answer."""
    return HTMLResponse(render(visit, template, **values), status)


def _always(visit: Visit) -> Mapping[str, Any]:
    base, formats = visit.base, visit.formats
    secret = visit.csrf_secret

    def asset(name: str) -> str:
        return base + asset_path(name)

    def icon(name: str) -> Markup:
        return Markup('<svg class="icon" aria-hidden="true"><use href="{}"></use></svg>').format(
            base + icon_address(name)
        )

    def csrf() -> Markup:
        return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, mask(secret))

    def badge(state: str) -> Markup:
        look = STATES[state]
        return Markup('<span class="state state-{}">{}</span>').format(
            look.tone, visit.t(look.text)
        )

    return {
        "visit": visit,
        "t": visit.t,
        "base": base,
        "home": visit.home if visit.chosen is not None else base,
        "asset": asset,
        "icon": icon,
        "csrf": csrf,
        "csrf_token": lambda: mask(secret),
        "badge": badge,
        "money": formats.money,
        "amount": formats.amount,
        "number": formats.number,
        "time": formats.time,
        "day": formats.day,
        "menu": lambda: menu_of(visit),
        "waiting": partial(waiting, visit),
    }


def menu_of(visit: Visit) -> list[list[Line]]:
    """The menu as this visitor sees it."""
    merchant = visit.menu_merchant
    slug = None if merchant is None else merchant.slug
    return menu(visit.who.rights, visit.base, slug, visit.room)


def waiting(visit: Visit, line: Line) -> int:
    """How much waits for this visitor where a line of the menu leads."""
    merchant = visit.menu_merchant
    if line.link.count is None or merchant is None:
        return 0
    return line.link.count(visit.context, visit.who, merchant.id)
