"""A buyer's browser, as much of it as the demo needs: pages, cookies, redirects, forms, links."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx2


@dataclass
class Form:
    """A form of a page: where it goes, and what it would send as it stands."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict[str, str])
    password_field: str | None = None


class Page(HTMLParser):
    """A page that was opened: its address, its forms, its links and its status."""

    def __init__(self, answer: httpx2.Response) -> None:
        super().__init__(convert_charrefs=True)
        self.url = str(answer.url)
        self.status = answer.status_code
        self.text = answer.text
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.ids: dict[str, dict[str, str]] = {}
        self._in_form = False
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes what the tag means for whoever reads or submits the page."""
        given = {name: value or "" for name, value in attrs}
        if "id" in given:
            self.ids[given["id"]] = given
        if tag == "form":
            action = urljoin(self.url, given.get("action", "") or self.url)
            self.forms.append(Form(action, given.get("method", "get").lower()))
            self._in_form = True
        elif tag == "a" and "href" in given:
            self.links.append(urljoin(self.url, given["href"]))
        elif tag == "meta" and given.get("http-equiv", "").lower() == "refresh":
            self.links.append(urljoin(self.url, given["content"].partition("url=")[2].strip("'\"")))
        elif tag in ("input", "button") and self._in_form and "disabled" not in given:
            self._take_field(tag, given)

    def handle_endtag(self, tag: str) -> None:
        """Notes where a form ends."""
        if tag == "form":
            self._in_form = False

    def _take_field(self, tag: str, given: dict[str, str]) -> None:
        form, name = self.forms[-1], given.get("name")
        kind = given.get("type", "submit" if tag == "button" else "text").lower()
        if name is None or (kind in ("radio", "checkbox") and "checked" not in given):
            return
        if kind == "password":
            form.password_field = name
        # Of several buttons a person presses one: the first.
        form.fields.setdefault(name, given.get("value", ""))


class Browser:
    """Keeps cookies and follows redirects, like the buyer's own."""

    def __init__(self) -> None:
        self._client = httpx2.Client(follow_redirects=True, timeout=15, trust_env=False)

    def open(self, url: str) -> Page:
        """The page that ``url`` leads to."""
        return Page(self._client.get(url))

    def submit(self, form: Form) -> Page:
        """The page that follows when ``form`` is sent."""
        if form.method == "post":
            return Page(self._client.post(form.action, data=form.fields))
        return Page(self._client.get(form.action, params=form.fields))

    def close(self) -> None:
        """Closes the browser's connections."""
        self._client.close()
