"""Stories: whoever is asked what happened can read it, in both languages, and what happens next."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from agreeing import create as create_agreement
from agreeing import number_of, signed, to_the_try
from holding import capture, create, frozen, release, scan
from processes import until
from receivers import receiver
from worlds import World, running

FREEZE = "alipay.fund.auth.order.freeze"
UNFREEZE = "alipay.fund.auth.order.unfreeze"


@pytest.fixture
def world(shared_world: World) -> World:
    """Each test has things of its own."""
    return shared_world


def story(world: World, path: str) -> dict[str, Any]:
    answer = world.api.get(f"/v1/{path}/story")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    times = [datetime.fromisoformat(entry["at"]) for entry in told["entries"]]
    assert times == sorted(times), "it is told in the order of time"
    for said in (*told["entries"], *told["next"]):
        assert said["say"].endswith((".", ")")), said
        assert said["say_zh"].endswith(("。", "）")), said
    return told


def kinds(told: dict[str, Any], *wanted: str) -> list[str]:
    return [entry["kind"] for entry in told["entries"] if entry["kind"] in wanted]


def sentences(told: dict[str, Any], kind: str) -> list[str]:
    return [entry["say"] for entry in told["entries"] if entry["kind"] == kind]


# ---- a hold


def _is_told(world: World, number: str) -> bool:
    world.settle()
    told = sentences(story(world, f"holds/{number}"), "delivery")
    return "127.0.0.1 has hold.released (POSTs made: 1)." in told


def test_the_story_of_a_hold_from_the_scan_to_the_last_fen(tmp_path: Path) -> None:
    allowed = {"webhooks_allow_private": True}
    with running(tmp_path, chosen=allowed) as world, receiver() as hook:
        made = world.api.post("/v1/webhook_endpoints", json={"url": hook.url})
        assert made.status_code == 201, made.text
        number = frozen(world)
        # The answer is to come first: on a busy machine its notice may.
        world.emulator.set_fault("notify_never", out_trade_no=f"{number}-c1")
        capture(world, number, "120.00", f"{number}-c1")
        release(world, number, "80.00", f"{number}-r1")
        world.settle()
        # On PostgreSQL an event waits for transactions that began before it, which a settling does not.
        until(lambda: _is_told(world, number))
        told = story(world, f"holds/{number}")
        paid = story(world, f"orders/{number}-c1")

    assert told["hold"]["out_order_no"] == number
    assert kinds(told, "created", "step", "capture", "release")[0] == "created"
    said = " ".join(entry["say"] for entry in told["entries"])
    assert "The buyer's code was scanned" in said
    assert "Alipay answered the freeze: the money is frozen." in said
    assert "120.00 is to be taken out of the hold" in said
    assert "Alipay was asked to take the money out of the hold." in said
    assert "The end: the buyer was charged." in said
    assert "80.00 was let go: it is the buyer's again." in said
    assert [e["type"] for e in told["entries"] if e["kind"] == "event"] == [
        "hold.authorized", "hold.released",
    ]  # fmt: skip
    assert "127.0.0.1 has hold.released (POSTs made: 1)." in sentences(told, "delivery")
    notices = [e["says"] for e in told["entries"] if e["kind"] == "notification"]
    assert "message:fund_auth_freeze" in notices
    assert [one["say"] for one in told["next"]] == [
        "Alipay is asked whether the money is still frozen."
    ]

    assert "The end: the buyer was charged." in sentences(paid, "charge")
    assert "Alipay answered the payment: paid. The order is paid." in sentences(paid, "step")
    assert "order.paid is announced to your systems." in sentences(paid, "event")
    # What Alipay tells of the hold is no part of an order's story, nor the other way round.
    assert all("fund_auth" not in e.get("says", "") for e in paid["entries"])


def test_a_hold_of_which_nobody_knows_says_so_and_what_is_done(world: World) -> None:
    number = create(world)
    world.emulator.set_fault("gateway_20000", out_trade_no=number, method=FREEZE, times=1)
    assert scan(world, number)["status"] == "created"
    told = story(world, f"holds/{number}")
    assert "No clear answer to the freeze came: it is asked again." in sentences(told, "step")
    ahead = told["next"]
    assert ahead[0]["say"] == "Alipay is asked whether the buyer has confirmed."
    assert datetime.fromisoformat(ahead[0]["at"]) > world.clock.now()
    world.advance(60)
    refused = frozen(world)
    world.emulator.set_fault("notify_never", out_trade_no=refused)
    world.emulator.set_fault("gateway_20000", method=UNFREEZE, times=1)
    release(world, refused, "80.00", f"{refused}-r1")
    world.settle()
    told = story(world, f"holds/{refused}")
    assert "No clear answer to the release came: it is asked again." in sentences(told, "step")
    assert told["next"][0]["say"].startswith("The release of 80.00 is sent, or")
    world.advance(60)
    told = story(world, f"holds/{refused}")
    assert "Alipay has let it go." in sentences(told, "step")


def test_a_hold_that_is_refused_is_told_with_what_to_do(world: World) -> None:
    number = create(world)
    scan(world, number, "declines", sub_code="MONEY_NOT_ENOUGH")
    world.advance(600)
    told = story(world, f"holds/{number}")
    said = " ".join(sentences(told, "step"))
    assert (
        "Alipay refused the freeze (MONEY_NOT_ENOUGH). The buyer's account has too little" in said
    )
    assert told["hold"]["status"] == "closed"
    assert told["next"] == []


# ---- a refund


def test_a_part_that_goes_back_is_told_as_what_it_is(world: World) -> None:
    number = world.order("50.00")
    world.pay(number)
    world.advance(5)
    world.refund(number, "8.00", "R-1")
    world.advance(60)
    steps = sentences(story(world, f"orders/{number}"), "step")
    assert len([said for said in steps if "The order is paid." in said]) == 1
    assert any(said.endswith("8.00 has gone back.") for said in steps), steps


# ---- an agreement


def test_the_story_of_an_agreement_with_a_try_that_failed(world: World) -> None:
    number = signed(world)
    told = story(world, f"agreements/{number}")
    steps = sentences(told, "step")
    assert any("The agreement is in effect" in one for one in steps)
    assert "The buyer is charged for the present period." in [n["say"] for n in told["next"]]

    world.emulator.set_fault("buyer_balance_not_enough", out_trade_no=number_of(number))
    to_the_try(world, number)
    world.advance(60)
    told = story(world, f"agreements/{number}")
    # Asked about every day, and told once.
    daily = [one for one in sentences(told, "step") if "The same " in one]
    assert len(daily) == 1
    assert "times more, until" in daily[0]
    assert sentences(told, "notification") == ["Alipay told us: the buyer has signed."]
    assert sentences(told, "charge")[:2] == [
        "Alipay was asked to charge the buyer, as agreed.",
        "Alipay refused the charge (ACQ.BUYER_BALANCE_NOT_ENOUGH). The buyer has too little money: tell "
        "the buyer, and try again later.",
    ]
    assert sentences(told, "deduction")[-1].startswith("This try has failed, proven")
    events = [e["type"] for e in told["entries"] if e["kind"] == "event"]
    assert events == ["agreement.signed", "agreement.deduction_failed"]
    assert "The buyer is charged for the present period." in [n["say"] for n in told["next"]]
    to_the_try(world, number)
    told = story(world, f"agreements/{number}")
    assert sentences(told, "deduction")[-1] == "The period is paid."
    order = story(world, f"orders/{number_of(number)}")
    assert "The end: the buyer was not charged, and will not be by this number." in sentences(
        order, "charge"
    )


def test_an_agreement_that_nobody_signs(world: World) -> None:
    made = create_agreement(world)
    told = story(world, f"agreements/{made['external_agreement_no']}")
    assert kinds(told, "created", "step") == ["created"]
    assert [one["say"] for one in told["next"]][-1] == "The page to sign dies."


def test_a_story_is_its_merchants_and_nobody_elses(world: World) -> None:
    for path in ("holds/none", "agreements/none", "orders/none"):
        assert world.api.get(f"/v1/{path}/story").status_code == 404
    stranger = {"Authorization": "Bearer dz_emulator_none"}
    number = create(world)
    answer = world.api.get(f"/v1/holds/{number}/story", headers=stranger)
    assert answer.status_code == 401
