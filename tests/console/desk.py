"""Somebody at the console without a browser: signs in over HTTP, reads pages, sends their forms."""

from __future__ import annotations

import re
from html import unescape
from typing import Protocol

import httpx2

from people_here import PASSWORD

TOKEN = re.compile(r'name="(\w+)" value="([^"]+)"')


class HasApi(Protocol):
    """A world whose service is reached over HTTP."""

    @property
    def api(self) -> httpx2.Client: ...


class Visitor:
    """One person with a session of their own. Redirects are not followed: what a form did is read."""

    def __init__(self, world: HasApi, email: str) -> None:
        base = str(world.api.base_url).rstrip("/")
        self._http = httpx2.Client(base_url=base, timeout=60, trust_env=False, verify=False)
        form = self._token(self.get("/sign_in"))
        answer = self.send("/sign_in", form | {"email": email, "password": PASSWORD})
        assert answer.status_code == 303, answer.text

    def close(self) -> None:
        self._http.close()

    def get(self, path: str) -> httpx2.Response:
        return self._http.get(f"/console{path}")

    def send(self, path: str, fields: dict[str, str]) -> httpx2.Response:
        return self._http.post(f"/console{path}", data=fields)

    def post(self, path: str, **fields: str) -> httpx2.Response:
        """Sends a form with the token of this session."""
        return self.send(path, self._token(self.get("/devices")) | fields)

    def read(self, path: str) -> str:
        """The text of a page that is there."""
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return unescape(answer.text)

    @staticmethod
    def _token(page: httpx2.Response) -> dict[str, str]:
        found = TOKEN.search(page.text)
        assert found is not None, page.text
        return {found[1]: unescape(found[2])}
