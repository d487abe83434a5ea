"""What Alipay says is in the account, beside the ledger: why they differ is told, and nothing is posted."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest
import sqlalchemy as sa

from daozhang.emulator.faults import FaultName
from daozhang.money import Money
from daozhang.service.ledger import store as ledger
from reconciling import morning_after, pay, seller, to_hour
from worlds import World, running

BALANCE = "alipay.data.bill.balance.query"


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    """A shop whose bills are fetched, at ten in the morning."""
    with running(tmp_path_factory.mktemp("world"), chosen={"fetch_bills": True}) as made:
        to_hour(made, 10, days=1)
        yield made


def ask(world: World) -> dict[str, Any]:
    """The comparison, whose parts make the difference, and which posts nothing."""
    before = move_count(world)
    answer = world.api.post("/v1/ledger/balance_query")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert move_count(world) == before
    difference = Money.parse(told["difference"])
    both = [Money.parse(told[side]["total"]) for side in ("alipay", "ledger")]
    assert both[0] - both[1] == difference
    if told["unexplained"] is None:
        parts = [Money.parse(one["amount"]) for one in told["reasons"]]
        assert Money.total([Money.parse(told["carried"]), *parts]) == difference
    return told


def move_count(world: World) -> int:
    with world.service.context.database.read() as tx:
        counted = tx.execute(sa.select(sa.func.count()).select_from(ledger.moves))
        return int(counted.scalar_one())


def reasons(told: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
    return {
        one["what"]: (one["count"], one["ours"], one["theirs"], one["told_by"])
        for one in told["reasons"]
    }


def test_each_fen_between_alipay_and_the_ledger_has_a_reason(world: World) -> None:
    pay(world, "100.00")
    told = ask(world)
    # Yesterday nothing happened, so there is no bill that opens the book.
    assert (told["since"], told["carried"]) == ("2026-03-03", "1000000.00")
    assert reasons(told) == {"fee": (1, "0.00", "-0.60", "bill")}
    assert told["alipay"]["total"] == "1000099.40"

    morning_after(world)
    told = ask(world)
    assert (told["difference"], told["reasons"], told["carried"]) == ("0.00", [], "0.00")
    assert told["since"] == "2026-03-04"

    # What only tomorrow's bill will tell: the fee, what went to the bank.
    number = pay(world, "50.00")
    world.emulator.desk.account.withdraw(seller(world), Money.parse("200.00"))
    world.emulator.desk.account.top_up(seller(world), Money.parse("5.00"))
    told = ask(world)
    assert told["difference"] == "-195.30"
    assert reasons(told) == {
        "fee": (1, "0.00", "-0.30", "bill"),
        "top_up": (1, "0.00", "5.00", "bill"),
        "withdrawal": (1, "0.00", "-200.00", "bill"),
    }

    # A refund that Alipay has made, and whose answer was lost: it is under way here.
    world.advance(5)
    world.emulator.set_fault(
        FaultName.GATEWAY_BAD_SIGNATURE, method="alipay.trade.refund", out_trade_no=number
    )
    world.emulator.set_fault(FaultName.GATEWAY_20000, method="alipay.trade.fastpay.refund.query")
    world.postman.holding = True
    world.refund(number, "20.00", "R-1")
    world.settle()
    told = ask(world)
    assert told["under_way"] == [{"what": "refunds", "count": 1, "amount": "20.00"}]
    assert reasons(told)["trades"] == (2, "50.00", "30.00", "facts")
    assert told["difference"] == "-215.18"
    world.emulator.clear_faults()
    world.postman.holding = False
    morning_after(world)
    told = ask(world)
    assert (told["difference"], told["under_way"]) == ("0.00", [])


def test_a_balance_that_alipay_does_not_tell_is_a_clear_no(world: World) -> None:
    world.emulator.set_fault(FaultName.GATEWAY_20000, method=BALANCE)
    answer = world.api.post("/v1/ledger/balance_query")
    assert (answer.status_code, answer.json()["code"]) == (409, "balance_not_told")
    assert "支付宝" in answer.json()["detail_zh"]
