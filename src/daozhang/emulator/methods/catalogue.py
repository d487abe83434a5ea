"""Which methods there are: the ones imitated here, and those that only Alipay has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from daozhang.emulator.bill_office import BillOffice
from daozhang.emulator.desk import Desk
from daozhang.emulator.ledger import Product
from daozhang.emulator.methods import (
    agreement,
    bill,
    create,
    hold,
    pay,
    receipt,
    refund,
    sharing,
    trade,
    transfer,
)
from daozhang.emulator.methods.terms import Call

Method = Callable[[Desk, Call], dict[str, Any]]

Handing = Callable[[Desk, Call], str]

PAGES: Final[dict[str, Handing]] = {
    "alipay.trade.page.pay": lambda desk, call: trade.hand_out(desk, call, Product.PAGE),
    "alipay.trade.wap.pay": lambda desk, call: trade.hand_out(desk, call, Product.WAP),
    "alipay.user.agreement.page.sign": agreement.hand_out,
}
"""Methods that a browser opens; each answers with the path of a page."""

APP_PAY: Final = "alipay.trade.app.pay"
APP_FREEZE: Final = "alipay.fund.auth.order.app.freeze"
PRECREATE: Final = "alipay.trade.precreate"
RECEIPT: Final = "alipay.data.bill.ereceipt.query"
BILL: Final = "alipay.data.dataservice.bill.downloadurl.query"


def methods(base_url: str, office: BillOffice) -> dict[str, Method]:
    """The methods of the API by name; ``base_url`` is where a phone finds this emulator."""
    return {
        BILL: bill.download_url(office),
        "alipay.data.bill.balance.query": bill.balance,
        "alipay.data.bill.balancehis.query": bill.balance_of_day,
        "alipay.data.bill.accountlog.query": bill.account_log,
        "alipay.data.bill.ereceipt.apply": receipt.apply,
        RECEIPT: lambda desk, call: receipt.query(desk, call, base_url),
        "alipay.trade.query": trade.query,
        "alipay.trade.close": trade.close,
        "alipay.trade.pay": charge,
        "alipay.trade.create": create.create,
        "alipay.trade.cancel": trade.cancel,
        "alipay.trade.orderinfo.sync": trade.sync_orderinfo,
        PRECREATE: lambda desk, call: trade.precreate(desk, call, base_url),
        "alipay.trade.refund": refund.refund,
        "alipay.trade.fastpay.refund.query": refund.query,
        "alipay.open.app.alipaycert.download": trade.download_certificate,
        APP_PAY: trade.refuse_app_pay,
        "alipay.fund.auth.order.freeze": hold.freeze,
        "alipay.fund.auth.order.voucher.create": lambda desk, call: hold.voucher(
            desk, call, base_url
        ),
        "alipay.fund.auth.order.unfreeze": hold.unfreeze,
        "alipay.fund.auth.operation.detail.query": hold.query,
        "alipay.fund.auth.operation.cancel": hold.cancel,
        APP_FREEZE: hold.refuse_app_freeze,
        "alipay.fund.trans.uni.transfer": transfer.send,
        "alipay.fund.trans.common.query": transfer.query,
        "alipay.trade.royalty.relation.bind": sharing.bind,
        "alipay.trade.royalty.relation.unbind": sharing.unbind,
        "alipay.trade.royalty.relation.batchquery": sharing.list_bound,
        "alipay.trade.royalty.rate.query": sharing.rate,
        "alipay.trade.order.settle": sharing.settle,
        "alipay.trade.order.settle.query": sharing.query,
        "alipay.trade.order.onsettle.query": sharing.unsettled,
        "alipay.trade.settle.confirm": sharing.confirm,
        "alipay.user.agreement.query": agreement.query,
        "alipay.user.agreement.unsign": agreement.unsign,
        "alipay.user.agreement.executionplan.modify": agreement.modify_plan,
    }


def charge(desk: Desk, call: Call) -> dict[str, Any]:
    """``alipay.trade.pay``: what it charges decides who does it."""
    if call.terms.get("agreement_params"):
        return agreement.deduct(desk, call)
    return hold.capture(desk, call) if call.terms.get("auth_no") else pay.pay(desk, call)


V3_GET: Final = frozenset(
    {
        "alipay.fund.trans.common.query",
        "alipay.user.agreement.query",
        "alipay.trade.royalty.rate.query",
        "alipay.trade.order.settle.query",
        BILL,
        "alipay.data.bill.balance.query",
        "alipay.data.bill.balancehis.query",
        "alipay.data.bill.accountlog.query",
        RECEIPT,
    }
)
"""The methods that V3 asks for by GET; all others are POST."""

V3_PATHS: Final = {
    f"/v3/{name.replace('.', '/')}": name
    for name in (
        *sorted(V3_GET),
        "alipay.data.bill.ereceipt.apply",
        "alipay.trade.query",
        "alipay.trade.close",
        "alipay.trade.pay",
        "alipay.trade.create",
        "alipay.trade.cancel",
        "alipay.trade.orderinfo.sync",
        "alipay.trade.precreate",
        "alipay.trade.refund",
        "alipay.trade.fastpay.refund.query",
        "alipay.fund.auth.order.freeze",
        "alipay.fund.auth.order.voucher.create",
        "alipay.fund.auth.order.unfreeze",
        "alipay.fund.auth.operation.detail.query",
        "alipay.fund.auth.operation.cancel",
        "alipay.fund.trans.uni.transfer",
        "alipay.trade.royalty.relation.bind",
        "alipay.trade.royalty.relation.unbind",
        "alipay.trade.royalty.relation.batchquery",
        "alipay.trade.order.settle",
        "alipay.trade.settle.confirm",
        "alipay.user.agreement.unsign",
        "alipay.user.agreement.executionplan.modify",
    )
}
"""The paths of V3 and the methods behind them."""

NOT_IMITATED: Final = frozenset(
    [
        "alipay.data.bill.bail.query",
        "alipay.data.bill.buy.query",
        "alipay.data.bill.sell.query",
        "alipay.data.bill.transfer.query",
        "alipay.fund.account.query",
        "alipay.fund.trans.app.pay",
        "alipay.fund.trans.page.pay",
        "alipay.fund.trans.refund",
        "alipay.merchant.tradecomplain.batchquery",
        "alipay.merchant.tradecomplain.feedback.submit",
        "alipay.merchant.tradecomplain.query",
        "alipay.merchant.tradecomplain.reply.submit",
        "alipay.merchant.tradecomplain.supplement.submit",
        "alipay.offline.material.image.upload",
        "alipay.open.app.mini.templatemessage.send",
        "alipay.open.auth.token.app",
        "alipay.open.auth.token.app.query",
        "alipay.open.public.follow.batchquery",
        "alipay.open.public.info.modify",
        "alipay.open.public.info.query",
        "alipay.open.public.label.create",
        "alipay.open.public.label.query",
        "alipay.open.public.life.msg.recall",
        "alipay.open.public.life.msg.send",
        "alipay.open.public.matchuser.label.create",
        "alipay.open.public.menu.batchquery",
        "alipay.open.public.menu.create",
        "alipay.open.public.menu.modify",
        "alipay.open.public.menu.query",
        "alipay.open.public.message.content.create",
        "alipay.open.public.message.custom.send",
        "alipay.open.public.message.single.send",
        "alipay.open.public.message.total.send",
        "alipay.open.public.qrcode.create",
        "alipay.open.public.template.message.get",
        "alipay.open.public.template.message.industry.modify",
        "alipay.open.public.user.follow.query",
        "alipay.security.risk.complaint.file.upload",
        "alipay.security.risk.complaint.info.batchquery",
        "alipay.security.risk.complaint.info.query",
        "alipay.security.risk.complaint.process.finish",
        "alipay.security.risk.complaint.reply.send",
        "alipay.security.risk.customerrisk.send",
        "alipay.security.risk.customerriskrank.get",
        "alipay.system.oauth.token",
        "alipay.trade.advance.consult",
        "alipay.trade.customs.declare",
        "alipay.trade.customs.query",
        "alipay.trade.overseas.settle",
        "alipay.trade.page.refund",
        "alipay.trade.refund.apply",
        "alipay.trade.settle.receivables.query",
        "alipay.user.agreement.transfer",
        "alipay.user.certify.open.certify",
        "alipay.user.certify.open.initialize",
        "alipay.user.certify.open.query",
        "alipay.user.info.share",
    ]
)
"""Methods that Alipay has and this emulator does not pretend to have."""
