"""Holds, agreements and charges are watched: what is unknown counts as money at risk, and leads to its story."""

from __future__ import annotations

from typing import Any

import pytest

from agreeing import signed, to_the_try
from daozhang.service.charges.rules import ASK_DELAYS_SECONDS
from daozhang.service.doctor.model import Result
from daozhang.service.doctor.storage import check_steps
from daozhang.service.watch.exposition import write_metrics
from daozhang.service.watch.rules import alerts_of
from holding import capture, create, frozen, release, scan
from worlds import World

CANCEL = "alipay.fund.auth.operation.cancel"
PAY = "alipay.trade.pay"
QUERY = "alipay.fund.auth.operation.detail.query"
TRADE_QUERY = "alipay.trade.query"
UNFREEZE = "alipay.fund.auth.order.unfreeze"
FROZEN = 'daozhang_holds_frozen_minor_units{currency="CNY",environment="emulator"}'


@pytest.fixture
def world(shared_world: World) -> World:
    """Each test has things of its own."""
    return shared_world


def at_risk(world: World, number: str) -> dict[str, dict[str, Any]]:
    """What is at risk about a number, by cause; each with a story that can be read."""
    answer = world.api.get("/v1/money_at_risk").json()
    found = {one["cause"]: one for one in answer["data"] if one["out_trade_no"] == number}
    for one in found.values():
        assert world.api.get(one["story_url"]).status_code == 200
    return found


def metrics(world: World) -> dict[str, float]:
    text = write_metrics(world.service.lookout.look()).decode()
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


def test_a_charge_of_which_nobody_knows_is_at_risk_until_it_is_proven(world: World) -> None:
    number = frozen(world)
    own = f"{number}-c1"
    world.emulator.set_fault("notify_never", out_trade_no=own)
    world.emulator.set_fault("gateway_20000", method=PAY, out_trade_no=own, times=1)
    world.emulator.set_fault("gateway_20000", method=TRADE_QUERY, out_trade_no=own, times=1)
    capture(world, number, "120.00", own)
    world.settle()
    (one,) = at_risk(world, own).values()
    assert (one["cause"], one["amount"]) == ("charge_unknown", "120.00")
    assert one["order_url"] == f"/v1/orders/{own}"
    seen = metrics(world)
    assert seen['daozhang_charges_open{kind="hold",phase="asking"}'] == 1
    labels = 'age="under_5m",cause="charge_unknown",currency="CNY",environment="emulator"'
    assert seen[f"daozhang_money_at_risk_minor_units{{{labels}}}"] == 12000
    world.advance(120)
    assert at_risk(world, own) == {}
    assert world.read(own)["status"] == "paid"


def test_a_hold_that_cannot_be_undone_is_at_risk(world: World) -> None:
    number = create(world)
    scan(world, number, "asks")
    world.emulator.set_fault("gateway_20000", method=CANCEL, out_trade_no=number)
    world.emulator.set_fault("gateway_20000", method=QUERY, out_trade_no=number)
    assert world.api.post(f"/v1/holds/{number}/cancel").status_code == 202
    (one,) = at_risk(world, number).values()
    assert (one["cause"], one["amount"], one["detail"]) == ("hold_cancelling", "500.00", "closing")
    assert (one["hold_url"], one["order_url"]) == (f"/v1/holds/{number}", None)
    world.advance(3600)
    # A person was told: it is counted by that, once, and the way leads to the hold.
    (one,) = at_risk(world, number).values()
    assert (one["cause"], one["hold_url"]) == ("surprise_open", f"/v1/holds/{number}")
    world.emulator.clear_faults()
    world.advance(1200)


def test_a_release_in_doubt_is_at_risk_and_what_is_frozen_is_counted(world: World) -> None:
    before = metrics(world).get(FROZEN, 0.0)
    number = frozen(world)
    assert metrics(world)[FROZEN] - before == 50000
    world.emulator.set_fault("notify_never", out_trade_no=number)
    world.emulator.set_fault("gateway_20000", method=UNFREEZE, times=1)
    release(world, number, "80.00", f"{number}-r1")
    world.settle()
    (one,) = at_risk(world, number).values()
    assert (one["cause"], one["amount"]) == ("release_unknown", "80.00")
    assert one["out_request_no"] == f"{number}-r1"
    world.advance(60)
    assert at_risk(world, number) == {}
    assert metrics(world)[FROZEN] - before == 42000


def test_nothing_is_late_and_nothing_unwatched(world: World) -> None:
    number = signed(world)
    to_the_try(world, number)
    context = world.service.context
    assert check_steps(context).result is Result.OK
    seen = metrics(world)
    for kind in ("hold", "agreement", "charge"):
        assert seen[f'daozhang_consents_unwatched{{kind="{kind}"}}'] == 0
        assert seen[f'daozhang_steps_late_seconds{{kind="{kind}"}}'] == 0


def test_what_nobody_works_off_is_seen(world: World) -> None:
    signed(world)
    context = world.service.context
    here = context.clock.now()
    # The clock goes on and no worker looks: as when daozhang serve has died.
    world.clock.advance(3 * 86400)
    finding = check_steps(context)
    assert (finding.result, "agreement" in finding.about) == (Result.WARN, True)
    keys = {alert.key for alert in alerts_of(world.service.lookout.look())}
    assert "steps_late" in keys
    assert context.clock.now() > here
    world.settle()
    assert check_steps(context).result is Result.OK


def test_an_order_that_is_charged_is_asked_about_by_its_charge_alone(world: World) -> None:
    number = frozen(world)
    own = f"{number}-c1"
    world.emulator.set_fault("notify_never", out_trade_no=own)
    world.emulator.set_fault("gateway_20000", method=PAY, out_trade_no=own)
    questions = world.emulator.set_fault("gateway_20000", method=TRADE_QUERY, out_trade_no=own)
    capture(world, number, "120.00", own)
    world.advance(600)
    due = [sum(ASK_DELAYS_SECONDS[:count]) for count in range(1, len(ASK_DELAYS_SECONDS))]
    assert questions.struck == len([seconds for seconds in due if seconds <= 600])
    world.emulator.clear_faults()
    world.advance(7200)
    assert world.read(own)["status"] in ("paid", "closed")
