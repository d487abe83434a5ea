"""What is to be told to a person, decided from one picture of the house. Pure.

`deploy/alerts.yml` says the same to Prometheus; `docs/guides/operate.md` says what each means.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

from daozhang.money import Money
from daozhang.service.meter import NOTIFY_ANSWERS
from daozhang.service.watch.model import Age, Alert, Cause, Picture, Severity

NOT_APPLIED_SECONDS: Final = 60
UNCONFIRMED_SECONDS: Final = 900
QUERY_SHARE_MAX: Final = 0.2
QUERY_PAYMENTS_MIN: Final = 3
REFUSED_MIN: Final = 20
CERTIFICATE_DAYS_SOON: Final = 30
CERTIFICATE_DAYS_URGENT: Final = 7
ENDPOINT_FAILING_SECONDS: Final = 3600
STEPS_LATE_SECONDS: Final = 600
JOBS_FAILED_MIN: Final = 10
JOBS_WAITING_MIN: Final = 500

OLD: Final = (Age.HOURS, Age.DAYS)
"""From an hour on, money in an unknown state is no longer a matter of seconds that pass."""

RETRY_DELAYS_SECONDS: Final = (30, 60, 300, 900)
"""When an alert that could not be sent is tried again; the last one repeats."""


def alerts_of(picture: Picture) -> tuple[Alert, ...]:
    """All that is wrong in ``picture``, each thing once."""
    found = (_inbox, _answers, _money, _consents, _certificates, _webhooks, _jobs)
    return tuple(alert for look in found for alert in look(picture))


def _inbox(picture: Picture) -> Iterator[Alert]:
    inbox = picture.inbox
    oldest = _age_seconds(picture, "received")
    if oldest >= NOT_APPLIED_SECONDS:
        count = inbox.backlog["received"].count
        yield Alert(
            "notifications_not_applied",
            Severity.PAGE,
            f"{count} 条通知已收到但未入账, 最早的已等待 {oldest:.0f} 秒",
            f"{count} notifications are recorded and not in the books; the oldest waits {oldest:.0f} s",
            "查看服务日志中的 notification_not_applied 和 duty_failed, 检查数据库是否可用",
            "look for notification_not_applied and duty_failed in the log; is the database well?",
        )
    unconfirmed = _age_seconds(picture, "confirming")
    if unconfirmed >= UNCONFIRMED_SECONDS:
        yield Alert(
            "notifications_unconfirmed",
            Severity.TICKET,
            f"有通知等待支付宝查询确认已 {unconfirmed / 60:.0f} 分钟",
            f"a notification has waited for a query's answer for {unconfirmed / 60:.0f} minutes",
            "检查到支付宝网关的网络和密钥 (日志 query_unknown, query_rejected)",
            "is the gateway reachable, are the keys right? (query_unknown, query_rejected in the log)",
        )
    if inbox.copied_often:
        yield Alert(
            "notifications_copied_often",
            Severity.TICKET,
            f"一天内有 {inbox.copied_often} 条通知到达超过 8 次, 最多 {inbox.copies_max} 次",
            f"{inbox.copied_often} notifications came more than 8 times in a day, one {inbox.copies_max} times",
            "我们的 success 可能没有到达支付宝: 检查反向代理是否改写了应答",
            "our success may not reach Alipay: does a proxy change the answer?",
        )
    if picture.orders_unwatched:
        yield Alert(
            "orders_unwatched",
            Severity.PAGE,
            f"{picture.orders_unwatched} 个未完成订单没有下次查询时间",
            f"{picture.orders_unwatched} open orders have no next query",
            "这是程序错误: 对每个订单调用 POST /v1/orders/{out_trade_no}/query, 并报告问题",
            "a bug of ours: ask with POST /v1/orders/{out_trade_no}/query for each, and report it",
        )


def _answers(picture: Picture) -> Iterator[Alert]:
    answers = picture.lately.get(NOTIFY_ANSWERS, {})
    learned = picture.lately.get("payments_learned", {})
    by_query, total = learned.get("query", 0), sum(learned.values())
    if by_query >= QUERY_PAYMENTS_MIN and by_query >= QUERY_SHARE_MAX * total:
        yield Alert(
            "payments_learned_by_query",
            Severity.PAGE,
            f"最近一小时 {total} 笔付款中有 {by_query} 笔靠查询才得知: 通知没有到达",
            f"{by_query} of the last hour's {total} payments were learned by query: notifications do not arrive",
            "从公网访问通知地址; 检查域名, 证书, 防火墙, 以及支付宝应用的通知设置",
            "open the notify address from outside; look at DNS, TLS, firewall and the app's settings",
        )
    if answers.get("error", 0):
        yield Alert(
            "notify_errors",
            Severity.PAGE,
            f"最近一小时有 {answers['error']} 条通知因错误未能记录",
            f"{answers['error']} notifications of the last hour could not be recorded",
            "查看日志 notification_not_recorded, 检查数据库和磁盘; 支付宝会重发",
            "look for notification_not_recorded in the log, at the database and the disk; Alipay sends again",
        )
    if answers.get("busy", 0):
        yield Alert(
            "notify_busy",
            Severity.TICKET,
            f"最近一小时有 {answers['busy']} 条通知因队列已满被拒 (503)",
            f"{answers['busy']} notifications of the last hour met a full queue (503)",
            "数据库太慢或流量过大: 检查磁盘和提交延迟, 考虑增加进程; 支付宝会重发",
            "the database is slow or the traffic high: look at commit latency, add processes; Alipay sends again",
        )
    if answers.get("refused", 0) >= REFUSED_MIN:
        yield Alert(
            "notifications_refused",
            Severity.TICKET,
            f"最近一小时拒绝了 {answers['refused']} 个不可信的通知请求",
            f"{answers['refused']} requests at the notify address were refused in the last hour",
            "看 daozhang_notifications_refused_total 的原因: bad_signature 多半是支付宝公钥配置错误",
            "see the reasons in daozhang_notifications_refused_total: bad_signature is often a wrong Alipay key",
        )


def _money(picture: Picture) -> Iterator[Alert]:
    old = [one for one in picture.at_risk if one.age in OLD and one.cause is not Cause.SURPRISE]
    if old:
        what = _sums((f"{one.cause.value} ({one.environment})", one.amount) for one in old)
        yield Alert(
            "money_at_risk",
            Severity.PAGE,
            f"超过一小时状态不明的资金: {what}",
            f"money in an unknown state for more than an hour: {what}",
            "用 GET /v1/money_at_risk 查看明细, 逐笔处理",
            "GET /v1/money_at_risk lists the rows; take them one by one",
        )
    if picture.surprises:
        what = _sums((f"{one.reason} ({one.environment})", one.amount) for one in picture.surprises)
        count = sum(one.count for one in picture.surprises)
        yield Alert(
            "surprises_open",
            Severity.TICKET,
            f"{count} 个异常等待人工处理: {what}",
            f"{count} surprises wait for a person: {what}",
            "用 GET /v1/money_at_risk 查看明细, 与支付宝商家后台核对",
            "GET /v1/money_at_risk lists them; compare with Alipay's merchant centre",
        )


def _consents(picture: Picture) -> Iterator[Alert]:
    unwatched = {kind: n for kind, n in sorted(picture.consents.unwatched.items()) if n}
    if unwatched:
        what = ", ".join(f"{n} {kind}" for kind, n in unwatched.items())
        yield Alert(
            "consents_unwatched",
            Severity.PAGE,
            f"未完成的预授权, 协议或扣款没有下一步时间: {what}",
            f"open holds, agreements or charges have no next step: {what}",
            "这是程序错误: 对每笔调用 POST /v1/holds/.../query 或 /v1/agreements/.../query, 并报告问题",
            "a bug of ours: ask with POST .../query of each hold or agreement, and report it",
        )
    since = min(picture.consents.late.values(), default=None)
    seconds = 0.0 if since is None else (picture.at - since).total_seconds()
    if seconds >= STEPS_LATE_SECONDS:
        kinds = ", ".join(sorted(picture.consents.late))
        yield Alert(
            "steps_late",
            Severity.PAGE,
            f"付款, 扣款, 预授权或协议的下一步已延误 {seconds / 60:.0f} 分钟 ({kinds})",
            f"the next steps of payments, charges, holds or agreements are {seconds / 60:.0f} minutes late ({kinds})",
            "检查工作进程是否在运行, 日志中是否有 duty_failed",
            "do the workers run? look for duty_failed in the log",
        )


def _certificates(picture: Picture) -> Iterator[Alert]:
    for key in picture.keys:
        name = f"{key.app_id}:{key.kind}"
        if key.kind == "unreadable":
            yield Alert(
                f"keys_unreadable:{key.app_id}",
                Severity.PAGE,
                f"应用 {key.app_id} ({key.environment}) 的密钥无法打开",
                f"the keys of app {key.app_id} ({key.environment}) cannot be opened",
                "恢复密封密钥 (DAOZHANG_SEALING_KEYS 或 sealing.keys), 或重新录入应用密钥",
                "bring the sealing keys back (DAOZHANG_SEALING_KEYS or sealing.keys), or add the app's keys again",
            )
        if key.not_after is None:
            continue
        days = (key.not_after - picture.at) / timedelta(days=1)
        if days <= CERTIFICATE_DAYS_SOON:
            yield Alert(
                f"certificate_ending:{name}",
                Severity.PAGE if days <= CERTIFICATE_DAYS_URGENT else Severity.TICKET,
                f"应用 {key.app_id} ({key.environment}) 的证书 {key.kind} 还有 {days:.0f} 天到期",
                f"the certificate {key.kind} of app {key.app_id} ({key.environment}) ends in {days:.0f} days",
                "在支付宝开放平台更新证书, 再更新应用配置",
                "renew it on Alipay's open platform, then give it to the app here",
            )


def _webhooks(picture: Picture) -> Iterator[Alert]:
    sent = picture.deliveries
    disabled = sent.endpoints.get("disabled", 0)
    if disabled:
        yield Alert(
            "webhook_endpoints_disabled",
            Severity.TICKET,
            f"{disabled} 个 webhook 端点已被关闭, {sent.parked} 条事件待重发",
            f"{disabled} webhook endpoints are switched off; {sent.parked} deliveries are parked",
            "修复接收方, 然后 POST /v1/webhook_endpoints/{endpoint_id}/resume: 事件按序补发",
            "mend the receiver, then POST /v1/webhook_endpoints/{endpoint_id}/resume: all is sent in order",
        )
    if sent.failing_since is not None:
        seconds = (picture.at - sent.failing_since).total_seconds()
        if seconds >= ENDPOINT_FAILING_SECONDS:
            yield Alert(
                "webhook_endpoint_failing",
                Severity.TICKET,
                f"有 webhook 端点已连续失败 {seconds / 3600:.0f} 小时",
                f"a webhook endpoint has failed for {seconds / 3600:.0f} hours without one success",
                "查看该端点的投递记录 GET /v1/webhook_endpoints/{endpoint_id}/deliveries",
                "see what it answers: GET /v1/webhook_endpoints/{endpoint_id}/deliveries",
            )


def _jobs(picture: Picture) -> Iterator[Alert]:
    jobs = picture.jobs
    if jobs.failed >= JOBS_FAILED_MIN:
        yield Alert(
            "jobs_failed",
            Severity.TICKET,
            f"一天内有 {jobs.failed} 个后台任务失败",
            f"{jobs.failed} durable jobs have failed within a day",
            "查看日志 'The job ... has failed'; 任务会自动重建, 但原因要找到",
            "look for 'The job ... has failed' in the log; they are made anew, but the cause stays",
        )
    if jobs.waiting >= JOBS_WAITING_MIN:
        yield Alert(
            "jobs_waiting",
            Severity.TICKET,
            f"{jobs.waiting} 个后台任务在排队 (上限计到 1000)",
            f"{jobs.waiting} durable jobs wait (counted up to 1000)",
            "检查工作进程是否在运行, 网关是否变慢",
            "do the workers run, is the gateway slow?",
        )


def _age_seconds(picture: Picture, status: str) -> float:
    backlog = picture.inbox.backlog.get(status)
    return 0.0 if backlog is None else (picture.at - backlog.oldest_at).total_seconds()


def _sums(parts: Iterable[tuple[str, Money]]) -> str:
    """``name amount currency`` of each name and currency, in one line."""
    sums: defaultdict[tuple[str, str], int] = defaultdict(int)
    for name, amount in parts:
        sums[name, amount.currency] += amount.minor
    return ", ".join(
        f"{name} {Money(minor, currency)} {currency}"
        for (name, currency), minor in sorted(sums.items())
    )


def next_try_at(now: datetime, failures: int) -> datetime:
    """When an alert that could not be sent ``failures`` times is tried again."""
    step = min(failures, len(RETRY_DELAYS_SECONDS)) - 1
    return now + timedelta(seconds=RETRY_DELAYS_SECONDS[step])
