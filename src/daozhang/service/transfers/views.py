"""A transfer, a batch and what is asked for as the API has them. Payees are shown masked, always."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from daozhang.service.orders.views import Number, ShortText
from daozhang.service.transfers.batch_store import Share
from daozhang.service.transfers.batching import Trial
from daozhang.service.transfers.messages import sentences_for
from daozhang.service.transfers.model import Batch, Payee, PayeeKind, Receipt, Transfer
from daozhang.service.transfers.sheets import as_fields
from daozhang.service.web.problem import AmountText


class PayeeIn(BaseModel):
    """Who gets the money. It rests sealed, and no answer shows it unmasked."""

    model_config = ConfigDict(extra="forbid")

    kind: PayeeKind = Field(
        description="By user id (2088…), open_id, logon id (phone or email), or bank card."
    )
    identity: Annotated[str, Field(min_length=1, max_length=128)]
    name: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        None, description="Required with a logon id and a card; checked wherever it is given."
    )
    card_holder: Literal["person", "company"] | None = Field(
        None, description="Required with a card."
    )
    bank_name: ShortText | None = Field(None, description="Required with a company's card.")
    bank_branch: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    bank_code: ShortText | None = None

    def payee(self) -> Payee:
        """The payee that is meant."""
        return Payee(**self.model_dump())


class SceneReport(BaseModel):
    """What a transfer scene asks to be reported. Names are Alipay's (apis.md §6.1)."""

    model_config = ConfigDict(extra="forbid")

    info_type: ShortText
    info_content: Annotated[str, Field(min_length=1, max_length=256)]


class TransferIn(BaseModel):
    """A transfer to be made. The number is the caller's own and makes it one transfer for ever."""

    model_config = ConfigDict(extra="forbid")

    out_biz_no: Number = Field(description="Your number for it, unique for your seller id.")
    amount: AmountText = Field(description='What is sent, as text: "88.88"; 0.10 at least.')
    payee: PayeeIn
    title: str = Field(min_length=1, max_length=128, description="What the payee reads.")
    remark: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    scene_name: ShortText | None = Field(
        None, description="The transfer scene of your contract with Alipay, such as 佣金报酬."
    )
    scene_reports: list[SceneReport] = Field(default_factory=list[SceneReport], max_length=10)


class TransferOut(BaseModel):
    """A transfer. `succeeded`, `failed` and `returned` are its end; to a card `succeeded` may become
    `returned`."""

    object: str = "transfer"
    out_biz_no: str
    environment: str
    status: str = Field(
        description="awaiting_approval, requested, unknown, dealing, succeeded, failed or returned"
    )
    amount: str
    currency: str
    payee_kind: str
    payee: str = Field(description="Who gets it, masked.")
    title: str
    remark: str | None
    scene_name: str | None
    batch_row: int | None = Field(description="Its row in the sheet, if it came with one.")
    order_id: str | None = Field(description="Alipay's number, once it has one.")
    attention: bool = Field(description="Something did not fit: a person has to look.")
    last_code: str | None = Field(description="What Alipay said last, if it was no proof.")
    last_message: str | None
    message: str | None = Field(description="What that means and what to do, in English.")
    message_zh: str | None
    requested_by: str
    approved_by: str | None = Field(description="The second person, if it took one.")
    approval_id: str | None
    next_attempt_at: datetime | None
    held_at: datetime | None = Field(
        description="Since when it waits because outgoing money is stopped."
    )
    paid_at: datetime | None
    returned_at: datetime | None
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, transfer: Transfer) -> Self:
        """``transfer`` rendered."""
        said = sentences_for(transfer.last_code, transfer.last_message)
        return cls(
            out_biz_no=transfer.out_biz_no,
            environment=transfer.environment,
            status=transfer.status.value,
            amount=str(transfer.amount),
            currency=transfer.amount.currency,
            payee_kind=transfer.payee_kind.value,
            payee=transfer.payee_shown,
            title=transfer.title,
            remark=transfer.remark,
            scene_name=transfer.scene_name,
            batch_row=transfer.batch_row,
            order_id=transfer.order_id,
            attention=transfer.attention,
            last_code=transfer.last_code,
            last_message=transfer.last_message,
            message=None if said is None else said[0],
            message_zh=None if said is None else said[1],
            requested_by=transfer.requested_by,
            approved_by=transfer.approved_by,
            approval_id=transfer.approval_id,
            next_attempt_at=transfer.due_at,
            held_at=transfer.held_at,
            paid_at=transfer.paid_at,
            returned_at=transfer.returned_at,
            created_at=transfer.created_at,
            updated_at=transfer.updated_at,
            ended_at=transfer.ended_at,
        )


class TransferPage(BaseModel):
    """A page of transfers, newest first."""

    object: str = "list"
    environment: str
    data: list[TransferOut]
    next_cursor: str | None


class RowProblem(BaseModel):
    """What is wrong in a row of the sheet. Rows count as a spreadsheet does: the header is row 1."""

    row: int
    column: str | None
    cell: str | None = Field(description="In a workbook, its sheet and address: `三月!E5`.")
    say: str
    say_zh: str


class TrialOut(BaseModel):
    """What a sheet would do. Nothing was written."""

    object: str = "transfer_batch_trial"
    environment: str
    rows: int = Field(description="How many rows are as they should be.")
    amount: str = Field(description="What those come to.")
    currency: str
    problems: list[RowProblem] = Field(description="While there is one nothing is sent.")
    takes_second_person: bool = Field(
        description="Whether somebody else with the right transfers:approve has to approve it."
    )

    @classmethod
    def of(cls, trial: Trial, environment: str) -> Self:
        """``trial`` rendered."""
        return cls(
            environment=environment,
            rows=trial.rows,
            amount=str(trial.amount),
            currency=trial.amount.currency,
            problems=[RowProblem(**as_fields(problem)) for problem in trial.problems],
            takes_second_person=trial.takes_second_person,
        )


class ShareOut(BaseModel):
    """How many transfers of a batch stand so, and what they come to."""

    status: str
    transfers: int
    amount: str


class BatchOut(BaseModel):
    """A batch, and where its transfers stand. What is unknown stays in sight."""

    object: str = "transfer_batch"
    number: str
    environment: str
    title: str
    status: str = Field(description="awaiting_approval, running or declined")
    rows: int
    amount: str
    currency: str
    progress: list[ShareOut]
    requested_by: str
    approved_by: str | None
    approval_id: str | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, batch: Batch, progress: Iterable[Share]) -> Self:
        """``batch`` rendered."""
        return cls(
            number=batch.number,
            environment=batch.environment,
            title=batch.title,
            status=batch.status.value,
            rows=batch.rows,
            amount=str(batch.amount),
            currency=batch.amount.currency,
            progress=[
                ShareOut(status=one.status.value, transfers=one.transfers, amount=str(one.amount))
                for one in progress
            ],
            requested_by=batch.requested_by,
            approved_by=batch.approved_by,
            approval_id=batch.approval_id,
            created_at=batch.created_at,
            updated_at=batch.updated_at,
        )


class BatchPage(BaseModel):
    """A page of batches, newest first."""

    object: str = "list"
    environment: str
    data: list[BatchOut]
    next_cursor: str | None


class ReceiptOut(BaseModel):
    """How far the receipt of a transfer is."""

    object: str = "transfer_receipt"
    out_biz_no: str
    environment: str
    status: str = Field(description="requested, making, ready or failed")
    bytes: int | None
    sha256: str | None
    last_message: str | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, transfer: Transfer, receipt: Receipt) -> Self:
        """``receipt`` of that transfer, rendered."""
        return cls(
            out_biz_no=transfer.out_biz_no,
            environment=transfer.environment,
            status=receipt.status.value,
            bytes=receipt.pdf_bytes,
            sha256=receipt.pdf_sha256,
            last_message=receipt.last_message,
            created_at=receipt.created_at,
            updated_at=receipt.updated_at,
        )


def reports_of(wanted: TransferIn) -> tuple[dict[str, Any], ...]:
    """What a scene asks to be reported."""
    return tuple(report.model_dump() for report in wanted.scene_reports)
