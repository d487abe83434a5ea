"""The calls about an agreement, and what their answers say. No row is touched here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from daozhang.alipay.client import Alipay
from daozhang.alipay.errors import ConfigurationError, OutcomeUnknown, Rejected
from daozhang.alipay.operations.agreement import (
    AccessParams,
    PeriodRule,
    UserAgreementExecutionplanModify,
    UserAgreementPageSign,
    UserAgreementQuery,
    UserAgreementUnsign,
)
from daozhang.money import Money
from daozhang.service.agreements.model import Agreement, AgreementFact, AgreementFactKind, Rule
from daozhang.service.merchants.clients import Clients
from daozhang.service.orders.handing import notify_address
from daozhang.service.web.context import Context

ENDED_CODES: Final = frozenset({"AGREEMENT_HAS_UNSIGNED"})
ABSENT_CODES: Final = frozenset({"USER_AGREEMENT_NOT_EXIST", "AGREEMENT_NOT_EXIST"})

KINDS: Final = {
    "TEMP": AgreementFactKind.TEMP,
    "NORMAL": AgreementFactKind.NORMAL,
    "STOP": AgreementFactKind.STOPPED,
    "UNSIGN": AgreementFactKind.UNSIGNED,
}


@dataclass(frozen=True, slots=True)
class AgreementCalls:
    """Calls Alipay about agreements."""

    context: Context
    clients: Clients

    def page(self, agreement: Agreement) -> str:
        """The page on which a buyer signs, signed now; it dies with the agreement's own expiry."""
        rule = agreement.rule
        left = (agreement.expires_at - self.context.clock.now()).total_seconds()
        operation = UserAgreementPageSign(
            personal_product_code=agreement.personal_product_code,
            product_code=agreement.product_code,
            sign_scene=agreement.sign_scene,
            external_agreement_no=agreement.external_agreement_no,
            external_logon_id=agreement.external_logon_id,
            access_params=AccessParams(channel=agreement.channel),
            effect_time=str(max(int(left), 1)),
            period_rule_params=None
            if rule is None
            else PeriodRule(
                period_type=rule.period_type.value,
                period=rule.period,
                execute_time=rule.first_on,
                single_amount=rule.single,
                total_amount=None if rule.total_minor is None else Money(rule.total_minor),
                total_payments=rule.payments,
            ),
        )
        return self._client(agreement).page_url(
            operation, notify_url=self._notify(agreement), return_url=agreement.return_url
        )

    def sign_params(self, agreement: Agreement) -> dict[str, Any]:
        """What a payment carries by which the buyer signs as well: ``agreement_sign_params``."""
        given = {
            "personal_product_code": agreement.personal_product_code,
            "product_code": agreement.product_code,
            "sign_scene": agreement.sign_scene,
            "external_agreement_no": agreement.external_agreement_no,
            "external_logon_id": agreement.external_logon_id,
            "access_params": {"channel": agreement.channel},
            "period_rule_params": None if agreement.rule is None else _rule_fields(agreement.rule),
            "sign_notify_url": self._notify(agreement),
        }
        return {name: value for name, value in given.items() if value is not None}

    def ask(self, agreement: Agreement) -> AgreementFact | None:
        """What Alipay says of an agreement now; ``None`` if that stays unknown."""
        if agreement.agreement_no is not None:
            operation = UserAgreementQuery(agreement_no=agreement.agreement_no)
        else:
            operation = UserAgreementQuery(
                external_agreement_no=agreement.external_agreement_no,
                personal_product_code=agreement.personal_product_code,
                sign_scene=agreement.sign_scene,
            )
        try:
            told = self._client(agreement).call(operation)
        except Rejected as no:
            return self._absent(no, "query")
        except (OutcomeUnknown, ConfigurationError):
            return None
        kind = KINDS.get(told.status or "")
        if kind is None:
            return None
        return AgreementFact(
            kind=kind,
            source="query",
            source_ref=told.trace_id or "",
            learned_at=self.context.clock.now(),
            agreement_no=told.agreement_no,
            next_deduct_on=told.next_deduct_time,
            signed_at=told.sign_time,
            valid_at=told.valid_time,
            invalid_at=told.invalid_time,
            buyer_id=told.principal_id,
            buyer_open_id=told.principal_open_id,
            buyer_logon_id=told.alipay_logon_id,
        )

    def unsign(self, agreement: Agreement) -> tuple[AgreementFact | None, str | None, str | None]:
        """Ends an agreement: the fact if that is proven at once, and Alipay's words."""
        assert agreement.agreement_no is not None
        operation = UserAgreementUnsign(agreement_no=agreement.agreement_no)
        try:
            self._client(agreement).call(operation, notify_url=self._notify(agreement))
        except Rejected as no:
            return self._absent(no, "unsign"), no.sub_code or no.code, no.message
        except OutcomeUnknown as unknown:
            return None, unknown.cause, unknown.reason
        except ConfigurationError as error:
            return None, "not_sent", str(error)
        # Accepted may mean "under way": a question tells.
        return None, None, None

    def move_plan(self, agreement: Agreement, day: date) -> None:
        """Moves the planned day. Raises `Rejected`, `OutcomeUnknown`, `ConfigurationError`."""
        assert agreement.agreement_no is not None
        operation = UserAgreementExecutionplanModify(
            agreement_no=agreement.agreement_no, deduct_time=day
        )
        self._client(agreement).call(operation)

    def _absent(self, no: Rejected, source: str) -> AgreementFact | None:
        ended = no.sub_code in ENDED_CODES
        if not ended and no.sub_code not in ABSENT_CODES:
            return None
        return AgreementFact(
            kind=AgreementFactKind.UNSIGNED if ended else AgreementFactKind.ABSENT,
            source=source,
            source_ref=no.trace_id or "",
            learned_at=self.context.clock.now(),
        )

    def _client(self, agreement: Agreement) -> Alipay:
        return self.clients.client_for(agreement.merchant_id)

    def _notify(self, agreement: Agreement) -> str:
        return notify_address(self.context, self.clients.merchant(agreement.merchant_id))


def _rule_fields(rule: Rule) -> dict[str, Any]:
    given = {
        "period_type": rule.period_type.value,
        "period": rule.period,
        "execute_time": rule.first_on.isoformat(),
        "single_amount": str(rule.single),
        "total_amount": None if rule.total_minor is None else str(Money(rule.total_minor)),
        "total_payments": rule.payments,
    }
    return {name: value for name, value in given.items() if value is not None}
