"""The commands about transfers: what may be sent, send, show, and a sheet of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from daozhang.cli.speaking import asked, cli_actor, say, say_rows, service_context
from daozhang.money import Money
from daozhang.service.merchants.actions import get_merchant
from daozhang.service.transfers import batch_store, store
from daozhang.service.transfers.batching import request_batch, try_sheet
from daozhang.service.transfers.limits import CLEARING, set_limits
from daozhang.service.transfers.messages import sentences_for
from daozhang.service.transfers.model import (
    NewTransfer,
    Payee,
    PayeeKind,
    Transfer,
    TransferLimits,
    TransferStatus,
)
from daozhang.service.transfers.requesting import read_transfer, request_transfer
from daozhang.service.transfers.sheets import as_fields
from daozhang.service.web.problem import amount_of

transfer_commands = typer.Typer(help="Transfers: money sent to others. 转账")

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, ask nothing. 输出 JSON")]
Slug = Annotated[str, typer.Argument(help="The merchant's slug. 商户标识")]
Amount = str | None

_COLUMNS: Final = {"row": "Row 行", "column": "Column 列", "say": "Problem", "say_zh": "问题"}


@transfer_commands.command("limits")
def limits(
    slug: Slug,
    single_max: Annotated[Amount, typer.Option(help='At once, "5000.00". 单笔上限')] = None,
    day_max: Annotated[Amount, typer.Option(help="In a day together. 每日合计上限")] = None,
    second_person_above: Annotated[
        Amount, typer.Option(help="Above this at once it takes two people. 单笔双人审批金额")
    ] = None,
    second_person_day: Annotated[
        Amount, typer.Option(help="Above this of one requester in a day. 单人当日双人审批金额")
    ] = None,
    free: Annotated[bool, typer.Option("--free", help="No limit at all. 不设任何限额")] = False,
    as_json: AsJson = False,
) -> None:
    """What a merchant may send, and from where on it takes two; shows or sets all. 转账限额."""
    given = (single_max, day_max, second_person_above, second_person_day)
    with service_context(as_json=as_json) as context:
        with context.database.begin() as tx:
            merchant = get_merchant(tx, slug)
            if free or any(amount is not None for amount in given):
                set_limits(
                    tx, context, cli_actor(), merchant.id, TransferLimits(*map(_amount, given))
                )
            known = store.find_limits(tx, merchant.id)
        names = TransferLimits.__dataclass_fields__
        content: dict[str, Any] = {"merchant": slug, "set": known is not None}
        content |= {name: _text(getattr(known, name, None)) for name in names}
        sentence = (
            "Nothing is sent before limits are set. 设置限额之前不会发出任何转账."
            if known is None
            else "\n".join(("What may be sent. 转账限额.", *CLEARING))
        )
        say(content, sentence, as_json=as_json)


@transfer_commands.command("send")
def send(
    slug: Slug,
    number: Annotated[str, typer.Option(help="Your number: one transfer for ever. 商户单号")],
    amount: Annotated[str, typer.Option(help='"128.00". 金额')],
    title: Annotated[str, typer.Option(help="What the payee reads. 标题")],
    user_id: Annotated[str | None, typer.Option(help="2088… 支付宝用户号")] = None,
    open_id: Annotated[str | None, typer.Option(help="open_id")] = None,
    logon_id: Annotated[str | None, typer.Option(help="Phone or email. 支付宝账号")] = None,
    bank_card: Annotated[str | None, typer.Option(help="A card's number. 银行卡号")] = None,
    name: Annotated[str | None, typer.Option(help="The payee's name. 收款人姓名")] = None,
    company: Annotated[bool, typer.Option("--company", help="A company's card. 对公")] = False,
    bank_name: Annotated[str | None, typer.Option(help="Its bank. 开户行")] = None,
    remark: Annotated[str | None, typer.Option(help="备注")] = None,
    as_json: AsJson = False,
) -> None:
    """Sends money; the running service does it. The same again is the same. 发起转账."""
    ways = {
        PayeeKind.USER_ID: user_id,
        PayeeKind.OPEN_ID: open_id,
        PayeeKind.LOGON_ID: logon_id,
        PayeeKind.BANK_CARD: bank_card,
    }
    named = [(kind, value) for kind, value in ways.items() if value]
    if len(named) != 1:
        raise typer.BadParameter(
            "name one payee: --user-id, --open-id, --logon-id or --bank-card 请指定一个收款方"
        )
    ((kind, identity),) = named
    is_card = kind is PayeeKind.BANK_CARD
    holder = ("company" if company else "person") if is_card else None
    payee = Payee(kind, identity, name, card_holder=holder, bank_name=bank_name)
    with service_context(as_json=as_json) as context:
        new = NewTransfer(number, amount_of(amount, store.CURRENCY), payee, title, remark)
        with context.database.begin() as tx:
            merchant = get_merchant(tx, slug)
            transfer, _ = request_transfer(tx, context, merchant, new, cli_actor())
        _say(transfer, as_json=as_json)


@transfer_commands.command("show")
def show(
    slug: Slug,
    number: Annotated[str, typer.Argument(help="The transfer's number. 商户单号")],
    as_json: AsJson = False,
) -> None:
    """How a transfer stands. 查看转账."""
    with service_context(as_json=as_json) as context:
        with context.database.read() as tx:
            transfer = read_transfer(tx, get_merchant(tx, slug).id, number)
        _say(transfer, as_json=as_json)


@transfer_commands.command("batch")
def batch(
    slug: Slug,
    file: Annotated[Path, typer.Argument(help="XLSX, or CSV in UTF-8 or GBK. 表格文件")],
    number: Annotated[str | None, typer.Option(help="Your number for the batch. 批次号")] = None,
    title: Annotated[str | None, typer.Option(help="What it is for. 用途")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what it would do. 仅试运行")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Sends all rows of a sheet, or none; tries it with --dry-run. 批量转账."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be read: {type(error).__name__}") from None
    with service_context(as_json=as_json) as context:
        with context.database.read() as tx:
            merchant = get_merchant(tx, slug)
            trial, _ = try_sheet(tx, context, merchant, content, cli_actor())
        problems = [as_fields(problem) for problem in trial.problems]
        tried: dict[str, Any] = {
            "rows": trial.rows,
            "amount": str(trial.amount),
            "takes_second_person": trial.takes_second_person,
        }
        if dry_run:
            if as_json:
                say(tried | {"problems": problems}, "", as_json=True)
                return
            say(tried, "A dry run: nothing was sent. 试运行，未发出任何转账.", as_json=False)
            say_rows(problems, _COLUMNS, "No problem was found. 未发现问题.", as_json=False)
            return
        wanted = asked(number, "--number", "A number for the batch 批次号", as_json=as_json)
        purpose = asked(title, "--title", "What it is for 用途", as_json=as_json)
        if problems and not as_json:
            say_rows(problems, _COLUMNS, "", as_json=False)
        with context.database.begin() as tx:
            made, _ = request_batch(tx, context, merchant, wanted, purpose, content, cli_actor())
            shares = batch_store.progress(tx, made)
        shown = tried | {
            "number": made.number,
            "status": made.status.value,
            "approval_id": made.approval_id,
            "progress": {one.status.value: one.transfers for one in shares},
        }
        waits = made.approval_id is not None and made.approved_by is None
        sentence = (
            "It waits for a second person. 等待另一人审批."
            if waits
            else "The running service sends it. 已登记，由运行中的服务发出."
        )
        say(shown, sentence, as_json=as_json)


def _say(transfer: Transfer, *, as_json: bool) -> None:
    told = sentences_for(transfer.last_code, transfer.last_message)
    content = {
        "out_biz_no": transfer.out_biz_no,
        "status": transfer.status.value,
        "amount": str(transfer.amount),
        "payee": transfer.payee_shown,
        "title": transfer.title,
        "last_code": transfer.last_code,
        "approval_id": transfer.approval_id,
        "next_attempt_at": None if transfer.due_at is None else transfer.due_at.isoformat(),
        "paid_at": None if transfer.paid_at is None else transfer.paid_at.isoformat(),
    }
    say(content, " ".join(told) if told else _SENTENCES[transfer.status], as_json=as_json)


_SENTENCES: Final = {
    TransferStatus.AWAITING_APPROVAL: "It waits for a second person. 等待另一人审批.",
    TransferStatus.REQUESTED: "Written down; the running service sends it. 已登记，由运行中的服务发出.",
    TransferStatus.UNKNOWN: "It may have gone: Alipay is asked. 结果未知，正在查询.",
    TransferStatus.DEALING: "A bank considers it. 银行处理中.",
    TransferStatus.SUCCEEDED: "The money has gone. 已转出.",
    TransferStatus.FAILED: "It has not gone, and will not. 未转出.",
    TransferStatus.RETURNED: "A bank sent it back. 银行已退回.",
}


def _amount(text: str | None) -> Money | None:
    return None if text is None else Money.parse(text)


def _text(amount: Money | None) -> str | None:
    return None if amount is None else str(amount)
