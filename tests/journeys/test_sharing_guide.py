"""The guide "share a payment": each of its commands, in their order, by the shell's own words."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

from sharing import switch
from worlds import World

GUIDE = Path(__file__).parents[2] / "docs/guides/share-a-payment.md"


def commands() -> list[list[str]]:
    """The words of each command."""
    blocks = re.findall(r"^```\n(curl .*?)```$", GUIDE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    return [shlex.split(block.replace("\\\n", " ")) for block in blocks]


def carry_out(world: World, words: list[str]) -> Any:
    url = next(word for word in words if word.startswith("$DAOZHANG"))
    method = words[words.index("-X") + 1] if "-X" in words else "GET"
    body = json.loads(words[words.index("-d") + 1]) if "-d" in words else None
    assert f"Authorization: Bearer {'$KEY'}" in words
    answer = world.api.request(method, url.removeprefix("$DAOZHANG"), json=body)
    assert answer.status_code in (200, 201), answer.text
    world.settle()
    return answer.json()


def test_what_the_guide_says_is_what_happens(world: World) -> None:
    bind, listed, plan, order, later, read, refund, *_ = commands()
    assert carry_out(world, bind)["status"] == "binding"
    assert [one["status"] for one in carry_out(world, listed)["data"]] == ["bound"]
    carry_out(world, plan)
    number = carry_out(world, order)["out_trade_no"]
    world.pay(number)
    world.settle()
    assert world.events(number) == ["order.paid", "share.succeeded"]
    carry_out(world, later)
    first, second = carry_out(world, read)["data"]
    assert (first["status"], first["amount"], first["plan"]) == ("done", "11.11", "agency")
    assert (second["status"], second["finish"]) == ("done", True)
    asked = carry_out(world, refund)
    back = [one["amount"] for one in asked["refund_royalty_parameters"]]
    assert back == ["5.55", "1.50"]  # half of each, and of the fen the seller's half
    assert world.events(number)[-3:] == ["refund.succeeded", "share.returned", "share.returned"]
    assert world.read(number)["shared_amount"] == "7.06"


def test_what_it_says_of_direct_pay_is_what_happens(world: World) -> None:
    *_, setting, settle = commands()
    switch(world, direct_pay=True)
    assert carry_out(world, setting)["direct_pay"] is True
    world.api.post("/v1/orders", json={"out_trade_no": "T2", "amount": "88.88", "subject": "Tea"})
    world.pay("T2")
    world.settle()
    assert carry_out(world, settle)["amount"] == "88.88"
    assert world.events("T2") == ["order.paid", "settlement.confirmed"]
