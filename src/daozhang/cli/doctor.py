"""`daozhang doctor`: what is not well with this deployment, and what to do."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Final

import typer

from daozhang.app import create_context
from daozhang.service.doctor.actions import examine
from daozhang.service.doctor.model import Finding, Result, fail, ok
from daozhang.service.doctor.storage import check_places
from daozhang.service.logs import configure_logs
from daozhang.service.seal import SealingKeysInvalid
from daozhang.service.settings import SettingsInvalid, load_settings

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, ask nothing. 输出 JSON")]

COLOURS: Final = {
    Result.OK: typer.colors.GREEN,
    Result.WARN: typer.colors.YELLOW,
    Result.FAIL: typer.colors.RED,
}


def doctor(as_json: AsJson = False) -> None:
    """Looks at settings, database, keys, clock and addresses. 检查部署是否正常."""
    findings: list[Finding] = []
    for finding in _all_findings():
        findings.append(finding)
        if not as_json:
            _say(finding)
    counted = Counter(one.result for one in findings)
    if as_json:
        content = {
            "well": not counted[Result.FAIL],
            "findings": [asdict(one) for one in findings],
        }
        typer.echo(json.dumps(content, ensure_ascii=False))
    else:
        typer.echo(" · ".join(f"{counted[result]} {result.value}" for result in Result))
    if counted[Result.FAIL]:
        raise typer.Exit(1)


def _all_findings() -> Iterator[Finding]:
    try:
        settings = load_settings()
    except SettingsInvalid as error:
        for problem in error.problems:
            yield fail("settings", "DAOZHANG_*", problem, problem)
        return
    yield ok("settings", "DAOZHANG_*", "They can be read.", "配置可读取.")
    missing = list(check_places(settings))
    yield from missing
    if missing:
        return
    # Its findings are the answer: what goes wrong on the way is in them, and not in a log as well.
    configure_logs(settings.log_format, "critical")
    try:
        context = create_context(settings)
    except SealingKeysInvalid as error:
        yield fail("sealing.keys", str(settings.sealing_keys_file), str(error), str(error))
        return
    try:
        yield from examine(context)
    finally:
        context.database.dispose()


def _say(finding: Finding) -> None:
    mark = typer.style(f"{finding.result.value:>4}", fg=COLOURS[finding.result], bold=True)
    typer.echo(f"{mark}  {finding.check}  {finding.about}")
    typer.echo(f"      {finding.detail}")
    if finding.detail_zh != finding.detail:
        typer.echo(f"      {finding.detail_zh}")
