"""What people do to the books: entries by hand and reversals take two, days are closed, accounts are set."""

from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta

import pytest

from daozhang.clock import business_day
from daozhang.service.approvals.actions import decline
from daozhang.service.approvals.model import Approval, ApprovalStatus
from daozhang.service.approvals.refusals import ApprovalPending, ApproverIsRequester
from daozhang.service.ledger.by_hand import approve_entry, ask_entry, ask_reversal
from daozhang.service.ledger.configuring import set_book_as
from daozhang.service.ledger.locking import lock_day_as
from daozhang.service.ledger.model import Account, EntryKind, Legs, Payout
from daozhang.service.ledger.refusals import (
    DayLocked,
    EntryEmpty,
    EntryNotFound,
    EntryPosted,
    EntryUnbalanced,
)
from daozhang.service.people.model import Person, Role
from daozhang.service.people.refusals import RightMissing
from people_here import add_person, deeds
from refund_world import Shop, open_shop
from worlds import START

DAY_SECONDS = 24 * 3600
FOUND: Legs = {Account.AVAILABLE: 500, Account.FEE: 20, Account.SUSPENSE: -520}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Generator[Shop]:
    with open_shop(tmp_path_factory.mktemp("books")) as shop:
        yield shop


@pytest.fixture(scope="module")
def one(shop: Shop) -> Person:
    return add_person(shop.service.context, "one", Role.FINANCE)


@pytest.fixture(scope="module")
def other(shop: Shop) -> Person:
    return add_person(shop.service.context, "other", Role.FINANCE)


def asked(shop: Shop, who: Person, key: str, legs: Legs = FOUND) -> Approval:
    return ask_entry(
        shop.service.context, who, 1, key=key, legs=legs, at=shop.clock.now(), memo="found"
    )


def balances(shop: Shop) -> dict[str, str]:
    answer = shop.api.get("/v1/ledger/balances")
    assert answer.status_code == 200, answer.text
    told = answer.json()["balances"]
    return {account: text for account, text in told.items() if text != "0.00"}


def test_an_entry_by_hand_takes_two_and_is_taken_back_by_two(
    shop: Shop, one: Person, other: Person
) -> None:
    context = shop.service.context
    with pytest.raises(EntryUnbalanced) as refused:
        asked(shop, one, "F-1", {Account.AVAILABLE: 500, Account.SUSPENSE: -499})
    assert "5.00" in str(refused.value)
    assert "4.99" in refused.value.detail_zh
    with pytest.raises(EntryEmpty):
        asked(shop, one, "F-1", {})
    with pytest.raises(RightMissing):
        asked(shop, add_person(context, "till", Role.CASHIER), "F-1")
    waiting = asked(shop, one, "F-1")
    assert asked(shop, one, "F-1").id == waiting.id
    with pytest.raises(ApprovalPending):
        asked(shop, one, "F-1", {Account.AVAILABLE: 1, Account.SUSPENSE: -1})
    with pytest.raises(ApproverIsRequester):
        approve_entry(context, one, waiting.id)
    assert balances(shop) == {}
    approved, entry = approve_entry(context, other, waiting.id)
    assert approved.status is ApprovalStatus.APPROVED
    assert (entry.kind, entry.memo) == (EntryKind.MANUAL, "found")
    assert balances(shop) == {"available": "5.00", "fee": "0.20", "suspense": "-5.20"}
    with pytest.raises(EntryPosted):
        asked(shop, other, "F-1")

    with pytest.raises(EntryNotFound):
        ask_reversal(context, one, 1, kind=EntryKind.MANUAL, key="F-2", memo="wrong")
    back = ask_reversal(context, other, 1, kind=EntryKind.MANUAL, key="F-1", memo="wrong")
    approve_entry(context, one, back.id)
    assert balances(shop) == {}
    with pytest.raises(EntryPosted):
        ask_reversal(context, one, 1, kind=EntryKind.MANUAL, key="F-1", memo="wrong")
    said = [who for who, action in deeds(context) if action == "ledger.entry_posted"]
    assert said == [str(other.actor), str(one.actor)]

    moved = shop.api.get("/v1/ledger/moves", params={"account": "suspense", "limit": 1}).json()
    assert [move["key"] for move in moved["data"]] == ["F-1"]
    more = {"account": "suspense", "cursor": moved["next_cursor"]}
    rest = shop.api.get("/v1/ledger/moves", params=more).json()
    assert {move["key"] for move in rest["data"]} == {"F-1", "manual:F-1"}
    assert rest["next_cursor"] is None


def test_what_somebody_declines_is_not_posted(shop: Shop, one: Person, other: Person) -> None:
    before = balances(shop)
    decline(shop.service.context, other, asked(shop, one, "D-1").id, "no")
    assert balances(shop) == before


def test_an_account_that_is_paid_out_later_and_a_day_that_is_closed(
    shop: Shop, one: Person
) -> None:
    context = shop.service.context
    owner = add_person(context, "owner", Role.OWNER)
    with pytest.raises(RightMissing):
        set_book_as(context, one, 1, payout=Payout.LATER, fee_ppm=3800)
    book = set_book_as(context, owner, 1, payout=Payout.LATER, fee_ppm=3800)
    assert (book.payout, book.fee_ppm) == (Payout.LATER, 3800)
    number = shop.paid_order()
    assert balances(shop) == {"unsettled": "10.00", "sales": "-10.00"}
    answer = shop.api.get("/v1/ledger/trial_balance").json()
    assert answer["estimated_fee"] == "0.04"
    assert answer["book"]["locked_through"] is None
    unsettled = {"account": "unsettled", "opening": "0.00", "closing": "10.00"}
    assert unsettled | {"debits": "10.00", "credits": "0.00"} in answer["accounts"]
    story = shop.api.get(f"/v1/orders/{number}/story").json()
    (move,) = story["ledger"]
    assert (move["kind"], move["debit"], move["credit"]) == ("payment", "unsettled", "sales")

    shop.pass_time(DAY_SECONDS)
    day = business_day(START)
    lock = lock_day_as(context, one, 1, day, "all is there")
    assert (lock.locked_name, lock.note) == (one.email, "all is there")
    with pytest.raises(DayLocked):
        lock_day_as(context, one, 1, day - timedelta(days=1))
    answer = shop.api.get("/v1/ledger/trial_balance", params={"first": str(day)}).json()
    assert answer["book"]["locked_through"] == str(day)
    set_book_as(context, owner, 1, payout=Payout.AT_ONCE, fee_ppm=6000)


def test_books_are_for_keys_that_may_read_them(shop: Shop) -> None:
    for path in ("balances", "trial_balance", "moves?account=sales"):
        answer = shop.api.get(f"/v1/ledger/{path}", headers={"Authorization": "Bearer no"})
        assert answer.status_code == 401
        assert shop.api.get(f"/v1/ledger/{path}").status_code == 200
    assert shop.api.get("/v1/ledger/moves", params={"account": "purse"}).status_code == 422
