"""The commands about closed books: vouchers for a bookkeeping program, their templates, and reports."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from daozhang.cli.speaking import cli_actor, read_text, say, service_context
from daozhang.service.journal.actions import export_journal
from daozhang.service.journal.model import Template
from daozhang.service.journal.reading import NAMES, read_template, template_of, text_of
from daozhang.service.journal.refusals import SpanMissing
from daozhang.service.merchants.actions import get_merchant
from daozhang.service.merchants.model import Merchant
from daozhang.service.merchants.store import list_merchants
from daozhang.service.reports.actions import make_report
from daozhang.service.web.context import Context

books_commands = typer.Typer(help="Closed books as vouchers and reports. 凭证与报表")

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, ask nothing. 输出 JSON")]
_NAMES: Final = ", ".join(NAMES)


@books_commands.command("export")
def books_export(
    month: Annotated[str | None, typer.Option(help="A closed month, such as 2026-03. 月份")] = None,
    day: Annotated[str | None, typer.Option(help="A closed day, such as 2026-03-01. 日期")] = None,
    template: Annotated[
        str, typer.Option(help=f"{_NAMES}, or a file of your own. 模板名或自备文件")
    ] = "yonyou",
    out: Annotated[Path | None, typer.Option(help="Where to; else here. 输出文件")] = None,
    merchant: Annotated[str | None, typer.Option(help="Which one, if several. 商户")] = None,
    as_json: AsJson = False,
) -> None:
    """Writes what was posted as vouchers for 用友, 金蝶 or another program. 导出凭证."""
    with service_context(as_json=as_json) as context:
        layout = _template(template)
        if (month is None) == (day is None):
            raise SpanMissing
        shop = _merchant(context, merchant)
        file = export_journal(context, cli_actor(), shop, month or day or "", layout)
        path = out or Path(file.name)
        path.write_bytes(file.content)
        row = {
            "file": str(path),
            "template": layout.title,
            "encoding": layout.encoding.value,
            "vouchers": file.voucher_count,
            "lines": file.line_count,
            "debits": str(file.debits),
            "credits": str(file.debits),
        }
        sentence = (
            f"{file.voucher_count} vouchers are in {path}.\n已导出 {file.voucher_count} 张凭证。"
        )
        say(row, sentence, as_json=as_json)


@books_commands.command("report")
def books_report(
    period: Annotated[str, typer.Argument(help="2026-03-01 or 2026-03. 日期或月份")],
    out: Annotated[Path | None, typer.Option(help="Where to; else here. 输出文件")] = None,
    merchant: Annotated[str | None, typer.Option(help="Which one, if several. 商户")] = None,
    as_json: AsJson = False,
) -> None:
    """Writes a day or month as a workbook: who signed, what differed, what was posted. 导出报表."""
    with service_context(as_json=as_json) as context:
        shop = _merchant(context, merchant)
        content = make_report(
            context, cli_actor(), shop, period, {}, lambda merchant_id: merchant_id == shop.id
        )
        path = out or Path(f"report-{shop.slug}-{period}.xlsx")
        path.write_bytes(content)
        row = {"file": str(path), "period": period, "merchant": shop.slug}
        say(row, f"The report is in {path}.\n报表已写入 {path}。", as_json=as_json)


@books_commands.command("template")
def books_template(
    name: Annotated[str, typer.Argument(help=_NAMES)],
    out: Annotated[Path | None, typer.Option(help="Where to; else to the screen. 输出文件")] = None,
) -> None:
    """Gives a template to be edited. 取模板以便修改."""
    with service_context(as_json=False, migrated=False):
        text = text_of(name)
    if out is None:
        typer.echo(text, nl=False)
    else:
        out.write_text(text, "utf-8")


def _template(named: str) -> Template:
    """A template that comes with us, or that of a file."""
    if named in NAMES or not Path(named).exists():
        return template_of(named)
    text = read_text(Path(named))
    assert text is not None
    return read_template(text)


def _merchant(context: Context, slug: str | None) -> Merchant:
    with context.database.read() as tx:
        if slug is not None:
            return get_merchant(tx, slug)
        found = list_merchants(tx)
    if len(found) != 1:
        raise typer.BadParameter("say which merchant 请指定商户", param_hint="--merchant")
    return found[0]
