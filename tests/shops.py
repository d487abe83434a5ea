"""Three merchants on two Alipay accounts: for tests in which several share one."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx2

from books import check_books
from daozhang.emulator.switches import changed
from daozhang.service.audit.model import SYSTEM
from daozhang.service.ledger.configuring import set_book_as
from daozhang.service.ledger.model import Payout
from daozhang.service.merchants.model import Merchant
from daozhang.service.transfers.limits import set_limits
from daozhang.service.transfers.model import TransferLimits
from people_here import add_person
from sharing import AGENCY, COURIER
from weather import GATEWAY_TIMEOUT_SECONDS
from worlds import World, app_of, register

FEE_PPM: Final = 6000


@dataclass(frozen=True)
class Shop:
    """A merchant, and how its systems talk to the service."""

    slug: str
    app_id: str
    seller_id: str
    merchant: Merchant
    api: httpx2.Client


@contextmanager
def three_shops(directory: Path) -> Generator[tuple[World, list[Shop]]]:
    """A world with the merchants ``shop`` and ``till`` on one Alipay account, and ``market`` on another,
    whose payments are paid out the next working day."""
    chosen = {"fetch_bills": True, "gateway_timeout_seconds": GATEWAY_TIMEOUT_SECONDS}
    world = World(directory, chosen=chosen)
    clients: list[httpx2.Client] = []
    try:
        context = world.service.context
        given = {
            "shop": world.emulator.credentials("shop"),
            "till": world.emulator.credentials("till", seller_of="shop"),
            "market": world.emulator.credentials("market"),
        }
        keys = {
            slug: register(context, app_of(own), seller_id=own["seller_id"], slug=slug)
            for slug, own in given.items()
            if slug != "shop"
        }
        world.start()
        shops: list[Shop] = []
        for number, (slug, own) in enumerate(given.items(), 1):
            api = world.api
            if slug in keys:
                api = httpx2.Client(
                    base_url=context.settings.public_url,
                    headers={"Authorization": f"Bearer {keys[slug]}"},
                    timeout=60,
                    trust_env=False,
                    verify=False,
                )
                clients.append(api)
            merchant = world.service.clients.merchant(number)
            assert merchant.slug == slug
            shops.append(Shop(slug, own["app_id"], own["seller_id"], merchant, api))
        for shop in shops:
            _open(world, shop)
        market = shops[-1].merchant
        owner = add_person(context, "owner")
        set_book_as(context, owner, market.id, payout=Payout.LATER, fee_ppm=FEE_PPM)
        yield world, shops
        check_books(context.database)
    finally:
        for client in clients:
            client.close()
        world.stop()


def _open(world: World, shop: Shop) -> None:
    """Everything that a merchant sets up once."""
    desk, context = world.emulator.desk, world.service.context
    days = 1 if shop.slug == "market" else 0
    gateway = f"{context.settings.public_url}/alipay/notify/{shop.slug}"
    switches = {"gateway_url": gateway, "settlement_days": days, "card_transfer_seconds": 7200}
    desk.set_switches(shop.app_id, changed(desk.switches(shop.app_id), switches))
    with context.database.begin() as tx:
        set_limits(tx, context, SYSTEM, shop.merchant.id, TransferLimits(None, None, None, None))
    for account in (AGENCY, COURIER):
        answer = shop.api.post("/v1/sharing/receivers", json={"account": account})
        assert answer.status_code == 201, answer.text
    plan = {
        "parts": [{"account": AGENCY, "percent": "10"}, {"account": COURIER, "percent": "5.5"}],
        "returns": "pro_rata",
    }
    answer = shop.api.put("/v1/sharing/plans/both", json=plan)
    assert answer.status_code == 200, answer.text
    world.settle()
