"""The rules of sharing: a split adds up, returns never exceed what was shared, any order ends the same."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daozhang.alipay.catalogue import methods
from daozhang.money import Money
from daozhang.service.sharing import diagram, rules
from daozhang.service.sharing.calls import details_of
from daozhang.service.sharing.messages import SENTENCES, sentences_for
from daozhang.service.sharing.model import (
    BASIS_POINTS,
    Detail,
    Mode,
    Outcome,
    Part,
    Plan,
    ReceiverType,
    ReturnOrder,
    Round,
    RoundStatus,
    Share,
    ShareStatus,
)
from daozhang.service.sharing.rules import Action, CannotSplit, Follow

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
DOCS = Path(__file__).parents[2] / "docs/reference"
ZERO = Money(0)
PENDING, FAILED, SUCCEEDED = ShareStatus

ROUND = Round(
    id=1,
    order_id=1,
    merchant_id=1,
    out_request_no="S1",
    status=RoundStatus.REQUESTED,
    mode=Mode.SYNC,
    amount=Money(2500),
    finishes=False,
    returns=ReturnOrder.SELLER_FIRST,
    created_at=NOW,
    updated_at=NOW,
)


def share(number: int, minor: int, status: ShareStatus = SUCCEEDED, account: str = "") -> Share:
    return Share(
        id=number,
        round_id=1,
        order_id=1,
        position=number,
        receiver_type=ReceiverType.USER_ID,
        account=account or f"2088{number:012d}",
        amount=Money(minor),
        status=status,
        returned=ZERO,
        returning=ZERO,
        covered=ZERO,
    )


# ---- splitting


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Plans with percentages, fixed amounts, a remainder, and somebody who bears the fen."""
    points = draw(st.lists(st.integers(0, 2000), max_size=6))
    fixed = draw(st.lists(st.integers(1, 300), max_size=3))
    parts = [Part(f"p{n}", basis_points=p) for n, p in enumerate(points)]
    parts += [Part(f"f{n}", amount=Money(minor)) for n, minor in enumerate(fixed)]
    pool = (
        draw(st.none() | st.integers(sum(points), BASIS_POINTS)) if sum(points) < 10_000 else None
    )
    if pool is not None:
        parts.append(Part("rest"))
    rounding = draw(st.sampled_from([None, *(f"p{n}" for n in range(len(points)))]))
    return Plan("drawn", tuple(draw(st.permutations(parts))), pool, rounding)


@given(plan=plans(), minor=st.integers(1, 10_000_000))
def test_a_split_always_adds_up(plan: Plan, minor: int) -> None:
    amount = Money(minor)
    points = {p.account: p.basis_points for p in plan.parts if p.basis_points is not None}
    try:
        split = rules.split(plan, amount)
    except CannotSplit:
        fixed = sum(p.amount.minor for p in plan.parts if p.amount is not None)
        pool = minor * (plan.pool_basis_points or BASIS_POINTS) // BASIS_POINTS
        assert fixed + minor * sum(points.values()) // BASIS_POINTS > pool
        return
    given_ = dict(split.shares)
    assert Money.total(given_.values()) + split.seller == amount
    assert split.seller >= ZERO
    assert all(fen > ZERO for fen in given_.values())
    for account, own in points.items():
        if plan.rounding is None:
            # Nobody is more than a fen away from what is exactly theirs.
            got = given_.get(account, ZERO).minor
            assert abs(got * BASIS_POINTS - minor * own) < BASIS_POINTS
    for part in plan.parts:
        if part.amount is not None:
            assert given_[part.account] == part.amount


def test_the_fen_go_to_the_largest_remainders_or_to_whom_the_plan_names() -> None:
    thirds = tuple(Part(name, basis_points=1000) for name in "abc")
    assert rules.split(Plan("x", thirds), Money(1019)).shares == (
        ("a", Money(102)), ("b", Money(102)), ("c", Money(101)),
    )  # fmt: skip
    assert rules.split(Plan("x", thirds, rounding="c"), Money(1019)).shares == (
        ("a", Money(101)), ("b", Money(101)), ("c", Money(103)),
    )  # fmt: skip
    rest = (Part("a", amount=Money(100)), Part("b", basis_points=500), Part("c"))
    split = rules.split(Plan("x", rest, pool_basis_points=3000), Money(3333))
    assert split.shares == (("a", Money(100)), ("b", Money(166)), ("c", Money(733)))
    with pytest.raises(CannotSplit):
        rules.split(Plan("x", (Part("a", amount=Money(2)),)), Money(1))


@given(minor=st.integers(1, 10_000_000), percent=st.integers(0, 100))
def test_the_limit_is_rounded_down_as_alipay_does(minor: int, percent: int) -> None:
    limit = rules.limit_of(Money(minor), percent)
    assert limit.minor * 100 <= minor * percent < (limit.minor + 1) * 100


# ---- taking back


@given(
    parts=st.lists(st.tuples(st.integers(1, 5000), st.integers(0, 5000)), max_size=6),
    seller=st.integers(0, 20_000),
    asks=st.lists(st.integers(1, 20_000), min_size=1, max_size=6),
    order=st.sampled_from(ReturnOrder),
)
def test_returns_never_exceed_what_was_shared_and_are_enough(
    parts: list[tuple[int, int]], seller: int, asks: list[int], order: ReturnOrder
) -> None:
    shares = [
        replace(share(n, amount), returned=Money(min(back, amount)))
        for n, (amount, back) in enumerate(parts)
    ]
    held = sum(s.outstanding.minor for s in shares)
    for asked in asks:
        left = seller + held
        found = rules.returns_for(Money(asked), Money(seller), Money(left), shares, order)
        if asked > left:
            assert found is None
            continue
        assert found is not None
        assert all(ZERO < back <= one.outstanding for one, back in found)
        back = sum(fen.minor for _, fen in found)
        assert asked - seller <= back <= asked
        after = {one.id: fen for one, fen in found}
        shares = [replace(s, returned=s.returned + after.get(s.id, ZERO)) for s in shares]
        held, seller = held - back, seller + back - asked
        assert seller >= 0
        assert all(s.returned <= s.amount for s in shares)


def test_whose_money_a_refund_draws_on_first() -> None:
    shares = [share(1, 2000), share(2, 500)]

    def drawn(asked: int, order: ReturnOrder) -> list[int]:
        found = rules.returns_for(Money(asked), Money(7500), Money(10_000), shares, order)
        assert found is not None
        return [fen.minor for _, fen in found]

    assert drawn(7500, ReturnOrder.SELLER_FIRST) == []
    assert drawn(9700, ReturnOrder.SELLER_FIRST) == [2000, 200]
    assert drawn(2100, ReturnOrder.RECEIVERS_FIRST) == [2000, 100]
    assert drawn(5000, ReturnOrder.PRO_RATA) == [1000, 250]
    assert drawn(10_000, ReturnOrder.PRO_RATA) == [2000, 500]


# ---- how a round moves

EXPECTED = {
    (RoundStatus.REQUESTED, Outcome.PROVEN): (RoundStatus.DONE, Follow.NOTHING),
    (RoundStatus.REQUESTED, Outcome.ACCEPTED): (RoundStatus.ACCEPTED, Follow.ASK),
    (RoundStatus.REQUESTED, Outcome.REJECTED): (RoundStatus.FAILED, Follow.NOTHING),
    (RoundStatus.REQUESTED, Outcome.NO_BALANCE): (None, Follow.CALL_LATER),
    (RoundStatus.REQUESTED, Outcome.UNKNOWN): (RoundStatus.UNKNOWN, Follow.ASK),
    (RoundStatus.REQUESTED, Outcome.ABSENT): (None, Follow.CALL),
    (RoundStatus.UNKNOWN, Outcome.PROVEN): (RoundStatus.DONE, Follow.NOTHING),
    (RoundStatus.UNKNOWN, Outcome.ACCEPTED): (RoundStatus.ACCEPTED, Follow.ASK),
    (RoundStatus.UNKNOWN, Outcome.REJECTED): (None, Follow.ASK),
    (RoundStatus.UNKNOWN, Outcome.NO_BALANCE): (None, Follow.ASK),
    (RoundStatus.UNKNOWN, Outcome.UNKNOWN): (None, Follow.ASK),
    (RoundStatus.UNKNOWN, Outcome.ABSENT): (RoundStatus.REQUESTED, Follow.CALL),
    **{(RoundStatus.ACCEPTED, outcome): (None, Follow.ASK) for outcome in Outcome},
    (RoundStatus.ACCEPTED, Outcome.PROVEN): (RoundStatus.DONE, Follow.NOTHING),
    **{(RoundStatus.DONE, outcome): (None, Follow.NOTHING) for outcome in Outcome},
    **{(RoundStatus.FAILED, outcome): (None, Follow.NOTHING) for outcome in Outcome},
    (RoundStatus.FAILED, Outcome.PROVEN): (RoundStatus.DONE, Follow.NOTHING),
}
"""money.md §5, written out a second time by hand."""


@pytest.mark.parametrize(("status", "outcome"), [*itertools.product(RoundStatus, Outcome)])
def test_every_outcome_in_every_status(status: RoundStatus, outcome: Outcome) -> None:
    move = rules.TRANSITIONS[status][outcome]
    assert (move.to, move.follow) == EXPECTED[status, outcome]


def test_what_is_done_about_a_round() -> None:
    assert rules.next_action(ROUND, NOW) == (Action.CALL, None)
    assert rules.next_action(ROUND, NOW, outgoing_allowed=False) == (Action.HOLD, None)
    assert rules.next_action(replace(ROUND, calling=True), NOW) == (Action.DOUBT, None)
    asked = replace(ROUND, status=RoundStatus.UNKNOWN, called_at=NOW)
    ripe = NOW + timedelta(seconds=rules.PROOF_SECONDS)
    assert rules.next_action(asked, NOW) == (Action.WAIT, ripe)
    assert rules.next_action(asked, ripe, outgoing_allowed=False) == (Action.ASK, None)
    done = replace(ROUND, status=RoundStatus.DONE)
    assert rules.next_action(done, NOW) == (Action.NOTHING, None)


@given(
    ends=st.lists(st.sampled_from([FAILED, SUCCEEDED]), min_size=1, max_size=5),
    data=st.data(),
)
def test_any_order_of_messages_and_queries_ends_the_same(
    ends: Sequence[ShareStatus], data: st.DataObject
) -> None:
    """Told in parts, several times, in any order, mixed with what is still being worked on."""
    shares = [share(n, 100 + n, PENDING) for n in range(len(ends))]

    def told(number: int, status: ShareStatus) -> Detail:
        return Detail(shares[number].account, shares[number].amount, status)

    truth = [told(n, end) for n, end in enumerate(ends)]
    early = [told(n, PENDING) for n in range(len(ends))]
    pieces = st.lists(st.sampled_from(truth + early), max_size=6, unique_by=lambda d: d.account)
    tellings = data.draw(st.lists(pieces, max_size=8))
    tellings.insert(data.draw(st.integers(0, len(tellings))), truth)
    moves = 0
    outcome = Outcome.ACCEPTED
    for details in tellings:
        moved, outcome = rules.take_details(shares, details)
        moves += len(moved)
        after = {one.id: one for one in moved}
        shares = [after.get(one.id, one) for one in shares]
    assert [one.status for one in shares] == list(ends)
    assert outcome is Outcome.PROVEN
    assert moves == len(ends)  # each share moves once, so each is booked and announced once


@pytest.mark.parametrize(
    ("account", "amount", "number"),
    [
        ("2088102146225135", "30.00", 0),
        ("208810****225135", "30.00", 0),
        ("208810****225135", None, 0),
        ("wang***@example.com", "5.00", 1),
        ("074a1CcsomebodysOpenId", "5.00", 1),  # by the amount, which only one has
        ("074a1CcsomebodysOpenId", "9.00", None),
        ("2088102146225135", "31.00", None),  # another amount is another share
    ],
)
def test_a_share_is_known_by_its_account_masked_or_by_its_amount(
    account: str, amount: str | None, number: int | None
) -> None:
    shares = [
        share(0, 3000, PENDING, "2088102146225135"),
        share(1, 500, PENDING, "wang@example.com"),
    ]
    shares[1] = replace(shares[1], account="wangfang@example.com")
    detail = Detail(account, None if amount is None else Money.parse(amount), SUCCEEDED)
    moved, outcome = rules.take_details(shares, [detail])
    assert [one.id for one in moved] == ([] if number is None else [number])
    assert outcome is Outcome.ACCEPTED


def test_only_shares_are_read_among_what_a_query_lists() -> None:
    listed = [
        {"operation_type": "transfer", "trans_in": "2088", "amount": "1.00", "state": "SUCCESS"},
        {
            "operation_type": "transfer_refund",
            "trans_in": "2088",
            "amount": "1.00",
            "state": "SUCCESS",
        },
        {
            "trans_in": "2089",
            "amount": "x",
            "state": "FAIL",
            "error_code": "E",
            "error_desc": "why",
        },
        {"trans_in": "2090", "amount": "1.00", "state": "SOMETHING_NEW"},
        {},
    ]
    first, second = details_of(listed)
    assert (first.account, first.amount, first.status) == ("2088", Money(100), SUCCEEDED)
    assert (second.account, second.amount, second.code) == ("2089", None, "E")


@pytest.mark.parametrize(
    "method",
    [
        "alipay.trade.order.settle",
        "alipay.trade.royalty.relation.bind",
        "alipay.trade.royalty.relation.unbind",
    ],
)
def test_each_no_that_alipay_documents_has_words(method: str) -> None:
    codes = {code.removeprefix("ACQ.") for code in methods()[method].sub_codes} - {"SYSTEM_ERROR"}
    assert codes
    assert sorted(codes - SENTENCES.keys()) == []


def test_each_code_has_a_sentence_in_both_languages() -> None:
    for code in SENTENCES:
        said = sentences_for(f"ACQ.{code}", None)
        assert said == sentences_for(code, None)
        assert said is not None
        assert said[0].isascii()
        assert not said[1].isascii()
    assert sentences_for("ACQ.BRAND_NEW", "新") == (
        "Alipay says: ACQ.BRAND_NEW 新.", "支付宝返回：ACQ.BRAND_NEW 新。",
    )  # fmt: skip


def test_the_page_is_generated_from_the_table() -> None:
    assert (DOCS / "share-states.md").read_text("utf-8") == diagram.page()
