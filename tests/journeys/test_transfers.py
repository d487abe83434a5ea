"""Transfers: sent once, whatever becomes of the answer; approved by a second person; back from a bank."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from daozhang.emulator.accounts import Business
from daozhang.emulator.switches import changed
from daozhang.money import Money
from daozhang.service.approvals.actions import decline
from daozhang.service.approvals.refusals import ApproverIsRequester
from daozhang.service.audit.model import SYSTEM
from daozhang.service.merchants.outgoing import turn_outgoing
from daozhang.service.people.model import Role
from daozhang.service.transfers.approving import approve_transfers, payee_for, transfer_as
from daozhang.service.transfers.batch_store import transfer_receipts
from daozhang.service.transfers.model import (
    NewTransfer,
    Payee,
    PayeeKind,
    TransferStatus,
)
from daozhang.service.transfers.store import transfers
from transferring import (
    ACCOUNT,
    CARD,
    LOGON,
    QUERY,
    SEND,
    allow,
    at_alipay,
    body,
    code_of,
    numbers,
    person,
    posted,
    read,
    send,
    told,
)
from worlds import World, open_gateway


@pytest.fixture
def world(shared_world: World) -> World:
    """Each test has transfers of its own; the merchant may send what it likes."""
    allow(shared_world)
    open_gateway(shared_world)
    return shared_world


# ---- sent


@pytest.mark.parametrize("payee", [ACCOUNT, LOGON])
def test_money_is_sent_once_and_the_books_know(world: World, payee: dict[str, str]) -> None:
    number = send(world, payee=payee)
    world.settle()
    shown = read(world, number)
    assert (shown["status"], shown["amount"], shown["attention"]) == ("succeeded", "50.00", False)
    assert payee["identity"] not in str(shown)
    assert told(world, number) == ["transfer.succeeded"]
    assert posted(world, number) == ["transfer"]
    again = world.api.post("/v1/transfers", json=body(number, payee=payee))
    assert (again.status_code, again.json()["status"]) == (200, "succeeded")
    world.settle()
    (sent,) = at_alipay(world, number)
    assert sent.request.identity == payee["identity"]
    assert code_of(world, body(number, payee=payee, amount="50.01")) == "transfer_conflict"
    assert code_of(world, body(number, payee=payee | {"name": "王"})) == "transfer_conflict"


def test_payees_rest_sealed_and_are_shown_by_right(world: World) -> None:
    number = send(world, payee=LOGON)
    with world.service.context.database.read() as tx:
        row = tx.execute(sa.select(transfers).where(transfers.c.out_biz_no == number)).one()
    assert LOGON["identity"] not in str(row)
    assert LOGON["name"].encode() not in row.payee_sealed
    assert read(world, number)["payee"] == "138****8000 **明"
    context = world.service.context
    assert payee_for(context, person(world, Role.FINANCE), 1, number) == "13800138000 张小明"


def test_what_alipay_would_not_take_is_refused_before(world: World) -> None:
    assert code_of(world, body(amount="0.09")) == "transfer_amount_invalid"
    assert code_of(world, body(payee=ACCOUNT | {"identity": "13800138000"})) == "payee_invalid"
    assert code_of(world, body(payee={**LOGON, "name": None})) == "payee_invalid"
    assert code_of(world, body(payee={**CARD, "card_holder": "company"})) == "payee_invalid"
    assert world.api.get("/v1/transfers/none").json()["code"] == "transfer_not_found"


def test_a_definite_no_is_the_end_and_says_what_to_do(world: World) -> None:
    number = send(world, payee=ACCOUNT | {"identity": "2088000000000404"})
    world.settle()
    shown = read(world, number)
    assert (shown["status"], shown["last_code"]) == ("failed", "PAYEE_NOT_EXIST")
    assert "收款" in shown["message_zh"]
    assert told(world, number) == ["transfer.failed"]
    assert posted(world, number) == []


# ---- unknown


def test_an_answer_that_was_lost_after_the_money_went(world: World) -> None:
    number = f"T-{next(numbers)}"
    world.emulator.set_fault(
        "gateway_timeout_after_success", out_trade_no=number, method=SEND, times=1, seconds=3
    )
    send(world, number=number)
    world.settle()
    assert read(world, number)["status"] == "unknown"
    world.advance(20)
    assert read(world, number)["status"] == "succeeded"
    assert told(world, number) == ["transfer.succeeded"]
    assert len(at_alipay(world, number)) == 1


@pytest.mark.parametrize("fault", ["gateway_20000", "gateway_gbk_error"])
def test_a_call_that_never_arrived_is_sent_again_under_its_number(world: World, fault: str) -> None:
    number = f"T-{next(numbers)}"
    world.emulator.set_fault(fault, out_trade_no=number, method=SEND, times=1)
    send(world, number=number)
    world.settle()
    assert read(world, number)["status"] == "unknown"
    assert at_alipay(world, number) == []
    world.advance(20)
    assert read(world, number)["status"] == "succeeded"
    assert len(at_alipay(world, number)) == 1


def test_what_stays_unknown_is_asked_about_and_told_to_people(world: World) -> None:
    number = f"T-{next(numbers)}"
    world.emulator.set_fault("gateway_bad_signature", out_trade_no=number, method=SEND)
    world.emulator.set_fault("gateway_20000", out_trade_no=number, method=QUERY)
    send(world, number=number)
    world.advance(3 * 3600)
    shown = read(world, number)
    assert (shown["status"], shown["attention"]) == ("unknown", True)
    assert told(world, number) == ["order.surprise"]
    listed = world.api.get("/v1/transfers", params={"status": "unknown"}).json()["data"]
    assert number in [one["out_biz_no"] for one in listed]
    world.emulator.clear_faults()
    world.advance(3600)
    assert read(world, number)["status"] == "succeeded"


# ---- waiting


def test_too_little_balance_waits_for_money_and_tells_people(world: World) -> None:
    desk = world.emulator.desk
    (app,) = [one for one in desk.identities.apps() if one.name == "shop"]
    left = desk.accounts.balance(app.seller_id)

    def move(amount: Money) -> None:
        desk.accounts.move(app.seller_id, amount, business=Business.TOP_UP, at=desk.now())

    move(-left)
    number = send(world)
    world.settle()
    shown = read(world, number)
    assert (shown["status"], shown["last_code"]) == ("requested", "PAYER_BALANCE_NOT_ENOUGH")
    assert told(world, number) == ["order.surprise"]
    move(left)
    world.advance(900)
    assert read(world, number)["status"] == "succeeded"
    assert len(at_alipay(world, number)) == 1


def test_the_limit_of_a_day_says_when_it_goes_on(world: World) -> None:
    desk = world.emulator.desk
    app_id = next(one.app_id for one in desk.identities.apps() if one.name == "shop")
    before = desk.switches(app_id)
    desk.set_switches(app_id, changed(before, {"transfer_daily_max": "0.10"}))
    number = send(world)
    world.settle()
    shown = read(world, number)
    assert (shown["status"], shown["last_code"]) == ("requested", "EXCEED_LIMIT_DM_AMOUNT")
    assert shown["next_attempt_at"].endswith("16:05:00Z")
    desk.set_switches(app_id, before)
    world.advance(86400)
    assert read(world, number)["status"] == "succeeded"


def test_the_switch_for_outgoing_money_stops_what_was_asked_for(world: World) -> None:
    context = world.service.context
    number = f"T-{next(numbers)}"
    world.emulator.set_fault("gateway_20000", out_trade_no=number, method=SEND, times=1)
    send(world, number=number)
    world.settle()

    def turn(*, allowed: bool) -> None:
        with context.database.begin() as tx:
            turn_outgoing(tx, context, 1, allowed=allowed, reason="演练", actor=SYSTEM)

    turn(allowed=False)
    assert code_of(world, body()) == "outgoing_stopped"
    world.advance(60)
    assert (read(world, number)["status"], at_alipay(world, number)) == ("requested", [])
    assert read(world, number)["held_at"]
    turn(allowed=True)
    world.settle()
    assert read(world, number)["status"] == "succeeded"


# ---- limits and the second person


def test_nothing_is_sent_before_somebody_has_said_what_may_be(world: World) -> None:
    with world.service.context.database.begin() as tx:
        tx.execute(sa.text("DELETE FROM transfer_limits"))
    assert code_of(world, body()) == "transfers_not_set_up"
    allow(world, single_max="60.00", day_max="1.00")
    assert code_of(world, body(amount="60.01")) == "transfer_limit_exceeded"
    assert code_of(world, body()) == "transfer_limit_exceeded"


def test_above_the_amount_a_second_person_decides(world: World) -> None:
    allow(world, second_person_single="40.00")
    context = world.service.context
    asker, approver = person(world, Role.FINANCE), person(world, Role.FINANCE)
    number = f"T-{next(numbers)}"
    new = NewTransfer(
        out_biz_no=number,
        amount=Money(5000),
        payee=Payee(PayeeKind.LOGON_ID, "13800138000", "张小明"),
        title="佣金",
    )
    merchant = world.service.clients.merchant(1)
    transfer, is_new = transfer_as(context, asker, merchant, new)
    assert (transfer.status, is_new) == (TransferStatus.AWAITING_APPROVAL, True)
    assert transfer_as(context, asker, merchant, new) == (transfer, False)
    assert transfer.approval_id is not None
    world.settle()
    assert at_alipay(world, number) == []
    with pytest.raises(ApproverIsRequester):
        approve_transfers(context, asker, transfer.approval_id)
    approval, _ = approve_transfers(context, approver, transfer.approval_id, "好的")
    assert "13800138000" not in str(approval.content)
    world.settle()
    shown = read(world, number)
    assert (shown["status"], shown["approved_by"]) == ("succeeded", f"person:{approver.id}")


def test_what_was_declined_never_goes(world: World) -> None:
    world.advance(86400)  # a day of which nothing is used yet
    allow(world, second_person_day="60.00")
    first, second = send(world), send(world)
    assert read(world, second)["status"] == "awaiting_approval"
    approval_id = read(world, second)["approval_id"]
    decline(world.service.context, person(world), approval_id, "不认识")
    world.settle()
    shown = read(world, second)
    assert (shown["status"], shown["last_code"]) == ("failed", "approval_declined")
    assert read(world, first)["status"] == "succeeded"
    assert told(world, second) == ["transfer.failed"]
    expiring = send(world)
    world.advance(4 * 86400)
    assert read(world, expiring)["last_code"] == "approval_expired"
    assert at_alipay(world, second) + at_alipay(world, expiring) == []


def test_an_end_of_the_process_in_the_middle_of_a_call_is_an_unknown(world: World) -> None:
    number = send(world)
    world.settle()
    with world.service.context.database.begin() as tx:
        # As it stands when the process dies between the call and the record of its answer.
        tx.execute(
            sa.update(transfers)
            .where(transfers.c.out_biz_no == number)
            .values(
                status="requested",
                calling=True,
                paid_at=None,
                ended_at=None,
                due_at=world.clock.now(),
            )
        )
    world.settle()
    assert read(world, number)["status"] == "unknown"
    world.advance(20)
    assert read(world, number)["status"] == "succeeded"
    assert len(at_alipay(world, number)) == 1
    assert posted(world, number) == ["transfer"]


# ---- receipts


def receipt(world: World, number: str) -> dict[str, Any]:
    return world.api.get(f"/v1/transfers/{number}/receipt").json()


def test_a_receipt_is_made_fetched_once_and_kept_sealed(world: World) -> None:
    number = send(world)
    early = world.api.post(f"/v1/transfers/{number}/receipt").json()
    assert (early["code"], early["stands"]) == ("receipt_not_possible", "requested")
    assert "requested" not in early["detail_zh"]
    world.settle()
    nobody = receipt(world, number)
    assert (nobody["code"], nobody["stands"]) == ("receipt_not_ready", "not asked for")
    assert "尚未申请" in nobody["detail_zh"]
    asked = world.api.post(f"/v1/transfers/{number}/receipt")
    assert (asked.status_code, asked.json()["status"]) == (202, "requested")
    world.advance(10)
    made = receipt(world, number)
    assert (made["status"], made["last_message"]) == ("ready", None)
    got = world.api.get(f"/v1/transfers/{number}/receipt.pdf")
    assert got.headers["content-type"] == "application/pdf"
    assert got.content.startswith(b"%PDF")
    assert len(got.content) == made["bytes"]
    with world.service.context.database.read() as tx:
        kept = tx.execute(sa.select(transfer_receipts.c.pdf_sealed)).scalars().all()
    assert all(b"%PDF" not in blob for blob in kept if blob)
    assert world.api.post(f"/v1/transfers/{number}/receipt").json()["status"] == "ready"
    world.advance(3 * 86400)  # Alipay has forgotten it by now
    assert world.api.get(f"/v1/transfers/{number}/receipt.pdf").content == got.content


def test_a_receipt_that_takes_its_time_is_asked_about(world: World) -> None:
    desk = world.emulator.desk
    app_id = next(one.app_id for one in desk.identities.apps() if one.name == "shop")
    before = desk.switches(app_id)
    desk.set_switches(app_id, changed(before, {"receipt_seconds": 600}))
    number = send(world)
    world.settle()
    world.api.post(f"/v1/transfers/{number}/receipt")
    world.advance(120)
    assert receipt(world, number)["status"] == "making"
    assert world.api.get(f"/v1/transfers/{number}/receipt.pdf").json()["code"] == (
        "receipt_not_ready"
    )
    world.advance(3600)
    assert receipt(world, number)["status"] == "ready"
    desk.set_switches(app_id, before)


def test_asked_for_at_the_same_moment_it_is_one_transfer(world: World) -> None:
    asked = body()
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: world.api.post("/v1/transfers", json=asked), range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    world.settle()
    assert read(world, asked["out_biz_no"])["status"] == "succeeded"
    assert len(at_alipay(world, asked["out_biz_no"])) == 1
