"""What a transfer is, and what can become of it (money.md §5, apis.md §6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from daozhang.money import Money
from daozhang.service.receipts.model import ReceiptStatus

TO_ACCOUNT: Final = "TRANS_ACCOUNT_NO_PWD"
TO_BANK_CARD: Final = "TRANS_BANKCARD_NO_PWD"
SCENE: Final = "DIRECT_TRANSFER"

NO_BALANCE_CODES: Final = frozenset(
    {
        "PAYER_BALANCE_NOT_ENOUGH",
        "BALANCE_IS_NOT_ENOUGH",
        "BALANCE_NOT_ENOUGH",
        "PAYMENT_MONEY_NOT_ENOUGH",
        "BALANCE_NOT_ENOUGH_FOR_CARD_FEE",
    }
)
"""What Alipay says where the merchant has too little money: the transfer waits for it."""

DAY_LIMIT_CODES: Final = frozenset({"EXCEED_LIMIT_DM_AMOUNT", "EXCEED_LIMIT_DM_MAX_AMOUNT"})
"""The limit of a day is used up: the transfer waits for the next one."""

MONTH_LIMIT_CODES: Final = frozenset({"EXCEED_LIMIT_MM_AMOUNT", "EXCEED_LIMIT_MM_MAX_AMOUNT"})
"""The limit of a month is used up: the transfer waits for the next one."""


class TransferStatus(StrEnum):
    """Where a transfer stands."""

    AWAITING_APPROVAL = "awaiting_approval"  # a second person decides; nothing was sent
    REQUESTED = "requested"  # committed here; no call has moved money
    UNKNOWN = "unknown"  # it may have happened: only a query decides
    DEALING = "dealing"  # Alipay has it, and a bank considers it
    SUCCEEDED = "succeeded"
    FAILED = "failed"  # it has not happened, and will not
    RETURNED = "returned"  # a bank sent it back; never sent again by itself


OPEN_STATUSES: Final = (
    TransferStatus.REQUESTED,
    TransferStatus.UNKNOWN,
    TransferStatus.DEALING,
)
"""Those of which money may still move."""


class Outcome(StrEnum):
    """What one call or question to Alipay has told us about a transfer."""

    SUCCEEDED = "succeeded"
    DEALING = "dealing"  # Alipay has it: a bank considers it
    RETURNED = "returned"  # REFUND: a bank sent it back
    REFUSED = "refused"  # FAIL or CLOSED: Alipay had it, and it has definitely failed
    REJECTED = "rejected"  # a definite no to this very call
    NO_BALANCE = "no_balance"  # a definite no for now: the merchant has too little money
    LIMIT = "limit"  # a definite no for now: the limit of the day or the month is used up
    UNKNOWN = "unknown"  # timeout, broken or unverifiable answer, "in process"
    ABSENT = "absent"  # asked late enough, and Alipay has no such transfer


NUMBER_CHARACTERS_MAX: Final = 64
"""Of the caller's own number of a transfer."""


class PayeeKind(StrEnum):
    """How a payee is named."""

    USER_ID = "user_id"
    OPEN_ID = "open_id"
    LOGON_ID = "logon_id"
    BANK_CARD = "bank_card"


NAMED_KINDS: Final = (PayeeKind.LOGON_ID, PayeeKind.BANK_CARD)
"""Those that need the payee's name, which Alipay checks."""


@dataclass(frozen=True, slots=True)
class Payee:
    """Who gets the money. Personal: it rests sealed, and is shown masked."""

    kind: PayeeKind
    identity: str = field(repr=False)
    name: str | None = field(default=None, repr=False)
    card_holder: str | None = None
    """Of a bank card: ``person`` or ``company``."""
    bank_name: str | None = None
    bank_branch: str | None = None
    bank_code: str | None = None


@dataclass(frozen=True, slots=True)
class Transfer:
    """Money that is sent. Unique by ``(environment, seller_id, out_biz_no)``.

    ``payee_shown`` is the payee as anybody may see it, masked. ``counted_at`` is when it was asked for
    or, if it took a second person, approved: by that a day's sums count it.
    """

    id: int
    merchant_id: int
    environment: str
    app_id: str
    seller_id: str
    out_biz_no: str
    status: TransferStatus
    amount: Money
    payee_kind: PayeeKind
    payee_shown: str
    payee_sealed: bytes = field(repr=False)
    product_code: str
    title: str
    counted_at: datetime
    created_at: datetime
    updated_at: datetime
    remark: str | None = None
    scene_name: str | None = None
    scene_reports: tuple[Mapping[str, str], ...] = ()
    batch_id: int | None = None
    batch_row: int | None = None
    requested_by: str = ""
    approved_by: str | None = None
    approval_id: str | None = None
    order_id: str | None = None
    pay_fund_order_id: str | None = None
    attention: bool = False
    calling: bool = False
    called_at: datetime | None = None
    call_count: int = 0
    ask_count: int = 0
    watch_count: int = 0
    attempt: int = 0
    due_at: datetime | None = None
    held_at: datetime | None = None
    last_code: str | None = None
    last_message: str | None = None
    paid_at: datetime | None = None
    ended_at: datetime | None = None
    returned_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether money may still move by it."""
        return self.status in OPEN_STATUSES

    @property
    def may_go_again(self) -> bool:
        """Whether its money is certainly not with the payee, and stays so: a person may send it once more."""
        return self.status in (TransferStatus.FAILED, TransferStatus.RETURNED)

    @property
    def to_card(self) -> bool:
        """Whether a bank has a say in it."""
        return self.payee_kind is PayeeKind.BANK_CARD

    @property
    def waits_for_balance(self) -> bool:
        """Whether it is sent again once the merchant's account has more money."""
        return self.status is TransferStatus.REQUESTED and self.last_code in NO_BALANCE_CODES

    @property
    def waits_for_limit(self) -> bool:
        """Whether it is sent again once the day or the month is over."""
        codes = DAY_LIMIT_CODES | MONTH_LIMIT_CODES
        return self.status is TransferStatus.REQUESTED and self.last_code in codes


@dataclass(frozen=True, slots=True)
class NewTransfer:
    """What a caller asks for. ``requested_by`` names who asks, for limits and for the books."""

    out_biz_no: str
    amount: Money
    payee: Payee
    title: str
    remark: str | None = None
    scene_name: str | None = None
    scene_reports: tuple[Mapping[str, str], ...] = ()
    requested_by: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """One outcome, with the words and numbers that came with it."""

    outcome: Outcome
    code: str | None = None
    message: str | None = None
    order_id: str | None = None
    pay_fund_order_id: str | None = None
    amount: Money | None = None
    paid_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TransferLimits:
    """What a merchant lets be sent. ``None``: no limit of that kind; for the second person: never.

    Without such limits nothing is sent at all: whoever sets them has read what is said there.
    """

    single_max: Money | None
    day_max: Money | None
    second_person_single: Money | None
    second_person_day: Money | None


class BatchStatus(StrEnum):
    """Where a batch stands."""

    AWAITING_APPROVAL = "awaiting_approval"
    RUNNING = "running"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class Batch:
    """Many transfers that were asked for together, from one sheet. ``number`` is the caller's."""

    id: int
    merchant_id: int
    environment: str
    number: str
    title: str
    status: BatchStatus
    rows: int
    amount: Money
    sheet_sha256: str
    requested_by: str
    created_at: datetime
    updated_at: datetime
    approved_by: str | None = None
    approval_id: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """The e-receipt (电子回单) of a transfer. The file rests sealed."""

    id: int
    transfer_id: int
    merchant_id: int
    status: ReceiptStatus
    created_at: datetime
    updated_at: datetime
    file_id: str | None = None
    applied_at: datetime | None = None
    ask_count: int = 0
    apply_count: int = 0
    attempt: int = 0
    due_at: datetime | None = None
    last_code: str | None = None
    last_message: str | None = None
    pdf_sealed: bytes | None = field(default=None, repr=False)
    pdf_sha256: str | None = None
    pdf_bytes: int | None = None
