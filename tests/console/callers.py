"""Somebody who is signed in, without a browser: pages are asked for, and forms sent, over HTTP."""

from __future__ import annotations

import re
from html import unescape
from types import TracebackType
from typing import Self

import httpx2

from daozhang.console.forgery import FIELD, mask
from daozhang.console.sessions import cookie_name
from daozhang.service.people.model import Person, SignInStep
from daozhang.service.people.sessions import begin_session
from worlds import World


class Caller:
    """One session of one person."""

    def __init__(self, world: World, person: Person) -> None:
        context = world.service.context
        with context.database.begin() as tx:
            signed_in = begin_session(
                tx,
                person,
                SignInStep.SIGNED_IN,
                address="127.0.0.1",
                agent="a test",
                now=context.clock.now(),
            )
        self.person = person
        self.session = signed_in.session
        self._base = f"{context.settings.public_url}/console"
        self._client = httpx2.Client(
            cookies={cookie_name(context): signed_in.token},
            headers={"sec-fetch-site": "same-origin", "referer": f"{self._base}/"},
            timeout=60,
            trust_env=False,
            verify=False,
        )

    def get(self, path: str, **headers: str) -> httpx2.Response:
        """A page, as it is answered: redirects are not followed."""
        return self._client.get(self._base + path, headers=headers)

    def post(self, path: str, **fields: str) -> httpx2.Response:
        """A form of this session's."""
        proven = {FIELD: mask(self.session.csrf), **fields}
        return self._client.post(self._base + path, data=proven)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()


def text_of(answer: httpx2.Response) -> str:
    """What a reader of the page reads, in one line."""
    plain = re.sub(r"<(script|style)\b.*?</\1>|<[^>]*>", " ", answer.text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(plain))
