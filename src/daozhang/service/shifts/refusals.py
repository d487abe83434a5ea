"""Why a shift can be refused what is asked of it."""

from __future__ import annotations

from typing import ClassVar

from daozhang.service.refusals import Refusal
from daozhang.service.shifts.model import Shift


class ShiftNotOpen(Refusal):
    """Nothing is taken or given back at the till outside a shift."""

    code: ClassVar[str] = "shift_not_open"
    title: ClassVar[str] = "No shift is open"

    def __init__(self) -> None:
        super().__init__(
            "You have no open shift with this merchant. Open one first: payments at the till belong to "
            "a shift.",
            "您在该商户没有进行中的班次。请先开班：收银台的每笔收款都属于一个班次。",
        )


class ShiftOpenAlready(Refusal):
    """One person has one shift at a time with a merchant."""

    code: ClassVar[str] = "shift_open_already"
    title: ClassVar[str] = "A shift is open already"

    def __init__(self, shift: Shift) -> None:
        super().__init__(
            f"Your shift at {shift.store_id} / {shift.terminal_id} is still open. Hand it over first.",
            f"您在 {shift.store_id} / {shift.terminal_id} 的班次仍在进行中。请先交班。",
            shift=shift.public_id,
        )


class ShiftNotFound(Refusal):
    """No shift of that id, or one that is not for this person to see."""

    code: ClassVar[str] = "shift_not_found"
    status: ClassVar[int] = 404
    title: ClassVar[str] = "No such shift"

    def __init__(self, public_id: str) -> None:
        super().__init__(
            f"There is no shift {public_id!r} here that you may see.",
            f"没有您可查看的班次 {public_id!r}。",
        )


class ShiftPlaceInvalid(Refusal):
    """Store or terminal are not what Alipay takes."""

    code: ClassVar[str] = "shift_place_invalid"
    status: ClassVar[int] = 422
    title: ClassVar[str] = "Not a store or terminal"

    def __init__(self) -> None:
        super().__init__(
            "Store and terminal are 1 to 32 letters, digits, - or _ each: Alipay is told them with "
            "every payment.",
            "门店编号和终端编号须为 1 至 32 位字母、数字、- 或 _：每笔付款都会传给支付宝。",
        )


class ShiftNoteMissing(Refusal):
    """What was noted differs from the books, and nobody said why."""

    code: ClassVar[str] = "shift_note_missing"
    status: ClassVar[int] = 422
    title: ClassVar[str] = "A difference needs a note"

    def __init__(self) -> None:
        super().__init__(
            "What you noted differs from the books: write why, or what you know of it.",
            "您登记的金额与账面不一致：请填写原因或已知情况。",
        )


class ShiftNotTakeable(Refusal):
    """Who hands over does not take; and a shift is taken once, after it was handed over."""

    code: ClassVar[str] = "shift_not_takeable"
    title: ClassVar[str] = "This shift cannot be taken"

    def __init__(self, shift: Shift, *, is_own: bool) -> None:
        super().__init__(
            "Somebody else has to take your shift."
            if is_own
            else f"The shift is {shift.status.value}: only one that was handed over is taken, once.",
            "您的班次须由他人接班。" if is_own else "只有已交班且尚未接班的班次可以接班。",
            shift=shift.public_id,
        )
