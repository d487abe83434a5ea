"""Visits: one request of a person, with all that a page needs to know of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

from daozhang.console.formats import Formats, zone_named
from daozhang.console.uploads import FORM_FIELDS_MAX, Upload
from daozhang.console.words import Translate, language_accepted, translator
from daozhang.service.merchants.model import Merchant
from daozhang.service.people.model import Language, Person, Right, Session
from daozhang.service.refusals import Refusal
from daozhang.service.web.context import Context

THEMES: Final = ("auto", "light", "dark")

THEME_COOKIE: Final = "daozhang_theme"
ZONE_COOKIE: Final = "daozhang_zone"
LANGUAGE_COOKIE: Final = "daozhang_language"
MERCHANT_COOKIE: Final = "daozhang_merchant"
"""Where the reader was last: only for the way in, never for what a page does."""


@dataclass(frozen=True)
class Visit:
    """One request. ``person`` and ``session`` are there on every page behind the sign-in."""

    request: Request
    context: Context
    form: Mapping[str, str]
    person: Person | None = None
    session: Session | None = None
    merchants: tuple[Merchant, ...] = ()
    chosen: Merchant | None = None
    room: str = ""
    stranger: str = ""
    standing: str = ""
    """How what is live stood before the page was read; see `console.live`."""
    messages: list[str] = field(default_factory=list[str])
    upload: Upload | None = None
    """The file that was sent with the form, on a page that takes one."""

    @property
    def who(self) -> Person:
        """The person, on a page that only somebody signed in can see."""
        assert self.person is not None, "this page is open to strangers"
        return self.person

    @property
    def own_session(self) -> Session:
        """The session, on a page that only somebody signed in can see."""
        assert self.session is not None, "this page is open to strangers"
        return self.session

    @property
    def merchant(self) -> Merchant:
        """The merchant that the address names, on a page that is about one."""
        assert self.chosen is not None, "this page is about no merchant"
        return self.chosen

    @property
    def base(self) -> str:
        """What stands before every address of the console."""
        return self.request.scope.get("root_path", "")

    @property
    def home(self) -> str:
        """What stands before the addresses of the chosen merchant's pages."""
        return f"{self.base}/m/{self.merchant.slug}"

    @property
    def address(self) -> str:
        """The address of this page, with its filters."""
        query = self.request.url.query
        return self.request.url.path + (f"?{query}" if query else "")

    @property
    def menu_merchant(self) -> Merchant | None:
        """Whose pages the menu leads to: the chosen one's, else those of the last one visited."""
        if self.chosen is not None:
            return self.chosen
        last = self.request.cookies.get(MERCHANT_COOKIE, "")
        named = (one for one in self.merchants if one.slug == last)
        return next(named, next(iter(self.merchants), None))

    @property
    def csrf_secret(self) -> str:
        """What forms of this visit prove that they are ours with."""
        return self.session.csrf if self.session is not None else self.stranger

    @property
    def query(self) -> Mapping[str, str]:
        """The fields of the address, the last of each name."""
        return self.request.query_params

    @property
    def is_htmx(self) -> bool:
        """Whether a part of a page asks, not a person for a whole page."""
        return self.request.headers.get("hx-request") == "true"

    @cached_property
    def language(self) -> Language:
        """The person's own; before the sign-in what they chose here, or their browser asks for."""
        if self.person is not None:
            return self.person.language
        chosen = self.request.cookies.get(LANGUAGE_COOKIE, "")
        if chosen in tuple(Language):
            return Language(chosen)
        return language_accepted(self.request.headers.get("accept-language", ""))

    @cached_property
    def theme(self) -> str:
        """``auto``, ``light`` or ``dark``."""
        theme = self.request.cookies.get(THEME_COOKIE, "auto")
        return theme if theme in THEMES else "auto"

    @cached_property
    def formats(self) -> Formats:
        """How amounts and times look to this reader."""
        return Formats(self.language, zone_named(self.request.cookies.get(ZONE_COOKIE, "")))

    @cached_property
    def t(self) -> Translate:
        """The texts in this reader's language."""
        return translator(self.language)

    def says(self, refusal: Refusal) -> str:
        """The sentence of a refusal in this reader's language."""
        return refusal.detail_zh if self.language is Language.CHINESE else refusal.detail

    def may(self, right: Right) -> bool:
        """Whether to offer what needs ``right``. The action itself asks again."""
        return self.person is not None and self.person.may(right)


async def read_form(request: Request, bytes_max: int) -> Mapping[str, str]:
    """The fields of a form that was sent, the last of each name. Raises `HTTPException` 413 and 400."""
    if request.method != "POST":
        return {}
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > bytes_max:
            raise HTTPException(413)
    try:
        text = body.decode()
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=FORM_FIELDS_MAX))
    except ValueError:
        raise HTTPException(400) from None
