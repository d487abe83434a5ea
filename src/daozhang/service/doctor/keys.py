"""Key pairs and certificates of each App, and its merchants' proof at the gateway."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from daozhang.alipay.errors import ConfigurationError, KeyIsYourOwn
from daozhang.service.doctor.model import Finding, fail, ok, warn
from daozhang.service.merchants.actions import check_keys
from daozhang.service.merchants.clients import Clients
from daozhang.service.merchants.credentials import credentials_of
from daozhang.service.merchants.model import App, CheckResult, Merchant
from daozhang.service.seal import SealBroken
from daozhang.service.watch.keys import KeyRing
from daozhang.service.watch.rules import CERTIFICATE_DAYS_SOON
from daozhang.service.web.context import Context

CHECK: Final = "keys.pair"


def check_app_keys(context: Context, app: App) -> Iterator[Finding]:
    """What the keys of ``app`` say of themselves; nobody is asked."""
    where = f"{app.app_id} ({app.environment})"
    try:
        credentials_of(app, None, context.sealer)
    except KeyIsYourOwn as error:
        yield fail("keys.alipay", where, str(error), f"该公钥是应用自己的公钥: {error}")
    except (ConfigurationError, SealBroken) as error:
        yield fail(CHECK, where, str(error), f"密钥或证书有误: {error}")
    else:
        yield ok(
            CHECK,
            where,
            "The keys can be read, and Alipay's is not the app's own.",
            "密钥可读取, 且支付宝公钥不是应用自己的公钥.",
        )
    yield from _certificates(context, app, where)


def check_merchant_keys(clients: Clients, context: Context, merchant: Merchant) -> Finding:
    """A signed answer of Alipay's to a question in the merchant's name; moves nothing."""
    try:
        found = check_keys(clients.client_for(merchant.id), context.clock.now())
    except (ConfigurationError, SealBroken) as error:
        return fail("keys.proved", merchant.slug, str(error), f"密钥或证书有误: {error}")
    if found.result is CheckResult.PROVED:
        return ok(
            "keys.proved",
            merchant.slug,
            "Alipay took our signature, and its own verified.",
            "支付宝接受了我方签名, 其应答验签通过.",
        )
    return fail(
        "keys.proved",
        merchant.slug,
        f"Alipay did not prove the keys: {found.detail}",
        f"密钥未能通过支付宝验证: {found.detail}",
    )


def _certificates(context: Context, app: App, where: str) -> Iterator[Finding]:
    for key in KeyRing(context).keys_of([app]):
        if key.not_after is None:
            continue
        days = (key.not_after - context.clock.now()) / timedelta(days=1)
        said = f"{key.kind} ends in {days:.0f} days"
        said_zh = f"证书 {key.kind} 还有 {days:.0f} 天到期"
        if days > CERTIFICATE_DAYS_SOON:
            yield ok("keys.certificates", where, f"{said}.", f"{said_zh}.")
            continue
        say = fail if days <= 0 else warn
        yield say(
            "keys.certificates",
            where,
            f"{said}: get a new one in Alipay's console and add it.",
            f"{said_zh}: 请在支付宝开放平台更换证书并更新配置.",
        )
