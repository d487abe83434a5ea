"""Having a receipt made, and fetching it: one step at a time, whatever it is of.

Alipay makes a file in its own time, and the address of it lives 30 seconds; what it was asked to make is
forgotten after two days and asked for anew. Nothing here moves money.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from daozhang.alipay.errors import OutcomeUnknown, Rejected
from daozhang.alipay.operations.transfer import (
    DataBillEreceiptApply,
    DataBillEreceiptQuery,
    ReceiptKind,
)
from daozhang.service.downloads import RECEIPT_HOSTS, DownloadFailed, download
from daozhang.service.merchants.clients import Clients
from daozhang.service.receipts import rules
from daozhang.service.receipts.model import Made, ReceiptStatus
from daozhang.service.web.context import Context

RECEIPT_BYTES_MAX: Final = 8 << 20


@dataclass(frozen=True, slots=True)
class Subject:
    """What a receipt is of, who asks for it, and what its file is sealed to. ``note`` writes columns of
    its row, in a transaction of its own."""

    merchant_id: int
    environment: str
    kind: ReceiptKind
    key: str
    sealed_to: str
    note: Callable[..., None]


@dataclass(frozen=True, slots=True)
class ReceiptMaker:
    """Takes the next step of a receipt. A step may die anywhere and be taken again."""

    context: Context
    clients: Clients

    def step(self, receipt: Made, subject: Subject) -> None:
        """Has it made, or asks whether it is there and fetches it."""
        if receipt.status in (ReceiptStatus.READY, ReceiptStatus.FAILED):
            subject.note(due_at=None)
        elif receipt.file_id is None or rules.is_forgotten(receipt, self.context.clock.now()):
            self._apply(receipt, subject)
        else:
            self._ask(receipt, subject, receipt.file_id)

    def _apply(self, receipt: Made, subject: Subject) -> None:
        now = self.context.clock.now()
        operation = DataBillEreceiptApply(type=subject.kind, key=subject.key)
        try:
            result = self.clients.client_for(subject.merchant_id).call(operation)
        except Rejected as no:
            self._give_up(subject, no.sub_code or no.code, no.message)
            return
        except OutcomeUnknown as unknown:
            self._later(receipt, subject, unknown.cause, unknown.reason)
            return
        subject.note(
            status=ReceiptStatus.MAKING.value,
            file_id=result.file_id,
            applied_at=now,
            apply_count=receipt.apply_count + 1,
            ask_count=0,
            due_at=rules.again_at(0, now),
        )

    def _ask(self, receipt: Made, subject: Subject, file_id: str) -> None:
        client = self.clients.client_for(subject.merchant_id)
        try:
            result = client.call(DataBillEreceiptQuery(file_id=file_id))
        except (Rejected, OutcomeUnknown) as problem:
            self._later(receipt, subject, "query", str(problem))
            return
        if result.status == "FAIL":
            said = result.error_message or "Alipay could not make it"
            self._made_anew(receipt, subject, said)
        elif not result.is_ready:
            self._later(receipt, subject, result.status, None)
        else:
            try:
                content = self._fetch(
                    subject, result.download_url or "", client.credentials.gateway_url
                )
            except DownloadFailed as problem:
                self._later(receipt, subject, "not_fetched", str(problem))
            else:
                self._keep(subject, content)

    def _fetch(self, subject: Subject, url: str, gateway_url: str | None) -> bytes:
        """The file at an address that Alipay has just signed."""
        with tempfile.TemporaryDirectory(prefix="daozhang-receipt-") as place:
            path = Path(place) / "receipt"
            download(
                url,
                path,
                environment=subject.environment,
                hosts=RECEIPT_HOSTS,
                gateway_url=gateway_url,
                bytes_max=RECEIPT_BYTES_MAX,
                seconds_max=self.context.settings.gateway_timeout_seconds,
            )
            content = path.read_bytes()
        if not content.startswith(b"%PDF"):
            raise DownloadFailed("what came is no PDF")
        return content

    def _keep(self, subject: Subject, content: bytes) -> None:
        subject.note(
            status=ReceiptStatus.READY.value,
            pdf_sealed=self.context.sealer.seal(content, subject.sealed_to),
            pdf_sha256=hashlib.sha256(content).hexdigest(),
            pdf_bytes=len(content),
            last_code=None,
            last_message=None,
            due_at=None,
        )

    def _made_anew(self, receipt: Made, subject: Subject, message: str) -> None:
        if receipt.apply_count >= rules.APPLIES_MAX:
            self._give_up(subject, "FAIL", message)
        else:
            due_at = rules.again_at(receipt.ask_count, self.context.clock.now())
            subject.note(file_id=None, last_message=message, due_at=due_at)

    def _give_up(self, subject: Subject, code: str, message: str) -> None:
        failed = ReceiptStatus.FAILED.value
        subject.note(status=failed, last_code=code, last_message=message, due_at=None)

    def _later(
        self, receipt: Made, subject: Subject, code: str | None, message: str | None
    ) -> None:
        subject.note(
            ask_count=receipt.ask_count + 1,
            last_code=code,
            last_message=message,
            due_at=rules.again_at(receipt.ask_count, self.context.clock.now()),
        )


def values_again(now: datetime) -> dict[str, Any]:
    """The columns of a receipt that is asked for now, for the first time or after it failed."""
    return {
        "status": ReceiptStatus.REQUESTED.value,
        "due_at": now,
        "apply_count": 0,
        "ask_count": 0,
        "updated_at": now,
    }
