"""Pages for people: templates, the two languages, and the headers that keep scripts out.

No page holds a script or style of its own; both are files of this package, as the content
security policy demands.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response

from daozhang.clock import to_beijing_text

HERE: Final = Path(__file__).parent
POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def language_of(request: Request) -> str:
    """``zh`` or ``en``: what the address says, else what the browser prefers."""
    asked = request.query_params.get("lang")
    if asked in ("zh", "en"):
        return asked
    preferred = request.headers.get("accept-language", "").strip().lower()
    return "en" if preferred.startswith("en") else "zh"


def page(
    request: Request, template: str, status: int = 200, charset: str = "utf-8", **values: Any
) -> Response:
    """The page ``template`` in the reader's language."""
    language = language_of(request)

    def say(chinese: str, english: str) -> str:
        return chinese if language == "zh" else english

    template_values = {"say": say, "lang": language, "beijing": to_beijing_text, **values}
    html = _TEMPLATES.get_template(template).render(template_values)
    codec = "gb18030" if charset == "GBK" else charset
    return Response(html.encode(codec), status, HEADERS, media_type=f"text/html; charset={charset}")


def problem_page(request: Request, code: str, text: str) -> Response:
    """What a buyer sees of a bad request: a page in GBK with status 200, as at Alipay."""
    return page(request, "problem.html", charset="GBK", code=code, text=text)
