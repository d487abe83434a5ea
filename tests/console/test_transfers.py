"""Transfers in the console: approved by a second person who sees the payee masked, and who may not."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import pytest

from console.staff import Staff
from daozhang.money import Money
from daozhang.service.audit.model import SYSTEM
from daozhang.service.people.model import Role
from daozhang.service.people.refusals import RightMissing
from daozhang.service.transfers.approving import transfer_as
from daozhang.service.transfers.batching import batch_as
from daozhang.service.transfers.limits import set_limits
from daozhang.service.transfers.model import NewTransfer, Payee, PayeeKind, TransferLimits
from daozhang.service.transfers.requesting import read_transfer
from daozhang.service.transfers.templates import csv_template
from people_here import deeds
from refund_world import Shop, open_shop


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Generator[Shop]:
    with open_shop(tmp_path_factory.mktemp("transfers")) as shop:
        context = shop.service.context
        with context.database.begin() as tx:
            limits = TransferLimits(None, None, Money(100), None)
            set_limits(tx, context, SYSTEM, 1, limits)
        yield shop


@pytest.fixture(scope="module")
def staff(shop: Shop) -> Iterator[dict[Role, Staff]]:
    people = {role: Staff(shop.service.context, role) for role in Role}
    yield people
    for one in people.values():
        one.close()


def wish(shop: Shop, who: Staff, number: str) -> str:
    """A transfer that waits for a second person: the approval's id."""
    payee = Payee(PayeeKind.LOGON_ID, "13800138000", "张小明")
    new = NewTransfer(number, Money.parse("12.34"), payee, "三月佣金")
    merchant = shop.service.clients.merchant(1)
    transfer, _ = transfer_as(shop.service.context, who.person, merchant, new)
    assert transfer.approval_id is not None
    return transfer.approval_id


@pytest.mark.parametrize("role", Role)
def test_who_may_ask(shop: Shop, staff: dict[Role, Staff], role: Role) -> None:
    if role in (Role.FINANCE, Role.OWNER):
        assert wish(shop, staff[role], f"ask-{role}")
        return
    with pytest.raises(RightMissing):
        wish(shop, staff[role], f"ask-{role}")


@pytest.mark.parametrize("role", Role)
def test_who_may_approve(shop: Shop, staff: dict[Role, Staff], role: Role) -> None:
    asked = wish(shop, Staff(shop.service.context, Role.FINANCE), f"approve-{role}")
    answer = staff[role].post(f"/approvals/{asked}/approve")
    allowed = role in (Role.FINANCE, Role.OWNER)
    assert (answer.status_code == 303) == allowed, answer.status_code
    with shop.service.context.database.read() as tx:
        transfer = read_transfer(tx, 1, f"approve-{role}")
    assert (transfer.status == "awaiting_approval") == (not allowed)


def test_what_is_approved_is_shown_and_the_payee_masked(
    shop: Shop, staff: dict[Role, Staff]
) -> None:
    finance, owner = staff[Role.FINANCE], staff[Role.OWNER]
    asked = wish(shop, finance, "shown")
    said = owner.read(f"/approvals/{asked}")
    for told in ("shown", "12.34", "138****8000", "三月佣金", "Send the money?", "called back"):
        assert told in said
    assert "13800138000" not in said
    assert finance.post(f"/approvals/{asked}/approve").status_code == 403
    assert owner.do(f"/approvals/{asked}/approve", {}) == f"/approvals/{asked}"
    assert "transfer.approved" in [action for _, action in deeds(shop.service.context)]


def test_a_sheet_is_approved_as_one(shop: Shop, staff: dict[Role, Staff]) -> None:
    finance, owner = staff[Role.FINANCE], staff[Role.OWNER]
    merchant = shop.service.clients.merchant(1)
    batch, is_new = batch_as(
        shop.service.context, finance.person, merchant, "2026-03", "三月", csv_template("gbk")
    )
    assert is_new
    said = owner.read(f"/approvals/{batch.approval_id}")
    for told in ("2026-03", "2,194.60", "Transfers in it", "3"):
        assert told in said
    owner.do(f"/approvals/{batch.approval_id}/approve", {})
