"""The calls about a hold, and what their answers say. No row is touched here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from daozhang.alipay.client import Alipay
from daozhang.alipay.errors import ConfigurationError, OutcomeUnknown, Rejected
from daozhang.alipay.operations.hold import (
    FundAuthOperationCancel,
    FundAuthOperationDetailQuery,
    FundAuthOperationDetailQueryResult,
    FundAuthOrderAppFreeze,
    FundAuthOrderFreeze,
    FundAuthOrderFreezeResult,
    FundAuthOrderUnfreeze,
    FundAuthOrderVoucherCreate,
)
from daozhang.service.holds.model import Hold, HoldFact, HoldFactKind, Payer, Release
from daozhang.service.holds.rules import Told
from daozhang.service.merchants.clients import Clients
from daozhang.service.orders.handing import notify_address
from daozhang.service.web.context import Context

ABSENT_CODES: Final = frozenset({"AUTH_ORDER_NOT_EXIST", "AUTH_OPERATION_NOT_EXIST"})
"""What Alipay answers while nobody has scanned or opened it."""

STATE_CODES: Final = frozenset(
    {"FREEZE_ALREADY_SUCCESS", "ORDER_ALREADY_CLOSED", "ORDER_ALREADY_FINISH", "UNIQUE_VIOLATION"}
)
"""What a number answers that has a hold already: a query tells how it stands."""

KINDS: Final = {
    "INIT": HoldFactKind.INIT,
    "AUTHORIZED": HoldFactKind.AUTHORIZED,
    "FINISH": HoldFactKind.FINISHED,
    "CLOSED": HoldFactKind.CLOSED,
}
FREEZE_KINDS: Final = {
    "INIT": HoldFactKind.INIT,
    "SUCCESS": HoldFactKind.AUTHORIZED,
    "CLOSED": HoldFactKind.CLOSED,
}
REMARK: Final = "释放"
CANCEL_REMARK: Final = "撤销预授权"


class Outcome(StrEnum):
    """What one call has told."""

    FACT = "fact"
    REFUSED = "refused"
    STATE = "state"  # a no that speaks of the hold's own state: only a query tells
    UNKNOWN = "unknown"
    NOT_SENT = "not sent"


@dataclass(frozen=True, slots=True)
class Answer:
    """One outcome with the words that came with it, and the fact where there is one."""

    outcome: Outcome
    code: str | None = None
    message: str | None = None
    fact: HoldFact | None = None


@dataclass(frozen=True, slots=True)
class HoldCalls:
    """Calls Alipay about holds."""

    context: Context
    clients: Clients

    # ---- freezing

    def freeze(self, hold: Hold, auth_code: str, scene: str) -> Answer:
        """Freezes by a code that was scanned. Raises `ConfigurationError` if nothing could be sent."""
        operation = FundAuthOrderFreeze(
            **self._terms(hold), auth_code=auth_code, auth_code_type=scene
        )
        try:
            result = self._client(hold).call(operation, notify_url=self._notify(hold))
        except Rejected as no:
            state = no.sub_code in STATE_CODES
            outcome = Outcome.STATE if state else Outcome.REFUSED
            return Answer(outcome, no.sub_code or no.code, no.message)
        except OutcomeUnknown as unknown:
            return Answer(Outcome.UNKNOWN, unknown.cause, unknown.reason)
        fact = self._fact_of_freeze(hold, result)
        return Answer(Outcome.STATE) if fact is None else Answer(Outcome.FACT, fact=fact)

    def voucher(self, hold: Hold) -> str | None:
        """The text of a code that a buyer scans to confirm. Raises `Rejected`, `OutcomeUnknown`."""
        operation = FundAuthOrderVoucherCreate(**self._terms(hold))
        return self._client(hold).call(operation, notify_url=self._notify(hold)).code_value

    def order_string(self, hold: Hold) -> str:
        """What the merchant's app, or a mini program, hands to Alipay; signed now."""
        operation = FundAuthOrderAppFreeze(**self._terms(hold))
        return self._client(hold).order_string(operation, notify_url=self._notify(hold))

    def _terms(self, hold: Hold) -> dict[str, Any]:
        left = int((hold.expires_at - self.context.clock.now()).total_seconds() // 60)
        return {
            "out_order_no": hold.out_order_no,
            "out_request_no": hold.out_request_no,
            "order_title": hold.title,
            "amount": hold.amount,
            "product_code": hold.product_code,
            "payee_user_id": hold.seller_id,
            # The buyer may not take longer than the hold may be confirmed.
            "pay_timeout": f"{max(left, 1)}m",
        }

    # ---- asking

    def ask(self, hold: Hold) -> HoldFact | None:
        """What Alipay says of a hold now; ``None`` if that stays unknown."""
        operation = FundAuthOperationDetailQuery(
            out_order_no=hold.out_order_no, out_request_no=hold.out_request_no
        )
        try:
            result = self._client(hold).call(operation)
        except Rejected as no:
            if no.sub_code not in ABSENT_CODES:
                return None
            return HoldFact(
                kind=HoldFactKind.ABSENT,
                out_order_no=hold.out_order_no,
                source="query",
                source_ref=no.trace_id or "",
                learned_at=self.context.clock.now(),
            )
        except (OutcomeUnknown, ConfigurationError):
            return None
        return self._fact_of_query(hold, result)

    def _fact_of_query(
        self, hold: Hold, result: FundAuthOperationDetailQueryResult
    ) -> HoldFact | None:
        kind = KINDS.get(result.order_status or "") or FREEZE_KINDS.get(result.status or "")
        if kind is None:
            return None
        return HoldFact(
            kind=kind,
            out_order_no=hold.out_order_no,
            source="query",
            source_ref=result.trace_id or "",
            learned_at=self.context.clock.now(),
            auth_no=result.auth_no,
            operation_id=result.operation_id,
            frozen=result.total_freeze_amount,
            captured=result.total_pay_amount,
            rest=result.rest_amount,
            authorized_at=result.gmt_trans if kind is not HoldFactKind.INIT else None,
            payer=Payer(result.payer_user_id, result.payer_open_id, result.payer_logon_id),
        )

    def _fact_of_freeze(self, hold: Hold, result: FundAuthOrderFreezeResult) -> HoldFact | None:
        kind = FREEZE_KINDS.get(result.status or "")
        if kind is None:
            return None
        return HoldFact(
            kind=kind,
            out_order_no=hold.out_order_no,
            source="freeze",
            source_ref=result.trace_id or "",
            learned_at=self.context.clock.now(),
            auth_no=result.auth_no,
            operation_id=result.operation_id,
            frozen=result.amount,
            authorized_at=result.gmt_trans,
            payer=Payer(result.payer_user_id, result.payer_open_id, result.payer_logon_id),
        )

    # ---- giving up, letting go

    def cancel(self, hold: Hold) -> Answer:
        """Undoes a freeze: closed, or definitely not, or nobody knows."""
        operation = FundAuthOperationCancel(
            out_order_no=hold.out_order_no, out_request_no=hold.out_request_no, remark=CANCEL_REMARK
        )
        try:
            result = self._client(hold).call(operation, notify_url=self._notify(hold))
        except Rejected as no:
            return Answer(Outcome.REFUSED, no.sub_code or no.code, no.message)
        except OutcomeUnknown as unknown:
            return Answer(Outcome.UNKNOWN, unknown.cause, unknown.reason)
        except ConfigurationError as error:
            return Answer(Outcome.NOT_SENT, "not_sent", str(error))
        if result.action not in ("close", "unfreeze"):
            return Answer(Outcome.UNKNOWN, "action", f"action={result.action}")
        fact = HoldFact(
            kind=HoldFactKind.CLOSED,
            out_order_no=hold.out_order_no,
            source="cancel",
            source_ref=result.trace_id or "",
            learned_at=self.context.clock.now(),
            auth_no=result.auth_no,
        )
        return Answer(Outcome.FACT, result.action, fact=fact)

    def unfreeze(self, hold: Hold, release: Release) -> tuple[Told, str | None, str | None]:
        """Lets a part of a hold go: what that told, with Alipay's words."""
        assert hold.auth_no is not None
        assert release.out_request_no is not None
        operation = FundAuthOrderUnfreeze(
            auth_no=hold.auth_no,
            out_request_no=release.out_request_no,
            amount=release.amount,
            remark=release.remark or REMARK,
        )
        try:
            result = self._client(hold).call(operation, notify_url=self._notify(hold))
        except Rejected as no:
            return Told.REJECTED, no.sub_code or no.code, no.message
        except OutcomeUnknown as unknown:
            return Told.UNKNOWN, unknown.cause, unknown.reason
        except ConfigurationError as error:
            return Told.UNKNOWN, "not_sent", str(error)
        done = result.status in (None, "SUCCESS")
        return (Told.DONE if done else Told.UNKNOWN), None, None

    def ask_release(self, hold: Hold, release: Release) -> Told:
        """What Alipay says of one release; changes nothing."""
        operation = FundAuthOperationDetailQuery(
            out_order_no=hold.out_order_no,
            out_request_no=release.out_request_no,
            operation_type="UNFREEZE",
        )
        try:
            result = self._client(hold).call(operation)
        except Rejected as no:
            return Told.ABSENT if no.sub_code in ABSENT_CODES else Told.UNKNOWN
        except (OutcomeUnknown, ConfigurationError):
            return Told.UNKNOWN
        done = result.status == "SUCCESS" and result.amount == release.amount
        return Told.DONE if done else Told.UNKNOWN

    def _client(self, hold: Hold) -> Alipay:
        return self.clients.client_for(hold.merchant_id)

    def _notify(self, hold: Hold) -> str:
        return notify_address(self.context, self.clients.merchant(hold.merchant_id))
