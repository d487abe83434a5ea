"""The commands about alerts: what is wrong now, and whether a person would hear of it."""

from __future__ import annotations

from typing import Annotated

import typer

from daozhang.cli.speaking import say, say_rows, service_context
from daozhang.service.jobs import Jobs
from daozhang.service.refusals import Refusal
from daozhang.service.watch.actions import Lookout
from daozhang.service.watch.alerting import send_messages
from daozhang.service.watch.channels import channels_of
from daozhang.service.watch.model import Alert, Message, Severity
from daozhang.service.watch.rules import alerts_of

alerts_commands = typer.Typer(help="What is wrong now, and whether alerts arrive. 告警")

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, ask nothing. 输出 JSON")]

TEST = Alert(
    "test",
    Severity.TICKET,
    "这是一条测试告警, 一切正常",
    "this is a test; nothing is wrong",
    "无需处理",
    "nothing",
)


class AlertsNotDelivered(Refusal):
    """Nobody would hear of an alert."""

    code = "alerts_not_delivered"
    title = "Alerts do not arrive"

    def __init__(self, problems: dict[str, str]) -> None:
        said = "; ".join(f"{channel}: {problem}" for channel, problem in problems.items())
        super().__init__(
            f"The test did not arrive: {said}"
            if problems
            else "No channel is set: set DAOZHANG_ALERTS_DINGTALK_TOKEN, DAOZHANG_ALERTS_WECOM_KEY "
            "or DAOZHANG_ALERTS_WEBHOOK_URL",
            f"测试告警未送达: {said}" if problems else "未配置任何告警渠道, 请设置上述变量之一",
        )


@alerts_commands.command("list")
def alerts_list(as_json: AsJson = False) -> None:
    """What is wrong at this moment, and what to do. 当前告警."""
    with service_context(as_json=as_json) as context:
        jobs = Jobs(context.database)
        jobs.prepare()
        try:
            found = alerts_of(Lookout(context, jobs).look())
        finally:
            jobs.stop()
        rows = [
            {
                "key": alert.key,
                "severity": alert.severity.value,
                "text": alert.en,
                "text_zh": alert.zh,
                "todo": alert.todo_en,
                "todo_zh": alert.todo_zh,
            }
            for alert in found
        ]
        columns = {
            "key": "alert 告警",
            "severity": "urgency 级别",
            "text": "what",
            "text_zh": "情况",
            "todo_zh": "处理",
            "todo": "to do",
        }
        say_rows(rows, columns, "Nothing is wrong. 一切正常.", as_json=as_json)


@alerts_commands.command("test")
def alerts_test(as_json: AsJson = False) -> None:
    """Sends a test to every channel and says which took it. 发送测试告警."""
    with service_context(as_json=as_json) as context:
        channels = channels_of(context.settings)
        message = Message(TEST, context.clock.now())
        told = {channel.name: send_messages(context, channel, [message]) for channel in channels}
        problems = {name: problem for name, problem in told.items() if problem is not None}
        if problems or not told:
            raise AlertsNotDelivered(problems)
        say({"delivered": list(told)}, "The test was taken. 测试告警已送达.", as_json=as_json)
