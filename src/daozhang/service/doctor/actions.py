"""The whole examination, in the order in which one thing needs another."""

from __future__ import annotations

from collections.abc import Iterator

from daozhang.alipay.config import GATEWAY_URLS, Environment
from daozhang.service.doctor.keys import check_app_keys, check_merchant_keys
from daozhang.service.doctor.model import Finding, Result, warn
from daozhang.service.doctor.outside import check_clock, check_notify_address, check_public_url
from daozhang.service.doctor.storage import check_database, check_disk, check_seals, check_steps
from daozhang.service.merchants.clients import Clients
from daozhang.service.merchants.model import App, Merchant
from daozhang.service.merchants.store import list_apps, list_merchants
from daozhang.service.people.model import Person, Right
from daozhang.service.people.rights import require
from daozhang.service.web.context import Context


def examine(context: Context) -> Iterator[Finding]:
    """Every check, one finding after the other. Goes to the network; changes nothing."""
    yield check_disk(
        context.settings, context.database.engine.url.database if _is_file(context) else None
    )
    stored = list(check_database(context))
    yield from stored
    if any(one.result is Result.FAIL and one.check != "database.durable" for one in stored):
        return  # the rest is in the database
    yield check_seals(context)
    yield check_steps(context)
    yield check_public_url(context)
    apps, merchants = _live(context)
    yield from _reach(context, apps, merchants)


def check_notify_as(context: Context, actor: Person, merchant: Merchant) -> list[Finding]:
    """The same look at one merchant's notify address, by a person."""
    require(actor, Right.MERCHANTS_WRITE, merchant.id)
    return [check_public_url(context), *check_notify_address(context, merchant)]


def _is_file(context: Context) -> bool:
    return context.database.dialect == "sqlite"


def _live(context: Context) -> tuple[list[App], list[Merchant]]:
    allowed = context.settings.environments
    with context.database.read() as tx:
        apps = [one for one in list_apps(tx) if one.retired_at is None]
        merchants = [one for one in list_merchants(tx) if one.retired_at is None]
    return (
        [one for one in apps if one.environment in allowed],
        [one for one in merchants if one.environment in allowed],
    )


def _reach(context: Context, apps: list[App], merchants: list[Merchant]) -> Iterator[Finding]:
    if not merchants:
        yield warn(
            "merchants",
            ", ".join(context.settings.environments),
            "There is no merchant in these environments: run daozhang app add, then daozhang "
            "merchant add",
            "这些环境下还没有商户: 请运行 daozhang app add 与 daozhang merchant add",
        )
    for gateway in dict.fromkeys(_gateway_of(app) for app in apps):
        yield check_clock(context, gateway)
    for app in apps:
        yield from check_app_keys(context, app)
    clients = Clients(context)
    try:
        for merchant in merchants:
            yield check_merchant_keys(clients, context, merchant)
            yield from check_notify_address(context, merchant)
    finally:
        clients.close()


def _gateway_of(app: App) -> str:
    return app.gateway_url or GATEWAY_URLS[Environment(app.environment)]
