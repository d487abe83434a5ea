"""What a bank sent back, or what failed, sent once more from its page: by a person, and once only."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator

import pytest

from console.staff import Staff, hidden, plain
from console.test_transfers_room import CARD, WISH, allow, came_back, looks, send
from daozhang.service.people.model import Role
from worlds import World, open_gateway, running


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    """A merchant that may send, and whom Alipay tells what its banks did."""
    with running(tmp_path_factory.mktemp("again")) as made:
        open_gateway(made)
        allow(made)
        yield made


@pytest.fixture
def staff(world: World) -> Iterator[Callable[..., Staff]]:
    """Signs somebody of a role in, now: a day later they are signed out."""
    people: list[Staff] = []

    def sign_in(role: Role, language: str = "en") -> Staff:
        people.append(Staff(world.service.context, role, language=language))
        return people[-1]

    yield sign_in
    for one in people:
        one.close()


def at_alipay(world: World, number: str) -> list[str]:
    """The amounts that went out under that number or those that follow it."""
    return [
        str(sent.request.amount)
        for sent in world.emulator.transfers
        if sent.number == number or sent.number.startswith(f"{number}-r")
    ]


def test_what_came_back_is_sent_once_more_by_a_person_and_once_only(
    world: World, staff: Callable[..., Staff]
) -> None:
    finance = staff(Role.FINANCE)
    number = came_back(world, finance)
    page = finance.get(f"/transfers/{number}")
    assert "Send it once more" in plain(page.text)
    assert f"/transfers/new?again={number}" in page.text
    world.advance(20 * 86400)
    assert at_alipay(world, number) == ["12.34"]  # never by itself
    finance, owner = staff(Role.FINANCE), staff(Role.OWNER)

    form = finance.get(f"/transfers/new?again={number}")
    again = f"{number}-r2"
    assert f"It goes instead of: {number}" in plain(form.text)
    assert hidden(form.text, "number") == again
    for filled in ("6222020000000000001", "李芳", "杭州西湖支行", "12.34", "三月佣金"):
        assert f'value="{filled}"' in form.text
    for chosen in ("bank_card", "person"):
        assert f'value="{chosen}" selected' in form.text
    assert (looks(world)[-1][1], finance.get(f"/transfers/{again}").status_code) == (
        f"transfer:{number}",
        404,
    )
    # Somebody else has the same form open: both send it, and one transfer goes.
    assert hidden(owner.get(f"/transfers/new?again={number}").text, "number") == again
    wish = {"number": again, **WISH, **CARD}
    assert "Is this right?" in plain(finance.post("/transfers/new", wish).text)
    for one in (finance, owner, finance):
        assert one.do("/transfers/new", {**wish, "sure": "yes"}) == f"/transfers/{again}"
    changed = owner.post("/transfers/new", {**wish, "amount": "13.00", "sure": "yes"})
    assert changed.status_code == 409
    world.settle()
    assert at_alipay(world, number) == ["12.34", "12.34"]
    page = finance.get(f"/transfers/{number}").text
    assert f"Sent once more as {again}" in plain(page)
    assert "Send it once more" not in plain(page)
    led = finance.get(f"/transfers/new?again={number}")
    assert led.headers["location"].endswith(f"/transfers/{again}")

    for deed in ("arrive", "send_back"):
        world.emulator.play_transfer(again, deed)
        world.settle()
    third = hidden(finance.get(f"/transfers/new?again={again}").text, "number")
    assert third == f"{number}-r3"


def test_what_failed_is_sent_once_more_to_the_right_payee(
    world: World, staff: Callable[..., Staff]
) -> None:
    finance = staff(Role.FINANCE)
    number = send(world, finance, **CARD)
    world.emulator.play_transfer(number, "fail")
    world.settle()
    page = finance.read(f"/transfers/{number}")
    assert "Failed" in page
    assert "Send it once more" in page
    form = finance.get(f"/transfers/new?again={number}").text
    assert f"It goes instead of: {number}" in plain(form)
    again = hidden(form, "number")
    wish = {"number": again, **WISH, **CARD, "bank_branch": "杭州滨江支行", "sure": "yes"}
    assert finance.do("/transfers/new", wish) == f"/transfers/{again}"
    world.settle()
    world.emulator.play_transfer(again, "arrive")
    world.settle()
    assert world.api.get(f"/v1/transfers/{again}").json()["status"] == "succeeded"
    assert f"Sent once more as {again}" in finance.read(f"/transfers/{number}")
    assert "Send it once more" not in finance.read(f"/transfers/{again}")


def test_what_may_have_gone_is_not_sent_once_more(
    world: World, staff: Callable[..., Staff]
) -> None:
    finance = staff(Role.FINANCE)
    number = send(world, finance)
    assert "Send it once more" not in finance.read(f"/transfers/{number}")
    refused = finance.get(f"/transfers/new?again={number}")
    assert (refused.status_code, "neither failed nor came back" in plain(refused.text)) == (
        409,
        True,
    )
    chinese = staff(Role.FINANCE, "zh")
    assert "既未失败也未被退回" in plain(chinese.get(f"/transfers/new?again={number}").text)
    assert finance.get("/transfers/new?again=nobody").status_code == 404
