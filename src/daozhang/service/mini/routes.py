"""Mini programs over HTTP: make the trade, check what came back, read a phone number."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from daozhang.alipay.buyers import BuyerRef
from daozhang.alipay.errors import Rejected, Untrusted
from daozhang.alipay.phone_numbers import decrypt_phone
from daozhang.service.auth.dependencies import caller_with
from daozhang.service.auth.model import Caller
from daozhang.service.inquiries.actions import Inquirer
from daozhang.service.inquiries.app_results import SHOWN, what_to_show
from daozhang.service.merchants.clients import clients_of
from daozhang.service.mini.creating import make_trade
from daozhang.service.mini.refusals import BuyerInvalid, PhoneNotRead
from daozhang.service.orders.actions import lock_numbered, read_order
from daozhang.service.orders.handing import sign_for, unpayable
from daozhang.service.orders.model import Way
from daozhang.service.orders.refusals import OrderNotPayable, WayDiffers
from daozhang.service.orders.routes import render
from daozhang.service.orders.views import OrderOut
from daozhang.service.web.context import context_of

router = APIRouter(tags=["mini programs"])

Writer = Annotated[Caller, Depends(caller_with("orders:write"))]


class MiniPaymentIn(BaseModel):
    """Who pays, inside Alipay. Exactly one of the two ids."""

    model_config = ConfigDict(extra="forbid")

    buyer_id: str | None = Field(None, max_length=128, description="16 digits, 2088...")
    buyer_open_id: str | None = Field(
        None, max_length=128, description="Instead, if your app is told open ids."
    )
    op_app_id: str | None = Field(
        None, pattern=r"^[0-9]{16}$", description="The mini program's own app id."
    )

    def buyer(self) -> BuyerRef:
        """The buyer that it names; raises `BuyerInvalid`."""
        if (self.buyer_id is None) == (self.buyer_open_id is None):
            raise BuyerInvalid("Both or none are given.")
        try:
            if self.buyer_id is not None:
                return BuyerRef.user_id(self.buyer_id)
            return BuyerRef.open_id(self.buyer_open_id or "")
        except ValueError as problem:
            raise BuyerInvalid(str(problem)) from None


class MiniPaymentOut(BaseModel):
    """What the mini program pays with: ``my.tradePay({tradeNO: trade_no})``."""

    object: str = "mini_payment"
    out_trade_no: str
    trade_no: str
    expires_at: datetime


@router.post(
    "/v1/orders/{out_trade_no}/mini_payment",
    response_model=MiniPaymentOut,
    summary="Make the trade of a mini program",
)
def post_mini_payment(
    request: Request, caller: Writer, out_trade_no: str, wanted: MiniPaymentIn
) -> MiniPaymentOut:
    """The trade of an order with `way` `mini`, for one buyer. The same again gives the same one."""
    context = context_of(request)
    buyer = wanted.buyer()
    with context.database.begin() as tx:
        order = lock_numbered(tx, caller.merchant_id, out_trade_no)
        if order.way is not Way.MINI:
            raise WayDiffers(order, Way.MINI)
        if (problem := unpayable(order, context)) is not None:
            raise OrderNotPayable(order, problem)
        sign_for(tx, order, context)
    trade_no = make_trade(context, clients_of(request), order, buyer, wanted.op_app_id)
    return MiniPaymentOut(
        out_trade_no=order.out_trade_no, trade_no=trade_no, expires_at=order.expires_at
    )


class MiniResultIn(BaseModel):
    """What ``my.tradePay`` gave the mini program."""

    model_config = ConfigDict(extra="ignore")

    resultCode: str = Field(max_length=16)  # noqa: N815 - Alipay's own name


class MiniResultOut(BaseModel):
    """What to show the buyer. What counts is the order beside it."""

    object: str = "mini_result"
    result_code: str
    show: str = Field(description="paid, confirming, cancelled, not_paid, closed or refunded")
    message: str
    message_zh: str
    order: OrderOut


@router.post(
    "/v1/orders/{out_trade_no}/mini_result",
    response_model=MiniResultOut,
    summary="Check what your mini program got back",
)
def check_mini_result(
    request: Request, caller: Writer, out_trade_no: str, got: MiniResultIn
) -> MiniResultOut:
    """Asks Alipay about the order, and says what to show. What the phone says decides nothing."""
    context = context_of(request)
    inquirer: Inquirer = request.app.state.inquirer
    with context.database.read() as tx:
        order = read_order(tx, caller.merchant_id, out_trade_no)
    if order.way is not Way.MINI:
        raise WayDiffers(order, Way.MINI)
    order = inquirer.inquire(order)
    show = what_to_show(order, got.resultCode)
    english, chinese = SHOWN[show]
    return MiniResultOut(
        result_code=got.resultCode,
        show=show,
        message=english,
        message_zh=chinese,
        order=render(context, order, caller.merchant_slug),
    )


class PhoneNumberIn(BaseModel):
    """What ``my.getPhoneNumber`` gave the mini program, unchanged."""

    model_config = ConfigDict(extra="ignore")

    response: str = Field(max_length=16384)
    sign: str = Field(max_length=1024)


class PhoneNumberOut(BaseModel):
    """The buyer's number. It is not kept here."""

    object: str = "phone_number"
    mobile: str


@router.post(
    "/v1/phone_numbers", response_model=PhoneNumberOut, summary="Read an encrypted phone number"
)
def post_phone_number(request: Request, caller: Writer, given: PhoneNumberIn) -> PhoneNumberOut:
    """Verifies what the mini program got, decrypts it, and answers the number. Nothing is kept."""
    clients = clients_of(request)
    merchant = clients.merchant(caller.merchant_id)
    encrypt_key = clients.encrypt_key_for(merchant)
    if encrypt_key is None:
        raise PhoneNotRead(None)
    answer = {"response": given.response, "sign": given.sign}
    try:
        read = decrypt_phone(answer, clients.verifying_keys_for(merchant), encrypt_key)
    except (Untrusted, Rejected) as refused:
        raise PhoneNotRead(refused) from None
    return PhoneNumberOut(mobile=read.mobile)
