"""What is asked over the network: the gateway's time, and the way to our own notify addresses."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

import httpx2

from daozhang.service.db import require_no_transaction
from daozhang.service.doctor.model import Finding, fail, ok, warn
from daozhang.service.inbox.probe import CHANGED, REFUSED, make_probe
from daozhang.service.inbox.routes import NOTIFY_PATH
from daozhang.service.merchants.model import Merchant
from daozhang.service.outbound import AddressNotAllowed, check_address
from daozhang.service.settings import AllowedEnvironment
from daozhang.service.web.context import Context

SKEW_SECONDS_MAX: Final = 60.0
SKEW_SECONDS_REFUSED: Final = 600.0
"""Alipay refuses what was signed by a clock that is wrong by more."""

PATIENCE_SECONDS: Final = 10.0
SLOW_SECONDS: Final = 3.0
ANSWER_BYTES_MAX: Final = 64 * 1024
SHOWN_CHARACTERS: Final = 80
FORM: Final = "application/x-www-form-urlencoded; charset=utf-8"
NOTIFY: Final = "notify.answer"


@dataclass(frozen=True, slots=True)
class Said:
    """An answer, as far as it was read, and how long it took."""

    status: int
    headers: httpx2.Headers
    body: bytes
    seconds: float


def check_clock(context: Context, gateway_url: str) -> Finding:
    """Our clock against the gateway's ``Date``; it is precise to a second or so."""
    check, where = "clock", urlsplit(gateway_url).netloc
    if context.settings.clock == "manual":
        detail = "The clock is a manual one, for tests: there is nothing to compare."
        return ok(check, where, detail, "当前为测试用手动时钟, 无需比对.")
    try:
        said = _ask("HEAD", gateway_url)
    except httpx2.HTTPError as error:
        return fail(
            check,
            where,
            f"The gateway cannot be reached ({type(error).__name__}): does the firewall let this "
            "machine out to it, and does DNS answer?",
            f"无法连接支付宝网关({type(error).__name__}): 请检查出站防火墙与 DNS.",
        )
    date = _date_of(said)
    if date is None:
        detail = "The gateway's answer has no date to compare: run it again."
        return warn(check, where, detail, "网关应答没有日期, 无法比对, 请重试.")
    skew = (context.clock.now() - date).total_seconds()
    if abs(skew) <= SKEW_SECONDS_MAX:
        detail = f"{skew:+.0f} s against the gateway."
        return ok(check, where, detail, f"与网关相差 {skew:+.0f} 秒.")
    say = fail if abs(skew) >= SKEW_SECONDS_REFUSED else warn
    return say(
        check,
        where,
        f"Our clock differs from the gateway's by {skew:+.0f} s: set up NTP (timedatectl "
        "set-ntp true). Alipay refuses what a wrong clock signs.",
        f"本机时钟与网关相差 {skew:+.0f} 秒: 请启用 NTP (timedatectl set-ntp true).",
    )


def check_public_url(context: Context) -> Finding:
    """Whether Alipay and buyers can come to the address at all, and safely."""
    url, check = context.settings.public_url, "public_url"
    has_money = AllowedEnvironment.PRODUCTION in context.settings.environments
    try:
        check_address(url, allow_private=False)
    except AddressNotAllowed as refused:
        say = fail if has_money else warn
        return say(
            check,
            url,
            f"Alipay's notifications cannot come here safely from the internet ({refused}): set "
            "DAOZHANG_PUBLIC_URL to a public https address.",
            f"支付宝无法从公网安全访问该地址({refused}): 请将 DAOZHANG_PUBLIC_URL 设为公网 "
            "https 地址.",
        )
    return ok(check, url, "https, on the internet.", "公网 https 地址.")


def check_notify_address(context: Context, merchant: Merchant) -> Iterator[Finding]:
    """Posts a probe to the public notify address, as Alipay would post a notification."""
    url = f"{context.settings.public_url}{NOTIFY_PATH}{merchant.slug}"
    probe = make_probe(context.sealer, merchant, context.clock.now())
    try:
        said = _ask("POST", url, probe)
    except httpx2.HTTPError as error:
        yield fail(
            "notify.reachable",
            url,
            f"No answer ({type(error).__name__}: {error}). Is the service running, does the name "
            "lead here, is the certificate valid, does the firewall let port 443 in? (From some "
            "networks the own public address cannot be reached: then run doctor elsewhere.)",
            f"没有应答({type(error).__name__}): 请检查服务是否运行, 域名解析, 证书与防火墙. "
            "部分内网无法访问自身公网地址, 可换一台机器运行.",
        )
        return
    yield ok("notify.reachable", url, f"Answers in {said.seconds:.2f} s.", "可以访问.")
    yield _judge(said, url)


def _judge(said: Said, url: str) -> Finding:
    if said.status == 200 and said.body == b"success":
        if said.seconds > SLOW_SECONDS:
            return warn(
                NOTIFY,
                url,
                f"The answer took {said.seconds:.1f} s; Alipay waits some seconds only: look at "
                "the proxy and the load.",
                f"应答耗时 {said.seconds:.1f} 秒, 支付宝只等待数秒: 请检查代理与负载.",
            )
        return ok(NOTIFY, url, "Exactly success.", "应答正是 success.")
    why, why_zh = _why(said)
    shown = repr(said.body[:SHOWN_CHARACTERS].decode("utf-8", "backslashreplace"))
    return fail(
        NOTIFY,
        url,
        f"{why} It answered {said.status} {shown}; Alipay wants exactly success.",
        f"{why_zh} 实际应答 {said.status} {shown}, 支付宝要求正好是 success.",
    )


def _why(said: Said) -> tuple[str, str]:
    return next((why, why_zh) for holds, why, why_zh in _REASONS if holds(said))


def _ask(method: str, url: str, body: bytes | None = None) -> Said:
    require_no_transaction("A question of the doctor's")
    started = time.monotonic()
    headers = {} if body is None else {"content-type": FORM}
    # Neither a proxy nor certificates of this machine's environment: Alipay has neither.
    with (
        httpx2.Client(trust_env=False, timeout=PATIENCE_SECONDS, follow_redirects=False) as client,
        client.stream(method, url, content=body, headers=headers) as answer,
    ):
        read = b""
        for chunk in answer.iter_bytes():
            read += chunk
            if len(read) > ANSWER_BYTES_MAX or time.monotonic() - started > PATIENCE_SECONDS:
                break
        took = time.monotonic() - started
        return Said(answer.status_code, answer.headers, read[:ANSWER_BYTES_MAX], took)


def _date_of(said: Said) -> datetime | None:
    try:
        date = parsedate_to_datetime(said.headers.get("date", ""))
    except ValueError:
        return None
    return date if date.tzinfo is not None else None


_REASONS: Final[tuple[tuple[Callable[[Said], bool], str, str], ...]] = (
    (
        lambda said: 300 <= said.status < 400,
        "It redirects, and Alipay follows no redirect: make DAOZHANG_PUBLIC_URL the final address.",
        "该地址会重定向, 而支付宝不跟随重定向: 请将 DAOZHANG_PUBLIC_URL 改为最终地址.",
    ),
    (
        lambda said: CHANGED.encode() in said.body,
        "Something on the way changes the body, so signatures cannot verify: switch off rewriting "
        "and filtering of requests at the proxy or firewall for this path.",
        "请求正文在途中被改写, 验签会失败: 请在代理或防火墙上关闭该路径的改写与过滤.",
    ),
    (
        lambda said: REFUSED.encode() in said.body,
        "A daozhang answers, but it has other sealing keys or another database, or its clock is "
        "wrong by minutes: does the name lead to this deployment?",
        "应答的 daozhang 使用不同的封存密钥或数据库, 或时钟相差数分钟: 请核对域名指向.",
    ),
    (
        lambda said: said.status == 404,
        "No merchant is found there: does the proxy hand the path on as it is?",
        "该路径找不到商户: 请检查代理是否原样转发路径.",
    ),
    (
        lambda said: b"<html" in said.body.lower(),
        "A page answers instead of the service: the firewall's or the proxy's. Let POST to "
        "/alipay/notify/ pass, without a challenge.",
        "应答的是网页而不是本服务(防火墙或代理拦截): 请放行到 /alipay/notify/ 的 POST 请求.",
    ),
    (
        lambda said: said.status == 200 and b"success" in said.body,
        "The answer is changed on the way (a byte order mark, a line end or markup is added): "
        "switch that off at the proxy.",
        "应答在途中被改写(加了 BOM, 换行或标记): 请在代理上关闭改写.",
    ),
    (
        lambda _said: True,
        "Something else than the service answered, or it is not well: see its log and the proxy's.",
        "应答者不是本服务, 或服务异常: 请查看服务与代理的日志.",
    ),
)
"""Why an answer is not ``success``, most telling first, and what to do."""
