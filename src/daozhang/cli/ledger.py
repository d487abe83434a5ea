"""The commands about the ledger: what will be paid out and when, and how an account is paid out."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from daozhang.cli.speaking import cli_actor, say, say_rows, service_context
from daozhang.service.ledger.configuring import set_book
from daozhang.service.ledger.model import PAYOUT_DAYS_MAX, Payout
from daozhang.service.ledger.reading import book_of
from daozhang.service.merchants.actions import get_merchant
from daozhang.service.payouts.calendars import known_working_days
from daozhang.service.payouts.reading import read_forecast
from daozhang.service.payouts.views import PayoutsOut

ledger_commands = typer.Typer(help="The books: what will be paid out, and when. 账簿与结算")

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, ask nothing. 输出 JSON")]
Slug = Annotated[str, typer.Argument(help="The merchant's slug. 商户标识")]

_COLUMNS: Final = {
    "paid_on": "paid 支付日",
    "amount": "amount 金额",
    "estimated_fee": "fee, estimated 预计手续费",
    "pays_out_on": "expected on 预计结算日",
    "state": "state 状态",
}


@ledger_commands.command("payouts")
def ledger_payouts(slug: Slug, as_json: AsJson = False) -> None:
    """What Alipay will pay out, by the day of the payments. 待结算金额与预计结算日."""
    with service_context(as_json=as_json) as context:
        with context.database.read() as tx:
            book = book_of(tx, get_merchant(tx, slug).id)
            found = read_forecast(tx, book, context.clock.now(), known_working_days())
        told: dict[str, Any] = PayoutsOut.of(found).model_dump(mode="json")
        if as_json:
            say(told, "", as_json=True)
            return
        rows = told["unsettled_lines"]
        say_rows(rows, _COLUMNS, "Nothing is unsettled. 没有待结算金额.", as_json=False)
        typer.echo(
            f"available 可用 {told['available']}, unsettled 待结算 {told['unsettled']}, "
            f"frozen 冻结 {told['frozen']}"
        )
        for year in told["calendar"]["unknown_years"]:
            typer.echo(f"The holidays of {year} are not known yet. {year} 年节假日安排尚未公布.")


@ledger_commands.command("set")
def ledger_set(
    slug: Slug,
    payout: Annotated[
        Payout | None, typer.Option(help="at_once, or later (T+N). 即时到账或延后结算")
    ] = None,
    days: Annotated[
        int | None,
        typer.Option(
            min=1, max=PAYOUT_DAYS_MAX, help="The N of T+N, in working days. 结算工作日数"
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """How the merchant's Alipay account is paid out, from the next payment on; shows or sets. 结算方式."""
    with service_context(as_json=as_json) as context:
        with context.database.begin() as tx:
            merchant = get_merchant(tx, slug)
            book = book_of(tx, merchant.id)
            if payout is not None or days is not None:
                book = set_book(
                    tx, context, cli_actor(), merchant.id, payout=payout, payout_days=days
                )
        content = {
            "seller_id": book.seller_id,
            "payout": book.payout.value,
            "payout_days": book.payout_days,
            "fee_ppm": book.fee_ppm,
        }
        sentence = (
            f"How the account {book.seller_id} is paid out. 账号 {book.seller_id} 的结算方式."
        )
        say(content, sentence, as_json=as_json)
