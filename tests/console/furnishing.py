"""A house with things in its rooms: pages that need rows of their own, and where they are."""

from __future__ import annotations

from console.houses import House
from daozhang.clock import business_day
from daozhang.money import Money
from daozhang.service.audit.model import SYSTEM
from daozhang.service.transfers.limits import set_limits
from daozhang.service.transfers.model import TransferLimits
from reconciling import to_hour
from repacking import repacked

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
    return [*_bills(house), *_transfers(house)]


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
    """One that has arrived, one that waits for a second person, one to a card, and a sheet that waits."""
    world = house.world
    context = world.service.context
    with context.database.begin() as tx:
        limits = TransferLimits(Money.parse("5000"), None, Money.parse("500"), None)
        set_limits(tx, context, SYSTEM, 1, limits)
    for number, amount, payee, title in (
        ("T-ARRIVED", "128.00", PHONE, "三月佣金"),
        ("T-WAITS", "1280.00", PHONE, "年终奖金，请查收；如有疑问请联系财务部王芳"),
        ("T-CARD", "66.60", CARD, "货款"),
    ):
        wish = {"out_biz_no": number, "amount": amount, "payee": payee, "title": title}
        assert world.api.post("/v1/transfers", json=wish).status_code in (201, 202)
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
        "/m/shop/transfers/sheets",
        "/m/shop/transfers/sheets/2026-03",
        "/m/shop/approvals",
        f"/m/shop/approvals/{waiting}",
        f"/m/shop/approvals/{sent.json()['approval_id']}",
    ]
