"""What the pages of transfers show, ready for their templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from daozhang.console.paging import CURSOR, Pages, cut, with_query
from daozhang.console.visits import Visit
from daozhang.console.words import word
from daozhang.money import Money
from daozhang.service.people import masking
from daozhang.service.people.model import Language, Right
from daozhang.service.transfers.batch_store import Share
from daozhang.service.transfers.messages import sentences_for
from daozhang.service.transfers.model import (
    Batch,
    BatchStatus,
    PayeeKind,
    Receipt,
    ReceiptStatus,
    Transfer,
    TransferStatus,
)

PAYEE_KINDS: Final[Mapping[PayeeKind, str]] = {
    PayeeKind.LOGON_ID: word("Alipay account (phone or email)"),
    PayeeKind.USER_ID: word("Alipay user number"),
    PayeeKind.OPEN_ID: word("Open id of your app"),
    PayeeKind.BANK_CARD: word("Bank card"),
}

RECEIPTS: Final[Mapping[ReceiptStatus, tuple[str, str]]] = {
    ReceiptStatus.REQUESTED: (word("Asked for"), "busy"),
    ReceiptStatus.MAKING: (word("Being made by Alipay"), "busy"),
    ReceiptStatus.READY: (word("Ready"), "good"),
    ReceiptStatus.FAILED: (word("Failed"), "bad"),
}

_TABS: Final[Sequence[tuple[str, str]]] = (
    ("", word("All")),
    (TransferStatus.AWAITING_APPROVAL, word("Waits for a second person")),
    (TransferStatus.REQUESTED, word("Requested")),
    (TransferStatus.UNKNOWN, word("Outcome unknown")),
    (TransferStatus.DEALING, word("The bank looks at it")),
    (TransferStatus.SUCCEEDED, word("Sent")),
    (TransferStatus.FAILED, word("Failed")),
    (TransferStatus.RETURNED, word("Sent back by the bank")),
)

_DONE: Final = (TransferStatus.SUCCEEDED, TransferStatus.RETURNED)


@dataclass(frozen=True, slots=True)
class TransferRow:
    """A line of the list."""

    id: int
    address: str
    transfer: Transfer
    state: str


@dataclass(frozen=True, slots=True)
class ListView:
    """The list of transfers."""

    here: str
    path: str
    narrows: bool
    sought: str
    sheet: str | None
    tabs: Sequence[tuple[str, str, bool]]
    rows: Sequence[TransferRow]
    pages: Pages
    may_send: bool
    may_set_limits: bool


@dataclass(frozen=True, slots=True)
class ReceiptView:
    """How far the receipt is."""

    text: str
    tone: str
    says: str | None
    is_ready: bool


@dataclass(frozen=True, slots=True)
class TransferView:
    """One transfer, with what this visitor may do about it."""

    transfer: Transfer
    path: str
    state: str
    kind: str
    payee: str
    answer: str | None
    approval: str | None
    sheet: Batch | None
    sheet_address: str | None
    requested_by: str
    approved_by: str | None
    receipt: ReceiptView | None
    sent_again: str | None
    may_ask: bool
    may_send_again: bool
    may_ask_receipt: bool
    may_take_receipt: bool


def status_of(query: Mapping[str, str]) -> TransferStatus | None:
    """Which transfers an address asks for; all of them if it cannot be understood."""
    asked = query.get("state", "")
    return TransferStatus(asked) if asked in tuple(TransferStatus) else None


def state_of(transfer: Transfer) -> str:
    """The name of the state as it is shown: what a transfer waits for is one of its own."""
    if transfer.held_at is not None and transfer.status is TransferStatus.REQUESTED:
        return "transfer.held"
    if transfer.waits_for_balance:
        return "transfer.balance"
    return "transfer.limit" if transfer.waits_for_limit else f"transfer.{transfer.status.value}"


def list_view(
    visit: Visit,
    status: TransferStatus | None,
    sheet: str | None,
    found: Sequence[Transfer],
    sought: str,
) -> ListView:
    """The list of ``found``, of which one more than a page holds may have been read."""
    t, path = visit.t, f"{visit.home}/transfers"
    chosen = "" if status is None else status.value
    kept = {"sheet": sheet or ""}
    here = {"state": chosen, **kept, CURSOR: visit.query.get(CURSOR, "")}
    rows = [TransferRow(one.id, f"{path}/{one.out_biz_no}", one, state_of(one)) for one in found]
    shown, pages = cut(rows, path, here)
    return ListView(
        here=visit.address,
        path=path,
        narrows=status is not None or sheet is not None or bool(sought),
        sought=sought,
        sheet=sheet,
        tabs=[
            (with_query(path, {"state": value, **kept}), t(text), value == chosen)
            for value, text in _TABS
        ],
        rows=shown,
        pages=pages,
        may_send=visit.may(Right.TRANSFERS_REQUEST),
        may_set_limits=visit.may(Right.MERCHANTS_WRITE),
    )


def transfer_view(
    visit: Visit,
    transfer: Transfer,
    payee: str,
    receipt: Receipt | None,
    batch: Batch | None,
    names: Mapping[str, str],
    sent_again: str | None,
) -> TransferView:
    """One transfer; ``payee`` is as this visitor may see it, ``names`` are those of who asked and approved."""
    said = sentences_for(transfer.last_code, transfer.last_message)
    may_work = visit.may(Right.TRANSFERS_REQUEST)
    again = receipt is None or receipt.status is ReceiptStatus.FAILED
    is_ready = receipt is not None and receipt.status is ReceiptStatus.READY
    by = transfer.approved_by
    return TransferView(
        transfer=transfer,
        path=f"{visit.home}/transfers/{transfer.out_biz_no}",
        state=state_of(transfer),
        kind=visit.t(PAYEE_KINDS[transfer.payee_kind]),
        payee=payee,
        answer=None if said is None else said[visit.language is Language.CHINESE],
        approval=None
        if transfer.approval_id is None
        else f"{visit.home}/approvals/{transfer.approval_id}",
        sheet=batch,
        sheet_address=None if batch is None else sheet_address(visit, batch),
        requested_by=names[transfer.requested_by],
        approved_by=None if by is None else names[by],
        receipt=None if receipt is None else _receipt_view(visit, receipt),
        sent_again=sent_again,
        may_send_again=may_work and masking.sees_personal(visit.who) and transfer.may_go_again,
        may_ask=may_work and transfer.is_open and not transfer.calling,
        may_ask_receipt=may_work and again and transfer.status in _DONE,
        may_take_receipt=is_ready and masking.sees_personal(visit.who),
    )


def _receipt_view(visit: Visit, receipt: Receipt) -> ReceiptView:
    text, tone = RECEIPTS[receipt.status]
    return ReceiptView(
        visit.t(text), tone, receipt.last_message, receipt.status is ReceiptStatus.READY
    )


# ---- sheets


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A line of the list of sheets."""

    id: int
    address: str
    batch: Batch
    state: str
    progress: Sequence[tuple[str, int, Money]]


@dataclass(frozen=True, slots=True)
class SheetsView:
    """The list of sheets."""

    rows: Sequence[SheetRow]
    pages: Pages
    may_send: bool


def sheets_view(visit: Visit, found: Sequence[tuple[Batch, Sequence[Share]]]) -> SheetsView:
    """The list of ``found``, of which one more than a page holds may have been read."""
    rows = [sheet_row(visit, batch, progress) for batch, progress in found]
    here = {CURSOR: visit.query.get(CURSOR, "")}
    shown, pages = cut(rows, f"{visit.home}/transfers/sheets", here)
    return SheetsView(shown, pages, visit.may(Right.TRANSFERS_REQUEST))


def sheet_row(visit: Visit, batch: Batch, progress: Sequence[Share]) -> SheetRow:
    """A sheet, with how many of its transfers stand how."""
    return SheetRow(
        id=batch.id,
        address=sheet_address(visit, batch),
        batch=batch,
        state=f"sheet.{batch.status.value}",
        progress=[(f"transfer.{one.status.value}", one.transfers, one.amount) for one in progress],
    )


def sheet_address(visit: Visit, batch: Batch) -> str:
    """Where the page of a sheet is."""
    return f"{visit.home}/transfers/sheets/{batch.number}"


def waits(batch: Batch) -> bool:
    """Whether a second person has to decide about the sheet."""
    return batch.status is BatchStatus.AWAITING_APPROVAL
