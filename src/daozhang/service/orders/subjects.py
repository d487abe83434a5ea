"""What a person may type as a subject: what Alipay takes, and no more."""

from __future__ import annotations

from typing import ClassVar, Final

from daozhang.service.orders.views import SUBJECT_FORBIDDEN
from daozhang.service.refusals import Refusal

SUBJECT_CHARACTERS_MAX: Final = 256


class SubjectInvalid(Refusal):
    """Alipay does not take this subject."""

    code: ClassVar[str] = "subject_invalid"
    status: ClassVar[int] = 422
    title: ClassVar[str] = "Not a subject"

    def __init__(self) -> None:
        super().__init__(
            "A subject has 1 to 256 characters, on one line, without / = and &.",
            "商品名称须为 1 至 256 个字符，不能换行，不能包含 / = &。",
        )


def require_subject(text: str) -> str:
    """``text`` without blanks around it. Raises `SubjectInvalid`."""
    subject = text.strip()
    printable = all(ord(character) >= 32 for character in subject)
    fits = 0 < len(subject) <= SUBJECT_CHARACTERS_MAX
    if not (fits and printable) or SUBJECT_FORBIDDEN & set(subject):
        raise SubjectInvalid
    return subject
