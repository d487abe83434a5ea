"""Refusals: an answer that says no, with a stable code and a sentence. Not a crash.

Every refusal of the service is a subclass, defined in the domain that says it, with the HTTP
status it has at the edge. `docs/reference/errors.md` holds a paragraph for each code; a test sees
to that.
"""

from __future__ import annotations

from typing import ClassVar, Final

ANSWER_FIELDS: Final = frozenset(
    {"type", "code", "title", "status", "detail", "detail_zh", "instance"}
)
"""What each answer that says no has itself."""


class Refusal(Exception):
    """The base of every "no" that a caller can understand and act on.

    ``detail`` says what was wrong and what to do, in English; ``detail_zh`` the same in Chinese.
    ``fields`` are stable, machine-readable particulars that go into the answer beside them.
    """

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "Refused"

    def __init__(self, detail: str, detail_zh: str, **fields: object) -> None:
        assert not ANSWER_FIELDS & fields.keys(), "the answer has these itself: they would be lost"
        super().__init__(detail)
        self.detail = detail
        self.detail_zh = detail_zh
        self.fields = fields
