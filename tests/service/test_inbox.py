"""The inbox through its front door: what is counted, kept, confirmed, awaited, and surprising."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from daozhang.service.inbox.store import REFUSED_SAMPLES_MAX
from daozhang.service.orders.surprises import list_surprises
from databases import refusing
from deployment import APP_ID, SELLER_ID, KeyPair
from signed_world import SignedWorld, paid, signed, signed_world

HOUR_SECONDS = 3600


@pytest.fixture
def world(tmp_path: Path) -> Generator[SignedWorld]:
    with signed_world(tmp_path) as running:
        yield running


def surprises_of(world: SignedWorld) -> list[tuple[str | None, str]]:
    """Order number and reason of every surprise that waits for a person."""
    with world.context.database.read() as tx:
        found = list_surprises(tx, 1)
    return [(surprise.out_trade_no, surprise.reason) for surprise in found]


def test_copies_are_counted_and_change_nothing(world: SignedWorld) -> None:
    world.create("A-1")
    for _ in range(3):
        world.tell(paid("A-1"))
        world.pass_time(1)

    assert world.events() == [("order.paid", "A-1")]
    assert [row["copies"] for row in world.story("A-1", "notification")] == [3]
    assert len(world.story("A-1", "step")) == 1


def test_the_same_id_with_other_content_is_another_fact(world: SignedWorld) -> None:
    world.create("A-1")
    world.tell(paid("A-1", notify_id="one"))
    world.tell(paid("A-1", notify_id="one", trade_status="TRADE_FINISHED"))
    world.pass_time()

    assert world.order("A-1")["status"] == "finished"
    assert world.events() == [("order.paid", "A-1"), ("order.finished", "A-1")]


def test_of_what_is_not_believed_all_is_counted_and_a_bounded_sample_kept(
    world: SignedWorld,
) -> None:
    world.create("A-1")
    forged = signed(paid("A-1"), KeyPair.generate())
    for number in range(REFUSED_SAMPLES_MAX + 1):
        answer = world.notify(forged + b"&n=%d" % number)
        assert (answer.status_code, answer.content) == (400, b"fail: not believed: bad_signature")
    world.pass_time()

    assert world.refused() == (REFUSED_SAMPLES_MAX + 1, REFUSED_SAMPLES_MAX)
    assert world.order("A-1")["status"] == "created"
    assert world.story("A-1", "notification") == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"total_amount": "88.87"}, "amount_differs"),
        ({"total_amount": "0.01", "receipt_amount": "88.88"}, "amount_differs"),
        ({"seller_id": "2088999999999999"}, "seller_id_differs"),
        ({"app_id": "2021999999999999", "auth_app_id": None}, "app_id_differs"),
        ({"auth_app_id": "2021999999999999"}, "app_id_differs"),
        ({"refund_fee": "88.89", "out_biz_no": "R-1"}, "refund_exceeds_total"),
    ],
)
def test_what_does_not_agree_with_the_order_is_for_a_person(
    world: SignedWorld, changes: dict[str, str | None], reason: str
) -> None:
    world.create("A-1")
    world.tell(paid("A-1", **changes))
    world.pass_time()

    order = world.order("A-1")
    assert (order["status"], order["attention"]) == ("created", True)
    assert [entry["reason"] for entry in world.story("A-1", "surprise")] == [reason]
    assert [row["status"] for row in world.story("A-1", "notification")] == ["surprised"]
    assert world.events() == [("order.surprise", "A-1")]


def test_an_order_in_another_currency_is_refused_because_the_page_would_charge_yuan(
    world: SignedWorld,
) -> None:
    answer = world.api.post(
        "/v1/orders",
        json={"out_trade_no": "A-1", "amount": "88.88", "subject": "茶", "currency": "USD"},
    )

    assert (answer.status_code, answer.json()["code"]) == (422, "currency_not_taken")


@pytest.mark.parametrize("lacking", [{"app_id": None, "auth_app_id": None}, {"seller_id": None}])
def test_what_lacks_an_identity_is_believed_once_a_query_confirms_it(
    world: SignedWorld, lacking: dict[str, str | None]
) -> None:
    world.create("A-1")
    fields = paid("A-1", **lacking)
    world.gateway.trades["A-1"] = {
        "out_trade_no": "A-1",
        "trade_no": fields["trade_no"],
        "trade_status": "TRADE_SUCCESS",
        "total_amount": "88.88",
    }

    world.tell(fields)
    world.pass_time()

    assert world.gateway.questions == ["A-1"]
    assert world.order("A-1")["status"] == "paid"
    assert world.events() == [("order.paid", "A-1")]


def test_what_lacks_an_identity_and_is_contradicted_is_for_a_person(world: SignedWorld) -> None:
    world.create("A-1")
    world.tell(paid("A-1", seller_id=None))
    world.pass_time()

    assert world.gateway.questions == ["A-1"]
    order = world.order("A-1")
    assert (order["status"], order["attention"]) == ("created", True)
    assert surprises_of(world) == [("A-1", "notification_contradicted")]
    assert world.events() == [("order.surprise", "A-1")]


def test_a_payment_of_an_unknown_order_waits_an_hour_then_a_person_is_told_then_it_still_counts(
    world: SignedWorld,
) -> None:
    world.tell(paid("A-1"))
    world.pass_time(HOUR_SECONDS - 1)
    assert surprises_of(world) == []

    world.pass_time(1)
    assert surprises_of(world) == [("A-1", "payment_without_order")]
    assert world.events() == [("order.surprise", "A-1")]
    world.pass_time(HOUR_SECONDS)
    assert len(world.events()) == 1

    world.create("A-1")
    world.pass_time()
    assert world.order("A-1")["status"] == "paid"
    assert world.events() == [("order.surprise", "A-1"), ("order.paid", "A-1")]


@pytest.mark.parametrize(
    "changes",
    [{"out_trade_no": None}, {"trade_status": "TRADE_HAUNTED"}, {"out_trade_no": "9" * 65}],
)
def test_a_trade_that_cannot_be_understood_is_for_a_person(
    world: SignedWorld, changes: dict[str, str | None]
) -> None:
    world.create("A-1")
    fields = {**paid("A-1"), **changes}
    world.tell({name: text for name, text in fields.items() if text is not None})
    world.pass_time()

    assert [reason for _, reason in surprises_of(world)] == ["notification_not_understood"]
    assert [name for name, _ in world.events()] == ["order.surprise"]
    assert world.order("A-1")["status"] == "created"


def test_a_closed_trade_that_had_been_paid_is_asked_about_not_closed(world: SignedWorld) -> None:
    world.create("A-1")
    world.gateway.trades["A-1"] = {
        "out_trade_no": "A-1",
        "trade_no": paid("A-1")["trade_no"],
        "trade_status": "TRADE_SUCCESS",
        "total_amount": "88.88",
    }
    world.tell(paid("A-1", trade_status="TRADE_CLOSED"))
    world.pass_time()
    assert world.order("A-1")["status"] == "created"

    world.pass_time(10)
    assert world.gateway.questions == ["A-1"]
    assert world.order("A-1")["status"] == "paid"


def test_a_message_of_another_kind_is_kept_and_announced_and_not_acted_on(
    world: SignedWorld,
) -> None:
    world.tell(
        {
            "msg_method": "alipay.open.app.notice",
            "notify_id": "m1",
            "app_id": APP_ID,
            "seller_id": SELLER_ID,
            "charset": "utf-8",
            "biz_content": "{}",
        }
    )
    world.pass_time()

    assert world.events() == [("message.received", None)]
    assert (surprises_of(world), world.refused()) == ([], (0, 0))


def test_one_row_that_the_database_refuses_does_not_drag_its_neighbours_along(
    world: SignedWorld,
) -> None:
    numbers = [f"N-{number}" for number in range(7)]
    damaged = "NEW.out_trade_no = 'N-3' AND NEW.status = 'paid'"
    with refusing(world.context.database, "UPDATE", "orders", damaged):
        for number in numbers:
            world.tell(paid(number))
        world.pass_time()
        for number in numbers:
            world.create(number)
        world.pass_time()

        assert {n for n in numbers if world.order(n)["status"] == "paid"} == {*numbers} - {"N-3"}
        assert surprises_of(world) == []

        world.pass_time(HOUR_SECONDS)
    assert surprises_of(world) == [("N-3", "notification_not_applicable")]
    assert world.order("N-3")["attention"] is True
    assert [event for event in world.events() if event[1] == "N-3"] == [("order.surprise", "N-3")]
