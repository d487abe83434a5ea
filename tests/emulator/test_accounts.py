"""The accounts: whatever moves a seller's money, and what its pots hold then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from daozhang.clock import business_day
from daozhang.emulator.accounts import Accounts, Business, Movement, NotEnough, Pot
from daozhang.emulator.bookkeeping import fee_of
from daozhang.emulator.settlement import settled_at
from daozhang.money import Money
from emulator.place import Place

FRIDAY = datetime(2026, 3, 6, 4, 0, tzinfo=UTC)


def switch(place: Place, **switches: Any) -> None:
    place.merchant.control("POST", f"switches/{place.merchant.app_id}", **switches)


def paid(place: Place, number: str, amount: str, **extra: Any) -> str:
    place.merchant.open_page(number, amount, **extra)
    return place.emulator.pay(number).trade_no


def refunded(place: Place, number: str, amount: str, request_no: str) -> dict[str, Any]:
    terms = {"out_trade_no": number, "refund_amount": amount, "out_request_no": request_no}
    return place.merchant.call("alipay.trade.refund", terms)


def moved(place: Place) -> list[Movement]:
    accounts = place.emulator.desk.accounts
    now = place.clock.now()
    accounts.let_time_pass(now)
    return accounts.movements(seller(place), now - timedelta(days=400), now + timedelta(days=1))


def seller(place: Place) -> str:
    return place.merchant.credentials["seller_id"]


def pots(place: Place) -> dict[str, str]:
    accounts = place.emulator.desk.accounts
    accounts.let_time_pass(place.clock.now())
    return {pot.value: str(accounts.balance(seller(place), pot)) for pot in Pot}


def test_a_payment_its_fee_and_its_refunds_move_the_sellers_money(place: Place) -> None:
    paid(place, "a-1", "100.00")
    refunded(place, "a-1", "33.33", "r1")
    place.emulator.refund("a-1", None, "r2")
    rows = [(m.business.value, str(m.amount), str(m.balance)) for m in moved(place)]
    assert rows == [
        ("交易付款", "100.00", "1000100.00"),
        ("收费", "-0.60", "1000099.40"),
        ("退费", "0.20", "1000099.60"),
        ("交易退款", "-33.33", "1000066.27"),
        ("退费", "0.40", "1000066.67"),
        ("交易退款", "-66.67", "1000000.00"),
    ]
    assert len({m.log_id for m in moved(place)}) == 6
    assert [m.out_request_no for m in moved(place)] == ["", "", "r1", "r1", "r2", "r2"]


def test_a_cancel_moves_the_money_back_and_a_kept_fee_stays_out(place: Place) -> None:
    switch(place, fee_returned=False, fee_basis_points=100)
    paid(place, "a-2", "10.00")
    assert place.merchant.call("alipay.trade.cancel", {"out_trade_no": "a-2"})["action"] == "refund"
    assert pots(place)["available"] == "999999.90"


def test_a_refund_that_the_account_cannot_bear_is_declined_and_changes_nothing(
    place: Place,
) -> None:
    switch(place, opening_balance="0.00", fee_returned=False)
    paid(place, "a-3", "10.00")
    answer = refunded(place, "a-3", "10.00", "r1")
    assert answer["sub_code"] == "ACQ.SELLER_BALANCE_NOT_ENOUGH"
    assert place.emulator.trade("a-3").refunds == ()
    assert refunded(place, "a-3", "9.94", "r1")["fund_change"] == "Y"
    assert refunded(place, "a-3", "9.94", "r1")["fund_change"] == "N"
    assert pots(place) == {"available": "0.00", "frozen": "0.00", "unsettled": "0.00"}


def test_a_returned_fee_lets_an_empty_account_refund_all(place: Place) -> None:
    switch(place, opening_balance="0.00")
    paid(place, "a-4", "10.00")
    assert refunded(place, "a-4", "10.00", "r1")["fund_change"] == "Y"
    assert pots(place)["available"] == "0.00"


def test_with_settlement_days_money_waits_for_the_next_working_day(monday: Place) -> None:
    switch(monday, settlement_days=1, holidays=["2026-03-03"], opening_balance="5.00")
    paid(monday, "a-5", "100.00")  # on Monday, 2026-03-02
    refunded(monday, "a-5", "50.00", "r1")
    assert pots(monday) == {"available": "5.00", "frozen": "0.00", "unsettled": "49.70"}
    assert not any(m.is_listed for m in moved(monday))
    monday.merchant.control("POST", "clock", advance_seconds=36 * 3600)
    assert pots(monday)["unsettled"] == "49.70"  # Tuesday is a holiday
    monday.merchant.control("POST", "clock", advance_seconds=12 * 3600)
    assert pots(monday) == {"available": "54.70", "frozen": "0.00", "unsettled": "0.00"}
    listed = [m for m in moved(monday) if m.is_listed]
    assert [m.business.value for m in listed] == ["交易付款", "收费", "退费", "交易退款"]
    assert {str(business_day(m.at)) for m in listed} == {"2026-03-04"}
    refunded(monday, "a-5", "50.00", "r2")
    assert pots(monday)["available"] == "5.00"


def test_money_to_be_shared_is_frozen_for_thirty_days_or_until_it_is_released(place: Place) -> None:
    frozen = {"extend_params": {"royalty_freeze": "true"}}
    first = paid(place, "a-6", "100.00", **frozen)
    paid(place, "a-7", "10.00", **frozen)
    accounts = place.emulator.desk.accounts
    assert pots(place) == {"available": "1000000.00", "frozen": "109.34", "unsettled": "0.00"}
    accounts.move(
        seller(place), Money(-30_00), business=Business.SHARE, at=place.clock.now(),
        pot=Pot.FROZEN, trade_no=first, declines_with="ACQ.TXN_RESULT_ACCOUNT_BALANCE_NOT_ENOUGH",
    )  # fmt: skip
    with pytest.raises(NotEnough):
        accounts.move(
            seller(place), Money(-70_00), business=Business.SHARE, at=place.clock.now(),
            pot=Pot.FROZEN, trade_no=first, declines_with="X",
        )  # fmt: skip
    assert accounts.release(seller(place), first, place.clock.now(), Money(9_40)) == Money(9_40)
    assert accounts.release(seller(place), first, place.clock.now()) == Money(60_00)
    assert pots(place)["frozen"] == "9.94"
    place.merchant.control("POST", "clock", advance_seconds=30 * 86400)
    assert pots(place) == {"available": "1000079.34", "frozen": "0.00", "unsettled": "0.00"}


def test_the_movements_of_a_pot_always_make_its_balance() -> None:
    accounts = Accounts(lambda _: Money(7))
    for number in range(6):
        at = FRIDAY + timedelta(hours=20 * number)
        pot = (Pot.AVAILABLE, Pot.UNSETTLED, Pot.FROZEN)[number % 3]
        accounts.keep_until("u", str(number), pot, at + timedelta(hours=30))
        accounts.move("u", Money(100 + number), business=Business.PAYMENT, at=at, pot=pot, trade_no=str(number))  # fmt: skip
        every = accounts.movements("u", FRIDAY, at + timedelta(days=1))
        for one in Pot:
            opening = Money(7 if one is Pot.AVAILABLE else 0)
            total = Money.total(m.amount for m in every if m.pot is one)
            assert accounts.balance("u", one) == opening + total
        assert [m.at for m in every] == sorted(m.at for m in every)
    assert accounts.balance_at("u", business_day(FRIDAY)) == Money(7)
    assert accounts.balance_at("u", business_day(FRIDAY) + timedelta(days=1)) == Money(107)


@pytest.mark.parametrize(("days", "day"), [(0, "03-06"), (1, "03-10"), (2, "03-11")])
def test_only_working_days_count(days: int, day: str) -> None:
    moment = settled_at(FRIDAY, days, ("2026-03-09",))
    assert str(business_day(moment)) == f"2026-{day}"


@pytest.mark.parametrize(("minor", "fee"), [(83, 0), (84, 1), (10000, 60), (8888, 53), (1, 0)])
def test_a_fee_is_rounded_half_up_to_the_fen(minor: int, fee: int) -> None:
    assert fee_of(Money(minor), 60) == Money(fee)


def test_a_thousand_payments_are_settled_at_one_moment() -> None:
    accounts, count = Accounts(lambda _: Money(0)), 1000
    for number in range(count):
        trade_no = f"T{number}"
        accounts.move(
            "2088",
            Money(5),
            business=Business.PAYMENT,
            at=FRIDAY,
            pot=Pot.UNSETTLED,
            trade_no=trade_no,
        )
        accounts.keep_until("2088", trade_no, Pot.UNSETTLED, FRIDAY + timedelta(days=3))
    accounts.let_time_pass(FRIDAY + timedelta(days=4))
    held = [accounts.balance("2088", pot).minor for pot in (Pot.UNSETTLED, Pot.AVAILABLE)]
    assert held == [0, 5 * count]
