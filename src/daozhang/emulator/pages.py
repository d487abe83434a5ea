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
UNFRAMED: Final = f"{POLICY}; frame-ancestors 'none'"
HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    # With "no-referrer" a browser says "Origin: null" when it sends a form, even to its own page's site, and
    # the wallet could not tell its own form from a stranger's.
    "Referrer-Policy": "same-origin",
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
    request: Request,
    template: str,
    status: int = 200,
    charset: str = "utf-8",
    *,
    framed: bool = False,
    **values: Any,
) -> Response:
    """The page ``template`` in the reader's language; ``framed``: a shop's page may embed it."""
    language = language_of(request)

    def say(chinese: str, english: str) -> str:
        return chinese if language == "zh" else english

    template_values = {"say": say, "lang": language, "beijing": to_beijing_text, **values}
    html = _TEMPLATES.get_template(template).render(template_values)
    codec = "gb18030" if charset == "GBK" else charset
    headers = {**HEADERS, "Content-Security-Policy": POLICY if framed else UNFRAMED}
    return Response(html.encode(codec), status, headers, media_type=f"text/html; charset={charset}")


def problem_page(request: Request, code: str, text: str) -> Response:
    """What a buyer sees of a bad request: a page in GBK with status 200, as at Alipay.

    It may be framed: what is wrong with a code in a shop's page is read where the code would be.
    """
    return page(request, "problem.html", charset="GBK", framed=True, code=code, text=text)


def expired_page() -> Response:
    """What stands at the address of a file once that has expired: a page, not a status (unverified)."""
    html = "<html><body>下载链接已失效，请重新获取</body></html>"
    return Response(html.encode("gb18030"), media_type="text/html; charset=GBK")
