"""Staff: people who are signed in to the console and use it over HTTP, without a browser."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from itertools import count

import httpx2

from daozhang.console.forgery import FIELD, mask
from daozhang.console.sessions import cookie_name
from daozhang.service.people.actions import change_own_language
from daozhang.service.people.model import Language, Person, Role, SignInStep
from daozhang.service.people.sessions import begin_session
from daozhang.service.web.context import Context
from people_here import add_person

_numbers = count(1)


class Staff:
    """One person with one session, at the pages of the merchant ``shop``."""

    def __init__(
        self,
        context: Context,
        *roles: Role,
        language: str = "en",
        merchants: frozenset[int] | None = None,
    ) -> None:
        name = f"staff{next(_numbers)}"
        self.person: Person = add_person(context, name, *roles, merchants=merchants)
        change_own_language(context, self.person, Language(language))
        now = context.clock.now()
        with context.database.begin() as tx:
            signed_in = begin_session(
                tx, self.person, SignInStep.SIGNED_IN, address="test", agent="test", now=now
            )
        self._csrf = signed_in.session.csrf
        self.home = "/console/m/shop"
        self._client = httpx2.Client(
            base_url=context.settings.public_url,
            cookies={cookie_name(context): signed_in.token},
            trust_env=False,
            verify=False,
            timeout=60,
        )

    def get(self, path: str) -> httpx2.Response:
        """A page of the merchant's."""
        return self._client.get(self.home + path)

    def read(self, path: str) -> str:
        """The text of a page that must be there: without tags, one space between words."""
        answer = self.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return plain(answer.text)

    def post(self, path: str, fields: Mapping[str, str] | None = None) -> httpx2.Response:
        """Sends a form of the merchant's."""
        sent = {FIELD: mask(self._csrf), **(fields or {})}
        return self._client.post(self.home + path, data=sent)

    def send(
        self, path: str, name: str, content: bytes, fields: Mapping[str, str] | None = None
    ) -> httpx2.Response:
        """Sends a form of the merchant's with a file."""
        sent = {FIELD: mask(self._csrf), **(fields or {})}
        return self._client.post(self.home + path, data=sent, files={"file": (name, content)})

    def do(self, path: str, fields: Mapping[str, str] | None = None) -> str:
        """Sends a form that must be taken; where it leads."""
        answer = self.post(path, fields)
        assert answer.status_code == 303, plain(answer.text)
        return answer.headers["location"].removeprefix(self.home)

    def close(self) -> None:
        """Leaves."""
        self._client.close()


def plain(html: str) -> str:
    """What a page says, without tags, one space between words."""
    body = re.sub(r"<(script|style|svg)\b.*?</\1>", "", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def rows(html: str) -> list[str]:
    """The names of the rows of a list, from above."""
    return re.findall(r'data-row="([^"]+)"', html)


def hidden(html: str, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]+)"', html)
    assert found is not None, name
    return found[1]
