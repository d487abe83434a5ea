"""Start: the way in, and what each reader prefers."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from daozhang.console.pages import page
from daozhang.console.rendering import menu_of, respond
from daozhang.console.sessions import is_secure
from daozhang.console.visits import LANGUAGE_COOKIE, THEME_COOKIE, THEMES, Visit
from daozhang.service.people.actions import change_own_language
from daozhang.service.people.model import Language

COOKIE_SECONDS: Final = 365 * 24 * 3600


@page(None, "start")
def enter(visit: Visit) -> Response:
    """Leads to the first page that this person may see, of the merchant where they were last."""
    for lines in menu_of(visit):
        for line in lines:
            return RedirectResponse(line.address, 303)
    return respond(visit, "nowhere.html")


@page(None, "start")
def prefer(visit: Visit) -> Response:
    """Keeps a language or a theme."""
    response = RedirectResponse(own_path(visit.form.get("next", ""), visit.base), 303)
    if (language := visit.form.get("language", "")) in tuple(Language):
        keep(response, visit, LANGUAGE_COOKIE, language)
        change_own_language(visit.context, visit.who, Language(language))
    if (theme := visit.form.get("theme", "")) in THEMES:
        keep(response, visit, THEME_COOKIE, theme)
    return response


def keep(response: Response, visit: Visit, name: str, value: str) -> None:
    """Keeps what a reader prefers in the browser, for a year."""
    response.set_cookie(
        name,
        value,
        max_age=COOKIE_SECONDS,
        path=visit.base or "/",
        secure=is_secure(visit.context),
        httponly=True,
        samesite="lax",
    )


def own_path(text: str, base: str) -> str:
    """``text`` if it is an address of the console, else its start: nobody is led elsewhere."""
    parts = urlsplit(text)
    inside = text.startswith(f"{base}/") and not text.startswith("//") and "\\" not in text
    return text if inside and not parts.scheme and not parts.netloc else f"{base}/"


ROUTES: Final = [Route("/", enter), Route("/preferences", prefer, methods=["POST"])]
