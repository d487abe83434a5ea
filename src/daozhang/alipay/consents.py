"""What Alipay tells of what a buyer has agreed to in advance: agreements and holds (apis.md §14)."""

from __future__ import annotations

from datetime import datetime

from daozhang.alipay.notifications import CURRENCY, Notification
from daozhang.money import Money


class AgreementNotification(Notification):
    """About an agreement by which the merchant may deduct (``notify_type=dut_user_...``)."""

    kind = "agreement"
    __slots__ = ()

    @property
    def agreement_no(self) -> str | None:
        """Alipay's number of the agreement."""
        return self._texts.get("agreement_no")

    @property
    def external_agreement_no(self) -> str | None:
        """The merchant's number of it, if it was signed with one."""
        return self._texts.get("external_agreement_no")

    @property
    def status(self) -> str | None:
        """TEMP, NORMAL, STOP or UNSIGN."""
        return self._texts.get("status")

    @property
    def personal_product_code(self) -> str | None:
        """What was signed: CYCLE_PAY_AUTH_P, GENERAL_WITHHOLDING_P."""
        return self._texts.get("personal_product_code")

    @property
    def sign_scene(self) -> str | None:
        """For which trade: INDUSTRY|DIGITAL_MEDIA, ..."""
        return self._texts.get("sign_scene")

    @property
    def sign_time(self) -> datetime | None:
        """When the buyer signed."""
        return self._moment("sign_time")

    @property
    def valid_time(self) -> datetime | None:
        """From when it holds."""
        return self._moment("valid_time")

    @property
    def invalid_time(self) -> datetime | None:
        """Until when it holds; the year 2115 stands for ever."""
        return self._moment("invalid_time")

    @property
    def unsign_time(self) -> datetime | None:
        """When it was ended. On ends only."""
        return self._moment("unsign_time")

    @property
    def alipay_user_id(self) -> str | None:
        """The buyer's user id; newer apps get `alipay_open_id` in its place."""
        return self._texts.get("alipay_user_id")

    @property
    def alipay_open_id(self) -> str | None:
        """The buyer's open id, good for this app only."""
        return self._texts.get("alipay_open_id")

    @property
    def alipay_logon_id(self) -> str | None:
        """The buyer's account, masked."""
        return self._texts.get("alipay_logon_id")


class AgreementSigned(AgreementNotification):
    """The buyer has signed (``dut_user_sign``). It is in effect if its `status` is NORMAL."""

    kind = "agreement_signed"
    __slots__ = ()


class AgreementUnsigned(AgreementNotification):
    """The agreement has ended (``dut_user_unsign``), whoever ended it."""

    kind = "agreement_unsigned"
    __slots__ = ()


class HoldNotification(Notification):
    """About a hold of a buyer's money (``notify_type=fund_auth_...``). The totals are cumulative."""

    kind = "hold"
    __slots__ = ()

    @property
    def auth_no(self) -> str | None:
        """Alipay's number of the hold."""
        return self._texts.get("auth_no")

    @property
    def out_order_no(self) -> str | None:
        """The merchant's number of the hold."""
        return self._texts.get("out_order_no")

    @property
    def operation_id(self) -> str | None:
        """Alipay's number of the operation that is told of."""
        return self._texts.get("operation_id")

    @property
    def out_request_no(self) -> str | None:
        """The merchant's number of that operation."""
        return self._texts.get("out_request_no")

    @property
    def operation_type(self) -> str | None:
        """FREEZE, UNFREEZE or PAY."""
        return self._texts.get("operation_type")

    @property
    def status(self) -> str | None:
        """What became of the operation: SUCCESS, ..."""
        return self._texts.get("status")

    @property
    def amount(self) -> Money | None:
        """How much the operation moved."""
        return self._yuan("amount")

    @property
    def total_freeze_amount(self) -> Money | None:
        """All that was frozen."""
        return self._yuan("total_freeze_amount")

    @property
    def total_unfreeze_amount(self) -> Money | None:
        """All that was let go by now."""
        return self._yuan("total_unfreeze_amount")

    @property
    def total_pay_amount(self) -> Money | None:
        """All that was taken by now."""
        return self._yuan("total_pay_amount")

    @property
    def rest_amount(self) -> Money | None:
        """What is still frozen."""
        return self._yuan("rest_amount")

    @property
    def gmt_trans(self) -> datetime | None:
        """When it happened."""
        return self._moment("gmt_trans")

    @property
    def payer_user_id(self) -> str | None:
        """The buyer's user id; newer apps get `payer_open_id` in its place."""
        return self._texts.get("payer_user_id")

    @property
    def payer_open_id(self) -> str | None:
        """The buyer's open id, good for this app only."""
        return self._texts.get("payer_open_id")

    @property
    def payer_logon_id(self) -> str | None:
        """The buyer's account, masked."""
        return self._texts.get("payer_logon_id")

    @property
    def payee_user_id(self) -> str | None:
        """Who would get the money. Captured notices do not name it."""
        return self._texts.get("payee_user_id")

    def _yuan(self, name: str) -> Money | None:
        text = self._texts.get(name)
        currency = self._texts.get("trans_currency") or CURRENCY
        return Money.parse(text, currency) if text else None


class HoldFrozen(HoldNotification):
    """The buyer has confirmed, and the money is frozen (``fund_auth_freeze``)."""

    kind = "hold_frozen"
    __slots__ = ()


class HoldReleased(HoldNotification):
    """Money was let go (``fund_auth_unfreeze``)."""

    kind = "hold_released"
    __slots__ = ()


class HoldCancelled(HoldNotification):
    """A freeze was undone (``fund_auth_operation_cancel``, unverified)."""

    kind = "hold_cancelled"
    __slots__ = ()


AnyAgreementNotification = AgreementSigned | AgreementUnsigned
"""Every kind of notification about an agreement."""

AnyHoldNotification = HoldFrozen | HoldReleased | HoldCancelled
"""Every kind of notification about a hold."""
