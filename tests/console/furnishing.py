"""A house with things in its rooms: pages that need rows of their own, and where they are."""

from __future__ import annotations

from datetime import timedelta

from console.houses import House
from daozhang.clock import business_day
from daozhang.money import Money
from daozhang.service.audit.model import SYSTEM
from daozhang.service.ledger.configuring import set_book
from daozhang.service.ledger.model import Payout
from daozhang.service.merchants.store import update_merchant
from daozhang.service.transfers.limits import set_limits
from daozhang.service.transfers.model import TransferLimits
from reconciling import morning_after, seller, to_hour
from repacking import repacked
from sharing import AGENCY, COURIER, bind, paid, plan, share, switch
from worlds import open_gateway

ACCOUNT = {"kind": "user_id", "identity": "2088000000000001"}
PHONE = {"kind": "logon_id", "identity": "13800138000", "name": "张小明"}
CARD = {
    "kind": "bank_card",
    "identity": "6222020000000000001",
    "name": "李芳",
    "card_holder": "person",
}
SHEET = (
    "商户单号,收款方式,收款账号,收款人姓名,金额,标题,备注\n"
    "S1,支付宝用户号,2088000000000001\t,,220.00,三月佣金,\n"
    "S2,支付宝用户号,2088000000000001\t,,330.50,三月佣金,\n"
)


def furnish(house: House) -> list[str]:
    """Puts something into each room; the pages that show it."""
    return [
        *_bills(house), *_transfers(house), *_shares(house), *_payouts(house), *_bank(house),
        *_settlements(house),
    ]  # fmt: skip


def _bills(house: House) -> list[str]:
    """A day with two files of its trade bill, of which one stands."""
    world = house.world
    day = business_day(world.clock.now())
    to_hour(world, 10, days=1)
    assert world.api.post(f"/v1/bills/trade/{day}/fetch").status_code == 202
    world.settle()
    (file,) = world.api.get(f"/v1/bills/trade/{day}").json()["files"]
    content = world.api.get(f"/v1/bills/files/{file['id']}/content").content
    given = world.api.post(
        "/v1/bills/files", params={"name": "三月二日.zip"}, content=repacked(content)
    )
    assert given.json()["code"] == "bill_stands"
    return [f"/m/shop/books/{day}", f"/m/shop/books/bills/trade/{day}"]


def _transfers(house: House) -> list[str]:
    """One that has arrived, one that waits for a second person, two to cards, of which one came back, and a sheet that
    waits."""
    world = house.world
    context = world.service.context
    with context.database.begin() as tx:
        limits = TransferLimits(Money.parse("5000"), None, Money.parse("500"), None)
        set_limits(tx, context, SYSTEM, 1, limits)
    for number, amount, payee, title in (
        ("T-ARRIVED", "128.00", PHONE, "三月佣金"),
        ("T-WAITS", "1280.00", PHONE, "年终奖金，请查收；如有疑问请联系财务部王芳"),
        ("T-CARD", "66.60", CARD, "货款"),
        ("T-BACK", "88.00", CARD, "货款"),
    ):
        wish = {"out_biz_no": number, "amount": amount, "payee": payee, "title": title}
        assert world.api.post("/v1/transfers", json=wish).status_code in (201, 202)
        world.settle()
    open_gateway(world)  # so that Alipay tells of it
    for deed in ("arrive", "send_back"):
        world.emulator.play_transfer("T-BACK", deed)
        world.settle()
    sent = world.api.post(
        "/v1/transfer_batches",
        content=SHEET.encode("gb18030"),
        params={"number": "2026-03", "title": "三月佣金"},
        headers={"Content-Type": "text/csv"},
    )
    assert sent.status_code == 202, sent.text
    world.settle()
    assert world.api.post("/v1/transfers/T-ARRIVED/receipt").status_code == 202
    world.advance(10)
    waiting = world.api.get("/v1/transfers/T-WAITS").json()["approval_id"]
    return [
        "/m/shop/transfers",
        "/m/shop/transfers?sheet=2026-03",
        "/m/shop/transfers/T-ARRIVED",
        "/m/shop/transfers/T-WAITS",
        "/m/shop/transfers/T-CARD",
        "/m/shop/transfers/T-BACK",
        "/m/shop/transfers/new?again=T-BACK",
        "/m/shop/transfers/sheets",
        "/m/shop/transfers/sheets/2026-03",
        f"/m/shop/approvals/{waiting}",
        f"/m/shop/approvals/{sent.json()['approval_id']}",
    ]


def _settlements(house: House) -> list[str]:
    """Orders of direct pay: one that is confirmed, one that Alipay refused, and one that waits for somebody."""
    world = house.world
    assert world.api.put("/v1/sharing", json={"direct_pay": True}).status_code == 200
    numbers: list[str] = []
    for is_suspended in (True, False):
        switch(world, direct_pay=True, settlement_suspended=is_suspended)
        number = paid(world, "120.00", subject="凤凰单丛 250g")
        body = {"out_request_no": f"C-{number}", "royalty_freeze": is_suspended}
        asked = world.api.post(f"/v1/orders/{number}/settlements", json=body)
        assert asked.status_code == 201, asked.text
        world.settle()
        numbers.append(number)
    numbers.append(paid(world, "80.00", subject="白毫银针 100g"))
    return [f"/m/shop/orders/{number}" for number in numbers]


def _shares(house: House) -> list[str]:
    """An order that was shared and partly refunded, one whose shares wait, receivers and a plan."""
    world = house.world
    bind(world, AGENCY, COURIER)
    refused = {"type": "loginName", "account": "nobody@example.com", "name": "无名", "memo": "仓库"}
    assert world.api.post("/v1/sharing/receivers", json=refused).status_code == 201
    plan(
        world,
        "agency",
        {"account": AGENCY, "percent": "12.5"},
        {"account": COURIER, "remainder": True},
        pool_percent="20",
        returns="pro_rata",
    )
    shared = paid(world, "200.00", subject="武夷岩茶 500g", share_plan="agency")
    world.refund(shared, "180.00", "R-SHARED")
    world.settle()
    with world.service.context.database.begin() as tx:
        update_merchant(tx, 1, second_person_order_minor=2000)
    waits = paid(world, "300.00", subject="正山小种 礼盒")
    asked = share(
        world, waits, "S-WAITS", (AGENCY, "45.00"), (COURIER, "5.50"), description="三月佣金"
    )
    assert asked.status_code == 202, asked.text
    return [
        f"/m/shop/orders/{shared}",
        f"/m/shop/orders/{waits}",
        f"/m/shop/orders/{waits}/share",
        "/m/shop/sharing",
        "/m/shop/sharing/plans/agency",
        f"/m/shop/approvals/{asked.json()['id']}",
        "/m/shop/approvals",
    ]


def _payouts(house: House) -> list[str]:
    """An account that is paid out the next working day: what comes, what is late, what is frozen."""
    world = house.world
    context = world.service.context
    with context.database.begin() as tx:
        set_book(tx, context, SYSTEM, 1, payout=Payout.LATER, payout_days=1)
    for amount in ("1280.00", "66.60"):
        world.pay(world.order(amount, subject="凤凰单丛"))
    world.pay(world.order("300.00", subject="白毫银针", pay_options={"royalty_freeze": True}))
    morning_after(world)
    world.pay(world.order("35.20", subject="茉莉花茶"))
    morning_after(world)
    return ["/m/shop/payouts", "/m/shop/ledger/settings"]


def _bank(house: House) -> list[str]:
    """Withdrawals that wait, two that are matched, and lines of the bank that nobody has matched."""
    world = house.world
    account = world.emulator.desk.account
    for amount in ("500.00", "80.00", "12.34"):
        account.withdraw(seller(world), Money.parse(amount))
        day = business_day(world.clock.now())
        morning_after(world)
        assert world.api.post(f"/v1/bills/signcustomer/{day}/fetch").status_code == 202
        world.settle()
    today = business_day(world.clock.now())
    lines = [
        (today - timedelta(days=2), "500.00", "提现 20260306001"),
        (today - timedelta(days=1), "80.00", "提现 20260307001"),
        (today, "12.00", "提现 20260308001"),
        (today, "0.34", "提现 20260308002"),
        (today, "7.00", "不知从何而来"),
    ]
    rows = [f"{day},{amount},支付宝(中国)网络技术有限公司,{said}" for day, amount, said in lines]
    content = "\n".join(("交易日期,贷方发生额,对方户名,摘要", *rows)).encode()
    headers = {"Content-Type": "text/csv"}
    given = world.api.post("/v1/bank/statements", content=content, headers=headers)
    assert given.json()["new"] == len(rows), given.text
    first, *_ = world.api.get("/v1/bank").json()["suggestions"]
    wish = {"days": first["days"], "lines": first["lines"]}
    said = world.api.post("/v1/bank/matches", json=wish)
    assert said.status_code == 202, said.text
    return ["/m/shop/bank", "/m/shop/bank/matches", f"/m/shop/approvals/{said.json()['approval']}"]
