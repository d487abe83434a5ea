"""People: invited, changed, disabled, recovered; and every action refuses without its right."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pyotp.totp import TOTP

import deployment
from daozhang.money import Money
from daozhang.service.approvals import actions as approvals
from daozhang.service.approvals.model import APPROVED_BY, ApprovalKind
from daozhang.service.approvals.refusals import ApprovalNotFound
from daozhang.service.audit.model import SYSTEM
from daozhang.service.auth.model import KeyMerchant, Scope
from daozhang.service.auth.refusals import ApiKeyNotFound
from daozhang.service.jobs import Jobs
from daozhang.service.merchants.second_person import set_second_person_as
from daozhang.service.orders.refusals import OrderNotFound
from daozhang.service.people import actions, apikeys, sessions, trail
from daozhang.service.people.factors import begin_totp, finish_totp
from daozhang.service.people.model import (
    RIGHTS,
    Language,
    NewPerson,
    Person,
    PersonStatus,
    Right,
    Role,
    SignInStep,
)
from daozhang.service.people.refusals import (
    InvitationInvalid,
    LastOwner,
    MerchantNotYours,
    PasswordRefused,
    PersonExists,
    PersonInvalid,
    PersonNotFound,
    RightMissing,
    SessionEnded,
    SignInRefused,
)
from daozhang.service.people.signing_in import sign_in
from daozhang.service.refunds.approving import refund_as
from daozhang.service.web.context import Context
from people_here import PASSWORD, add_person, deeds

HERE = {"address": "203.0.113.7", "agent": "Chromium"}
NEW = "night bus to 杭州"


@pytest.fixture
def context(tmp_path: Path) -> Generator[Context]:
    context = deployment.new_context(tmp_path)
    deployment.add_one_app(context)
    deployment.add_one_merchant(context)
    deployment.add_one_merchant(context, "second-shop", seller_id="2088000000000002")
    yield context
    context.database.dispose()


@pytest.fixture
def owner(context: Context) -> Person:
    return add_person(context, "wang")


def li(*roles: Role, merchants: frozenset[int] | None = None) -> NewPerson:
    return NewPerson("Li@Example.com", " 李四 ", frozenset(roles or {Role.CASHIER}), merchants)


def accept(context: Context, token: str, password: str = NEW) -> Person:
    signed = actions.accept_invitation(context, token, password, language=Language.ENGLISH, **HERE)
    return signed.person


def test_an_invitation_is_an_address_that_works_once(context: Context, owner: Person) -> None:
    invited, token = actions.invite(context, owner, li(merchants=frozenset({1})))
    assert (invited.email, invited.name) == ("li@example.com", "李四")
    assert (invited.status, invited.rights) == (PersonStatus.INVITED, frozenset())
    address = actions.invitation_address(context, token)
    assert address == f"http://127.0.0.1:8800/console/invitation/{token}"
    assert actions.read_invitation(context, token)[0] == invited
    with pytest.raises(PasswordRefused):
        accept(context, token, "short")
    person = accept(context, token)
    assert (person.status, person.language) == (PersonStatus.ACTIVE, Language.ENGLISH)
    assert person.merchants == frozenset({1})
    assert person.covers(1)
    assert not person.covers(2)
    with pytest.raises(InvitationInvalid):
        accept(context, token)
    sign_in(context, email="li@example.com", password=NEW, **HERE)


def test_an_invitation_expires_and_the_newest_one_counts(context: Context, owner: Person) -> None:
    invited, first = actions.invite(context, owner, li())
    _, second = actions.invite_again(context, owner, invited.id)
    with pytest.raises(InvitationInvalid):
        accept(context, first)
    deployment.clock_of(context).advance(3 * 24 * 3600)
    for token in (second, "", "x" * 100):
        with pytest.raises(InvitationInvalid):
            accept(context, token)


def test_who_is_there_is_not_invited_twice(context: Context, owner: Person) -> None:
    actions.invite(context, owner, li())
    with pytest.raises(PersonExists):
        actions.invite(context, owner, replace(li(), email="LI@example.com"))
    fresh = replace(li(), email="zhao@example.com")
    for wrong in (
        replace(fresh, email="zhao"),
        replace(fresh, name=" "),
        replace(fresh, name="x" * 65),
        replace(fresh, roles=frozenset[Role]()),
    ):
        with pytest.raises(PersonInvalid):
            actions.invite(context, owner, wrong)


def test_new_rights_end_the_sessions_of_the_old_ones(context: Context, owner: Person) -> None:
    person = add_person(context, "li", Role.VIEWER)
    signed = sign_in(context, email="li@example.com", password=PASSWORD, **HERE)
    unchanged = {"roles": frozenset({Role.VIEWER}), "merchants": None}
    actions.change_person(context, owner, person.id, name="李四", **unchanged)
    sessions.open_session(context, signed.token)
    after = actions.change_person(
        context, owner, person.id, name="李四", roles=frozenset({Role.FINANCE}), merchants=None
    )
    assert after.may(Right.REFUNDS_APPROVE)
    with pytest.raises(SessionEnded):
        sessions.open_session(context, signed.token)


def test_the_last_owner_of_all_stays_one(context: Context, owner: Person) -> None:
    invited, _ = actions.invite(context, owner, li(Role.OWNER))
    assert invited.status is PersonStatus.INVITED  # and so counts for nothing yet
    for roles, merchants in (
        (frozenset({Role.VIEWER}), None),
        (frozenset({Role.OWNER}), frozenset({1})),
    ):
        with pytest.raises(LastOwner):
            actions.change_person(
                context, owner, owner.id, name="王五", roles=roles, merchants=merchants
            )
    with pytest.raises(LastOwner):
        actions.disable_person(context, owner, owner.id)
    other = add_person(context, "zhao")
    actions.disable_person(context, other, owner.id)
    with pytest.raises(LastOwner):
        actions.disable_person(context, other, other.id)


def test_nobody_gives_more_than_they_reach_themselves(context: Context) -> None:
    add_person(context, "everywhere")
    of_one = add_person(context, "of-one", Role.OWNER, merchants=frozenset({1}))
    with pytest.raises(MerchantNotYours):
        actions.invite(context, of_one, li())
    with pytest.raises(MerchantNotYours):
        actions.invite(context, of_one, li(merchants=frozenset({2})))
    invited, _ = actions.invite(context, of_one, li(merchants=frozenset({1})))
    elsewhere = add_person(context, "elsewhere", Role.VIEWER, merchants=frozenset({2}))
    with pytest.raises(MerchantNotYours):
        actions.disable_person(context, of_one, elsewhere.id)
    with pytest.raises(MerchantNotYours):
        actions.invite_again(context, of_one, elsewhere.id)
    actions.disable_person(context, of_one, invited.id)


def test_who_comes_back_has_the_password_they_had(context: Context, owner: Person) -> None:
    person = add_person(context, "li", Role.VIEWER)
    actions.disable_person(context, owner, person.id)
    with pytest.raises(PersonInvalid):
        actions.invite_again(context, owner, person.id)
    assert actions.enable_person(context, owner, person.id).status is PersonStatus.ACTIVE
    sign_in(context, email="li@example.com", password=PASSWORD, **HERE)


def test_a_forgotten_password_keeps_the_second_factor_unless_the_phone_is_lost(
    context: Context, owner: Person
) -> None:
    person = add_person(context, "li", Role.FINANCE)
    signed = sign_in(context, email="li@example.com", password=PASSWORD, **HERE)
    secret, _ = begin_totp(context, signed.person, signed.session)
    finish_totp(context, signed.person, signed.session, TOTP(secret).at(context.clock.now()))
    _, token = actions.invite_again(context, owner, person.id)
    half = actions.accept_invitation(context, token, NEW, language=Language.CHINESE, **HERE)
    assert half.session.step is SignInStep.SECOND_FACTOR
    _, token = actions.invite_again(context, owner, person.id, forget_factors=True)
    whole = actions.accept_invitation(context, token, NEW, language=Language.CHINESE, **HERE)
    assert whole.session.step is SignInStep.SIGNED_IN


def test_an_owner_who_is_locked_out_is_let_in_by_the_machine(
    context: Context, owner: Person
) -> None:
    signed = sign_in(context, email="wang@example.com", password=PASSWORD, **HERE)
    with context.database.begin() as tx:
        recovered, token = actions.recover_owner(tx, context, SYSTEM, email="Wang@example.com")
    assert recovered.status is PersonStatus.INVITED
    with pytest.raises(SessionEnded):
        sessions.open_session(context, signed.token)
    with pytest.raises(SignInRefused):
        sign_in(context, email="wang@example.com", password=PASSWORD, **HERE)
    assert accept(context, token).may(Right.PEOPLE_WRITE)
    assert ("system:daozhang", "person.owner_recovered") in deeds(context)
    add_person(context, "li", Role.FINANCE)
    for nobody in ("li@example.com", "nobody@example.com"):
        with context.database.begin() as tx, pytest.raises(PersonNotFound):
            actions.recover_owner(tx, context, SYSTEM, email=nobody)


def test_the_trail_of_other_merchants_is_not_read(context: Context, owner: Person) -> None:
    for merchant in (1, 2):
        actions.note_personal_view(context, owner, f"order:of-{merchant}", merchant_id=merchant)
    of_one = replace(owner, merchants=frozenset({1}))
    seen = {row.subject for row in trail.list_trail(context, of_one)}
    assert "order:of-1" in seen
    assert "order:of-2" not in seen
    taken = "".join(trail.export_trail(context, of_one, "jsonl"))
    assert "order:of-1" in taken
    assert "order:of-2" not in taken
    slowly = trail.export_trail(context, owner, "csv")
    assert next(slowly).startswith("sequence,at,actor,")
    next(slowly)
    with context.database.begin() as tx:  # others work while lines are taken
        assert tx.dialect
    assert "order:of-2" in "".join(slowly)
    assert deeds(context)[-1] == (str(owner.actor), "audit.exported")


@dataclass(frozen=True)
class Deed:
    """An action, the right it needs, and what it says to one who has the right here."""

    right: Right
    do: Callable[[Context, Person], object]
    then: type[Exception] | None = None


def _refund(context: Context, who: Person) -> object:
    amount, jobs = Money.parse("1.00"), Jobs(context.database)
    return refund_as(context, jobs, who, 1, "none", out_request_no="r", amount=amount, reason=None)


def _make_key(context: Context, who: Person) -> object:
    return apikeys.make_key(
        context,
        who,
        name="k",
        environment="emulator",
        merchants=[KeyMerchant(1, "my-shop")],
        scopes=[Scope.ORDERS_READ],
        refund_limit=None,
    )


def _change(context: Context, who: Person) -> object:
    roles = frozenset({Role.VIEWER})
    return actions.change_person(context, who, 999, name="x", roles=roles, merchants=None)


def _ask(context: Context, kind: ApprovalKind) -> str:
    with context.database.begin() as tx:
        return approvals.ask(
            tx,
            SYSTEM,
            kind,
            merchant_id=1,
            subject="it",
            content={"order_id": 1},
            amount=None,
            reason=None,
            now=context.clock.now(),
        ).id


def _decide_key(context: Context, who: Person) -> object:
    asked = _ask(context, ApprovalKind.ALIPAY_KEY)
    with context.database.begin() as tx:
        now = context.clock.now()
        return approvals.approve(tx, who, asked, ApprovalKind.ALIPAY_KEY, None, now)


DEEDS: dict[str, Deed] = {
    "list_people": Deed(Right.PEOPLE_READ, actions.list_people),
    "read_person": Deed(
        Right.PEOPLE_READ, lambda c, p: actions.read_person(c, p, 999), PersonNotFound
    ),
    "list_sessions_of": Deed(Right.PEOPLE_READ, lambda c, p: sessions.list_sessions_of(c, p, 1)),
    "invite": Deed(Right.PEOPLE_WRITE, lambda c, p: actions.invite(c, p, li())),
    "invite_again": Deed(
        Right.PEOPLE_WRITE, lambda c, p: actions.invite_again(c, p, 999), PersonNotFound
    ),
    "change_person": Deed(Right.PEOPLE_WRITE, _change, PersonNotFound),
    "disable_person": Deed(
        Right.PEOPLE_WRITE, lambda c, p: actions.disable_person(c, p, 999), PersonNotFound
    ),
    "enable_person": Deed(
        Right.PEOPLE_WRITE, lambda c, p: actions.enable_person(c, p, 999), PersonNotFound
    ),
    "end_sessions_of": Deed(
        Right.PEOPLE_WRITE, lambda c, p: sessions.end_sessions_of(c, p, 999), PersonNotFound
    ),
    "list_keys": Deed(Right.APIKEYS_READ, apikeys.list_keys),
    "make_key": Deed(Right.APIKEYS_WRITE, _make_key),
    "revoke_key": Deed(
        Right.APIKEYS_WRITE, lambda c, p: apikeys.revoke_key(c, p, "dz_none"), ApiKeyNotFound
    ),
    "list_trail": Deed(Right.AUDIT_READ, trail.list_trail),
    "verify_trail": Deed(Right.AUDIT_READ, trail.verify_trail),
    "export_trail": Deed(Right.AUDIT_EXPORT, lambda c, p: trail.export_trail(c, p, "csv")),
    "note_personal_view": Deed(
        Right.PERSONAL_READ, lambda c, p: actions.note_personal_view(c, p, "order:1", merchant_id=1)
    ),
    "set_second_person": Deed(
        Right.MERCHANTS_WRITE,
        lambda c, p: set_second_person_as(c, p, 1, per_order=None, per_day=None),
    ),
    "refund": Deed(Right.REFUNDS_REQUEST, _refund, OrderNotFound),
    "decline_refund": Deed(
        Right.REFUNDS_APPROVE,
        lambda c, p: approvals.decline(c, p, _ask(c, ApprovalKind.REFUND), None),
    ),
    "decline_key": Deed(
        Right.KEYS_APPROVE,
        lambda c, p: approvals.decline(c, p, _ask(c, ApprovalKind.ALIPAY_KEY), None),
    ),
    "approve_key": Deed(Right.KEYS_APPROVE, _decide_key),
    "read_approval": Deed(
        Right.REFUNDS_APPROVE,
        lambda c, p: approvals.read_approval(c, p, _ask(c, ApprovalKind.REFUND)),
    ),
    "list_approvals": Deed(Right.REFUNDS_APPROVE, approvals.list_approvals),
}


def who_holds(role: Role, status: PersonStatus = PersonStatus.ACTIVE) -> Person:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    roles = frozenset({role})
    return Person(77, "x@example.com", "x", roles, None, Language.CHINESE, status, now)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Generator[Context]:
    context = deployment.new_context(tmp_path_factory.mktemp("rights"))
    deployment.add_one_app(context)
    deployment.add_one_merchant(context)
    Jobs(context.database).prepare()
    yield context
    context.database.dispose()


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("role", Role)
def test_each_action_is_for_whoever_holds_its_right(shared: Context, role: Role, deed: str) -> None:
    action = DEEDS[deed]
    before = deeds(shared)
    if action.right in RIGHTS[role]:
        if action.then is None:
            try:
                action.do(shared, who_holds(role))
            except PersonExists:  # invited by the role before
                assert deed == "invite"
        else:
            with pytest.raises(action.then):
                action.do(shared, who_holds(role))
        return
    with pytest.raises((RightMissing, ApprovalNotFound)):
        action.do(shared, who_holds(role))
    added = deeds(shared)[len(before) :]
    assert {who for who, _ in added} <= {"system:daozhang"}


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("status", [PersonStatus.DISABLED, PersonStatus.INVITED])
def test_nothing_is_for_whoever_may_not_sign_in(
    shared: Context, status: PersonStatus, deed: str
) -> None:
    with pytest.raises((RightMissing, ApprovalNotFound)):
        DEEDS[deed].do(shared, who_holds(Role.OWNER, status))


def test_every_public_action_about_people_and_approvals_is_in_the_table() -> None:
    own = {"read_invitation", "accept_invitation", "change_own_language", "invitation_address"}
    machine = {"create_owner", "recover_owner"}
    caller_asks = {"ask", "expire_due", "people_with"}
    # `withdraw` and one's own list need no right, only that one asked: test_second_person.py.
    by_another_name = {
        "approve",
        "decline",
        "withdraw",
        "list_own_approvals",
        "count_waiting",
        "may_decide_some",
        "may_decide",
    }
    for module in (actions, approvals, apikeys, trail):
        for name, made in vars(module).items():
            if name.startswith("_") or getattr(made, "__module__", "") != module.__name__:
                continue
            if not callable(made) or name in own | machine | caller_asks:
                continue
            assert name in DEEDS or name in by_another_name, name
    assert set(APPROVED_BY) == set(ApprovalKind)
