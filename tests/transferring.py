"""The hands of a merchant who sends money: for the tests of transfers."""

from __future__ import annotations

from itertools import count
from typing import Any

import sqlalchemy as sa

from daozhang.money import Money
from daozhang.service.audit.model import SYSTEM
from daozhang.service.ledger.store import moves
from daozhang.service.people.model import Person, Role
from daozhang.service.transfers.limits import set_limits
from daozhang.service.transfers.model import TransferLimits
from people_here import add_person
from worlds import World

SEND = "alipay.fund.trans.uni.transfer"
QUERY = "alipay.fund.trans.common.query"
ACCOUNT = {"kind": "user_id", "identity": "2088000000000001"}
LOGON = {"kind": "logon_id", "identity": "13800138000", "name": "张小明"}
CARD = {
    "kind": "bank_card",
    "identity": "6222020000000000001",
    "name": "李芳",
    "card_holder": "person",
}
numbers = count(1)


def allow(world: World, **limits: str) -> None:
    names = ("single_max", "day_max", "second_person_single", "second_person_day")
    amounts = {name: Money.parse(limits[name]) if name in limits else None for name in names}
    context = world.service.context
    with context.database.begin() as tx:
        set_limits(tx, context, SYSTEM, 1, TransferLimits(**amounts))


def body(number: str = "", **fields: Any) -> dict[str, Any]:
    given = {"amount": "50.00", "payee": ACCOUNT, "title": "三月佣金"}
    return {"out_biz_no": number or f"T-{next(numbers)}", **given, **fields}


def send(world: World, **fields: Any) -> str:
    asked = body(**fields)
    answer = world.api.post("/v1/transfers", json=asked)
    assert answer.status_code in (201, 202), answer.text
    return asked["out_biz_no"]


def read(world: World, number: str) -> dict[str, Any]:
    answer = world.api.get(f"/v1/transfers/{number}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def told(world: World, number: str) -> list[str]:
    return [
        event.type
        for event in world.events_without_order()
        if event.data.get("transfer", {}).get("out_biz_no") == number
        or (event.data.get("surprise") or {}).get("out_trade_no") == number
    ]


def at_alipay(world: World, number: str) -> list[Any]:
    return [one for one in world.emulator.transfers if one.number == number]


def posted(world: World, number: str) -> list[str]:
    with world.service.context.database.read() as tx:
        found = tx.execute(
            sa.select(moves.c.kind).where(moves.c.key == number).order_by(moves.c.id)
        )
        return [row.kind for row in found]


def code_of(world: World, asked: dict[str, Any]) -> str:
    answer = world.api.post("/v1/transfers", json=asked)
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.json()["detail_zh"]
    return answer.json()["code"]


def person(world: World, *roles: Role) -> Person:
    return add_person(world.service.context, f"p{next(numbers)}", *roles)
