"""Merchants and keys over HTTP: an app added step by step, keys changed with overlap, what is set."""

from __future__ import annotations

import re
from collections.abc import Generator
from pathlib import Path
from typing import NamedTuple

import pytest

from console.apps import (
    app_step,
    begin,
    given_to,
    located,
    merchant_of,
    numbers,
    shown_key,
    somebody,
    upload,
)
from console.callers import Caller, text_of
from daozhang.alipay.keys import PrivateKey
from daozhang.console.merchants.room import ROOM
from daozhang.console.merchants.views import tone_of_ending
from daozhang.service.keys.checking import new_private_key
from daozhang.service.keys.drafts import begin_draft
from daozhang.service.people.model import RIGHTS, Right, Role
from people_here import add_person, deeds
from worlds import World, running

KEY = new_private_key()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    with running(tmp_path_factory.mktemp("merchants")) as world:
        yield world


@pytest.fixture
def owner(world: World) -> Generator[Caller]:
    with Caller(world, somebody(world, "owner")) as caller:
        yield caller


@pytest.fixture
def other(world: World) -> Generator[Caller]:
    with Caller(world, somebody(world, "other")) as caller:
        yield caller


class Action(NamedTuple):
    """A route, what is sent to it, the right it takes, and what is answered to who has it."""

    method: str
    path: str
    right: Right
    fields: dict[str, str]
    answers: tuple[int, ...] = (200, 303)


DRAFT = "/apps/drafts/{draft}"
CHANGE = "/apps/{app:int}/changes/{change}"
ACTIONS = (
    Action("GET", "/merchants", Right.MERCHANTS_READ, {}),
    Action("GET", "/merchants/{slug}", Right.MERCHANTS_READ, {}),
    Action("POST", "/merchants/{slug}/policies", Right.MERCHANTS_WRITE, {"late": "person"}),
    Action("POST", "/merchants/{slug}/second_person", Right.MERCHANTS_WRITE, {}),
    Action(
        "POST",
        "/merchants/{slug}/outgoing",
        Right.OUTGOING_SWITCH,
        {"to": "allowed", "reason": "a test"},
    ),
    Action("POST", "/merchants/{slug}/notify", Right.MERCHANTS_WRITE, {}),
    Action("POST", "/apps/new", Right.MERCHANTS_WRITE, {}),
    Action("GET", DRAFT, Right.MERCHANTS_WRITE, {}),
    Action(
        "POST",
        f"{DRAFT}/app",
        Right.MERCHANTS_WRITE,
        {"environment": "emulator", "app_id": "2021000000000001"},
    ),
    Action("POST", f"{DRAFT}/make", Right.MERCHANTS_WRITE, {}),
    Action("POST", f"{DRAFT}/key", Right.MERCHANTS_WRITE, {"private_key": KEY.pkcs1_base64()}),
    Action("POST", f"{DRAFT}/alipay", Right.MERCHANTS_WRITE, {"alipay_public_key": "x"}, (422,)),
    Action("POST", f"{DRAFT}/certificates", Right.MERCHANTS_WRITE, {"app_cert": "x"}, (422,)),
    Action("POST", f"{DRAFT}/prove", Right.MERCHANTS_WRITE, {}, (422,)),
    Action("POST", f"{DRAFT}/finish", Right.MERCHANTS_WRITE, {}, (409,)),
    Action("POST", f"{DRAFT}/drop", Right.MERCHANTS_WRITE, {}),
    Action("GET", "/apps/{app:int}", Right.MERCHANTS_READ, {}),
    Action("POST", "/apps/{app:int}/own_key", Right.KEYS_ROTATE, {"private_key": "x"}, (422,)),
    Action(
        "POST", "/apps/{app:int}/alipay_key", Right.KEYS_ROTATE, {"alipay_public_key": "x"}, (422,)
    ),
    # There is none of that number: who may ask hears that, who may not hears nothing of it.
    Action("POST", f"{CHANGE}/ask", Right.KEYS_ROTATE, {}, (404,)),
    Action("POST", f"{CHANGE}/approve", Right.KEYS_APPROVE, {}, (404,)),
    Action("POST", f"{CHANGE}/drop", Right.KEYS_ROTATE, {}, (404,)),
)


def test_every_route_is_in_the_table() -> None:
    there = {(m, route.path) for route in ROOM.routes for m in (route.methods or ()) if m != "HEAD"}
    assert {(action.method, action.path) for action in ACTIONS} == there


@pytest.mark.parametrize("role", tuple(Role))
def test_each_role_does_what_its_rights_say_and_no_more(world: World, role: Role) -> None:
    who = somebody(world, f"role-{role}", role)
    with Caller(world, who) as caller:
        for action in ACTIONS:
            allowed = action.right in RIGHTS[role]
            draft = (
                begin_draft(world.service.context, who).id
                if allowed and DRAFT in action.path
                else "dft_x"
            )
            path = (
                action.path.replace("{slug}", "shop")
                .replace("{app:int}", "1")
                .replace("{draft}", draft)
                .replace("{change}", "key_none")
            )
            answer = (
                caller.get(path) if action.method == "GET" else caller.post(path, **action.fields)
            )
            assert answer.status_code in (action.answers if allowed else (403,)), (
                action,
                answer.text,
            )


# ---- an app step by step


def test_an_app_is_added_with_a_key_pair_made_here(world: World, owner: Caller) -> None:
    given = given_to(world)
    path = begin(owner)
    located(app_step(world, owner, path, given))
    located(owner.post(f"{path}/make"))
    page = owner.get(path)
    public = shown_key(page)
    # Pain point: one's own public key where Alipay's belongs.
    own = owner.post(f"{path}/alipay", alipay_public_key=public)
    assert own.status_code == 422
    assert "your own app public key" in text_of(own)
    located(owner.post(f"{path}/alipay", alipay_public_key=given["alipay_public_key"]))
    # It is not uploaded yet: Alipay says so, and nothing can be finished.
    early = owner.post(f"{path}/prove")
    assert "Alipay did not take it" in text_of(early)
    unproved = owner.post(f"{path}/finish", slug="tea", name="x", seller_id=given["seller_id"])
    assert unproved.status_code == 409
    upload(world, given["app_id"], public)
    assert "its own answer verified" in text_of(owner.post(f"{path}/prove"))
    wrong = owner.post(f"{path}/finish", slug="tea", name="茶铺", seller_id="1234")
    assert wrong.status_code == 422
    assert "begins with 2088" in text_of(wrong)
    done = owner.post(f"{path}/finish", slug="tea", name="茶铺", seller_id=given["seller_id"])
    assert located(done) == "/merchants/tea?new=yes"
    assert owner.get(path).status_code == 404
    page = owner.get("/merchants/tea?new=yes")
    assert "Make the first API key" in text_of(page)
    checked = owner.post("/merchants/tea/notify")
    assert "Exactly success." in text_of(checked)
    made = owner.post(
        "/apikeys/new", name="till", merchant_tea="yes", **{"scope_orders:write": "yes"}
    )
    assert made.status_code == 200
    assert {"app.added", "merchant.added"} <= {deed for _, deed in deeds(world.service.context)}


def test_a_private_key_is_taken_in_any_form_and_never_shown(world: World, owner: Caller) -> None:
    given = given_to(world)
    key = given["app_private_key_pkcs1"]
    path = begin(owner)
    located(app_step(world, owner, path, given))
    refused = owner.post(f"{path}/key", private_key=given["alipay_public_key"])
    assert refused.status_code == 422
    assert "public key or certificate" in text_of(refused)
    wrapped = (
        "-----BEGIN RSA PRIVATE KEY-----\r\n"
        + key[:64]
        + "\r\n"
        + key[64:]
        + "\r\n-----END RSA PRIVATE KEY-----"
    )
    located(owner.post(f"{path}/key", private_key=wrapped))
    located(owner.post(f"{path}/alipay", alipay_public_key=given["alipay_public_key"]))
    # The ends hold what only the private half has; its beginning is the public half.
    pieces = [key[-100:-60], PrivateKey.load(key).pkcs8_base64()[-140:-100]]
    # A reload, and another browser of the same person, find all of it; nobody finds the key.
    with Caller(world, owner.person) as elsewhere:
        for caller, step in ((owner, ""), (elsewhere, "?step=key"), (elsewhere, "?step=alipay")):
            page = caller.get(path + step)
            assert given["app_id"] in page.text
            assert not any(piece in page.text for piece in pieces)
    database = Path(world.service.context.settings.data_dir)
    held = b"".join(file.read_bytes() for file in database.rglob("*") if file.is_file())
    assert not any(piece.encode() in held for piece in pieces)
    assert "its own answer verified" in text_of(owner.post(f"{path}/prove"))
    # Another key afterwards: what Alipay proved is no proof of that.
    located(owner.post(f"{path}/make"))
    assert owner.post(f"{path}/finish", slug="x", name="x", seller_id="x").status_code == 409
    assert located(owner.post(f"{path}/drop")) == "/merchants"
    assert owner.get(path).status_code == 404


def certificates_of(given: dict[str, str]) -> dict[str, str]:
    return {
        "app_cert": Path(given["app_cert_path"]).read_text("utf-8"),
        "alipay_cert": Path(given["alipay_cert_path"]).read_text("utf-8"),
        "alipay_root_cert": Path(given["alipay_root_cert_path"]).read_text("utf-8"),
    }


def test_certificates_are_matched_with_each_other_the_key_and_the_app(
    world: World, owner: Caller
) -> None:
    given, foreign = given_to(world), given_to(world)
    path = begin(owner)
    located(app_step(world, owner, path, given))
    located(owner.post(f"{path}/key", private_key=given["app_private_key_pkcs8"]))
    files = certificates_of(given)

    def says(**changed: str) -> str:
        answer = owner.post(f"{path}/certificates", **{**files, **changed})
        assert answer.status_code == 422
        return text_of(answer)

    assert "does not belong to the app certificate" in says(
        app_cert=certificates_of(foreign)["app_cert"]
    )
    assert "same key" in says(alipay_cert=files["app_cert"])
    assert "root certificate" in says(alipay_cert=files["alipay_root_cert"])
    assert "no certificate" in says(app_cert="hello")
    located(owner.post(f"{path}/certificates", **files))
    assert "its own answer verified" in text_of(owner.post(f"{path}/prove"))
    slug = f"cert-{next(numbers)}"
    located(owner.post(f"{path}/finish", slug=slug, name="证书店", seller_id=given["seller_id"]))
    listed = text_of(owner.get("/merchants"))
    assert "The app's certificate" in listed
    # The key fits, and the certificate is of another app.
    path = begin(owner)
    located(
        owner.post(
            f"{path}/app",
            environment="emulator",
            app_id="9021999999999999",
            gateway_url=given["gateway_url"],
        )
    )
    located(owner.post(f"{path}/key", private_key=given["app_private_key_pkcs8"]))
    assert f"is of app {given['app_id']}" in says()


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"environment": "emulator", "app_id": "abc"}, "is a number"),
        ({"environment": "production", "app_id": "2021000000000009"}, "production"),
    ],
)
def test_what_is_wrong_with_an_app_is_said_at_once(
    owner: Caller, fields: dict[str, str], says: str
) -> None:
    answer = owner.post(f"{begin(owner)}/app", **fields)
    assert answer.status_code in (403, 422)
    assert says in text_of(answer)
    assert fields["app_id"] in answer.text


def test_an_app_that_is_there_is_not_added_twice(world: World, owner: Caller) -> None:
    answer = app_step(world, owner, begin(owner), world.emulator.credentials("shop"))
    assert answer.status_code == 409
    assert "is there already" in text_of(answer)


def test_a_draft_is_its_makers_alone(world: World, owner: Caller, other: Caller) -> None:
    path = begin(owner)
    assert other.get(path).status_code == 404
    assert other.post(f"{path}/make").status_code == 404
    assert path not in other.get("/merchants").text
    assert path in owner.get("/merchants").text


def test_who_works_for_some_merchants_adds_none(world: World) -> None:
    scoped = add_person(
        world.service.context, f"scoped-{next(numbers)}", Role.OWNER, merchants=frozenset({1})
    )
    with Caller(world, scoped) as caller:
        assert caller.post("/apps/new").status_code == 404
        assert "Shop" in caller.get("/merchants").text


# ---- what is set for a merchant


def test_policies_and_amounts_are_set_and_told(world: World, owner: Caller) -> None:
    located(owner.post("/merchants/shop/policies", late="refund", duplicate="refund_later"))
    merchant = merchant_of(world, "shop")
    assert (merchant.late_policy, merchant.duplicate_policy) == ("refund", "refund_later")
    located(owner.post("/merchants/shop/second_person", per_order="500", per_day="2000.50"))
    merchant = merchant_of(world, "shop")
    assert merchant.second_person_order_minor == 50000
    assert merchant.second_person_day_minor == 200050
    page = owner.get("/merchants/shop")
    assert 'value="2000.50"' in page.text
    for wrong in ("1e5", "-3", "1.005"):
        answer = owner.post("/merchants/shop/second_person", per_order=wrong)
        assert answer.status_code == 422, wrong
    assert merchant_of(world, "shop").second_person_order_minor == 50000
    located(owner.post("/merchants/shop/second_person"))
    assert merchant_of(world, "shop").second_person_order_minor is None
    done = [deed for _, deed in deeds(world.service.context)]
    assert {"merchant.policies_set", "merchant.second_person_set"} <= {*done}


def test_outgoing_money_is_stopped_with_a_reason(world: World, owner: Caller) -> None:
    bare = owner.post("/merchants/shop/outgoing", to="stopped", reason=" ")
    assert bare.status_code == 422
    assert "Say why" in text_of(bare)
    located(owner.post("/merchants/shop/outgoing", to="stopped", reason="对账未平"))
    assert "对账未平" in text_of(owner.get("/merchants/shop"))
    assert "Stopped" in text_of(owner.get("/merchants"))
    order = world.order("5.00")
    world.pay(order)
    assert world.refund(order, "1.00", "r1").status_code == 409
    located(owner.post("/merchants/shop/outgoing", to="allowed", reason="已核对"))
    assert world.refund(order, "1.00", "r1").status_code in (200, 201, 202)


def test_the_list_tells_when_alipay_last_answered_and_notified(world: World, owner: Caller) -> None:
    order = world.order("6.60")
    world.pay(order)
    world.api.post(f"/v1/orders/{order}/query")
    world.advance(10)
    merchant = merchant_of(world, "shop")
    assert merchant.answered_at is not None
    row = next(
        row
        for row in re.findall(r"<tr data-row.*?</tr>", owner.get("/merchants").text, re.DOTALL)
        if 'data-row="shop"' in row
    )
    assert row.count("<time") == 2


DAYS = (31.5, 30.5, 15.5, 14.5, 8, 7, 1, -1)


def test_what_ends_soon_is_warned_of_at_thirty_fourteen_and_seven_days() -> None:
    tones = [tone_of_ending(int(days // 1)) for days in DAYS]
    assert tones == [None, "busy", "busy", "warn", "warn", "bad", "bad", "bad"]
