"""The calls about a transfer, and what their answers say. No row is touched here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from daozhang.alipay.errors import OutcomeUnknown, Rejected
from daozhang.alipay.operations.transfer import (
    ORDER_NOT_EXIST,
    BankCard,
    CardHolder,
    FundTransCommonQuery,
    FundTransCommonQueryResult,
    FundTransUniTransfer,
    FundTransUniTransferResult,
    PayeeIdentity,
)
from daozhang.alipay.operations.transfer import Payee as AlipayPayee
from daozhang.service.merchants.clients import Clients
from daozhang.service.transfers.model import (
    DAY_LIMIT_CODES,
    MONTH_LIMIT_CODES,
    NO_BALANCE_CODES,
    SCENE,
    Answer,
    Outcome,
    Payee,
    PayeeKind,
    Transfer,
)
from daozhang.service.transfers.payees import open_payee
from daozhang.service.web.context import Context

_STATUSES: Final = {
    "SUCCESS": Outcome.SUCCEEDED,
    "DEALING": Outcome.DEALING,
    "WAIT_PAY": Outcome.DEALING,
    "FAIL": Outcome.REFUSED,
    "CLOSED": Outcome.REFUSED,
    "REFUND": Outcome.RETURNED,
}
"""What Alipay's word for the transfer says. Another word says nothing that is understood."""

_IDENTITIES: Final = {
    PayeeKind.USER_ID: PayeeIdentity.USER_ID,
    PayeeKind.OPEN_ID: PayeeIdentity.OPEN_ID,
    PayeeKind.LOGON_ID: PayeeIdentity.LOGON_ID,
    PayeeKind.BANK_CARD: PayeeIdentity.BANK_CARD,
}


@dataclass(frozen=True, slots=True)
class TransferCalls:
    """Sends transfers and asks about them."""

    context: Context
    clients: Clients

    def send(self, transfer: Transfer) -> Answer:
        """Sends it: always under its one number, always with the same content."""
        operation = FundTransUniTransfer(
            out_biz_no=transfer.out_biz_no,
            trans_amount=transfer.amount,
            payee_info=_alipay_payee(open_payee(self.context.sealer, transfer)),
            product_code=transfer.product_code,
            biz_scene=SCENE,
            order_title=transfer.title,
            remark=transfer.remark,
            transfer_scene_name=transfer.scene_name,
            transfer_scene_report_infos=tuple(transfer.scene_reports) or None,
        )
        try:
            result = self.clients.client_for(transfer.merchant_id).call(operation)
        except Rejected as no:
            return Answer(_outcome_of_no(no.sub_code), no.sub_code or no.code, no.message)
        except OutcomeUnknown as unknown:
            return Answer(Outcome.UNKNOWN, unknown.cause, unknown.reason)
        return _told(result)

    def ask(self, transfer: Transfer) -> Answer:
        """What Alipay says of a transfer; changes nothing, here or there."""
        operation = FundTransCommonQuery(
            out_biz_no=transfer.out_biz_no, product_code=transfer.product_code, biz_scene=SCENE
        )
        try:
            result = self.clients.client_for(transfer.merchant_id).call(operation)
        except Rejected as no:
            if no.sub_code == ORDER_NOT_EXIST:
                return Answer(Outcome.ABSENT, no.sub_code, no.message)
            # A "no" to a question says nothing of what was asked about.
            return Answer(Outcome.UNKNOWN, no.sub_code or no.code, no.message)
        except OutcomeUnknown as unknown:
            return Answer(Outcome.UNKNOWN, unknown.cause, unknown.reason)
        return _told(result)


def _outcome_of_no(sub_code: str | None) -> Outcome:
    if sub_code in NO_BALANCE_CODES:
        return Outcome.NO_BALANCE
    if sub_code in DAY_LIMIT_CODES or sub_code in MONTH_LIMIT_CODES:
        return Outcome.LIMIT
    return Outcome.REJECTED


def _told(result: FundTransUniTransferResult | FundTransCommonQueryResult) -> Answer:
    outcome = _STATUSES.get(result.status or "", Outcome.UNKNOWN)
    code: str | None = None
    message: str | None = None
    if isinstance(result, FundTransCommonQueryResult):
        told, paid_at = result.trans_amount, result.pay_date
        code, message = result.error_code, result.fail_reason or result.fail_inst_reason
    else:
        told, paid_at = result.amount, result.trans_date
    if outcome is Outcome.UNKNOWN:
        code, message = "status", f"status={result.status}"
    return Answer(
        outcome,
        code,
        message,
        order_id=result.order_id,
        pay_fund_order_id=result.pay_fund_order_id,
        amount=told,
        paid_at=paid_at if outcome is Outcome.SUCCEEDED else None,
    )


def _alipay_payee(payee: Payee) -> AlipayPayee:
    card = None
    if payee.kind is PayeeKind.BANK_CARD:
        company = payee.card_holder == "company"
        card = BankCard(
            account_type=CardHolder.COMPANY if company else CardHolder.PERSON,
            inst_name=payee.bank_name,
            inst_branch_name=payee.bank_branch,
            bank_code=payee.bank_code,
        )
    return AlipayPayee(
        identity=payee.identity,
        identity_type=_IDENTITIES[payee.kind],
        name=payee.name,
        bankcard_ext_info=card,
    )
