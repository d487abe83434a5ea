"""The commands of those who are served: app, merchant, apikey, keys."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from daozhang.cli.speaking import (
    asked,
    cli_actor,
    note,
    one_sentence_errors,
    read_text,
    say,
    say_rows,
    service_context,
)
from daozhang.money import Money
from daozhang.service.auth.actions import create_api_key, revoke_api_key
from daozhang.service.auth.model import ApiKey, KeyMerchant, Scope
from daozhang.service.auth.refusals import ApiKeyInvalid
from daozhang.service.auth.store import list_keys
from daozhang.service.merchants.actions import (
    add_app,
    add_merchant,
    check_keys,
    get_app,
    get_merchant,
)
from daozhang.service.merchants.clients import Clients
from daozhang.service.merchants.model import (
    App,
    Check,
    CheckResult,
    DuplicatePolicy,
    LatePolicy,
    Merchant,
    NewApp,
    NewMerchant,
)
from daozhang.service.merchants.outgoing import turn_outgoing
from daozhang.service.merchants.second_person import set_second_person
from daozhang.service.merchants.store import list_apps, list_merchants, list_switches
from daozhang.service.resealing import reseal_all
from daozhang.service.seal import add_key, open_sealer
from daozhang.service.settings import AllowedEnvironment, load_settings
from daozhang.service.web.context import Context
from daozhang.service.web.problem import amount_of

app_commands = typer.Typer(help="Alipay apps: their ids, keys and environments. 支付宝应用")
merchant_commands = typer.Typer(help="Merchants: whose money it is. 商户")
apikey_commands = typer.Typer(help="API keys of those who call this service. API 密钥")
keys_commands = typer.Typer(help="The sealing keys of this deployment. 封存密钥")

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, ask nothing. 输出 JSON")]
Environment = Annotated[
    AllowedEnvironment | None, typer.Option(help="emulator, sandbox or production. 环境")
]
TextFile = Annotated[Path | None, typer.Option(exists=True, dir_okay=False)]

DEFAULT_SCOPES = (Scope.ORDERS_READ, Scope.ORDERS_WRITE, Scope.EVENTS_READ)
"""What a key allows unless told otherwise: everything but moving money out."""


@app_commands.command("add")
def app_add(
    app_id: Annotated[str | None, typer.Option(help="Alipay's number of the app. 应用编号")] = None,
    environment: Environment = None,
    name: Annotated[str, typer.Option(help="A name for people. 名称")] = "",
    private_key_file: TextFile = None,
    alipay_public_key_file: TextFile = None,
    app_cert: TextFile = None,
    alipay_cert: TextFile = None,
    alipay_root_cert: TextFile = None,
    encrypt_key_file: TextFile = None,
    gateway_url: Annotated[str | None, typer.Option(help="The emulator's only.")] = None,
    v3_base_url: Annotated[str | None, typer.Option(help="The emulator's only.")] = None,
    from_emulator: Annotated[
        str | None,
        typer.Option(help="A file (or -) of: daozhang emulator credentials --json"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Adds an Alipay app; its keys are read from files and sealed. 添加支付宝应用."""
    if from_emulator is not None:
        new = replace(_from_emulator(from_emulator), name=name)
    else:
        number = asked(app_id, "--app-id", "App id 应用编号", as_json=as_json)
        where = asked(environment, "--environment", "Environment 环境", as_json=as_json)
        key_path = asked(
            None if private_key_file is None else str(private_key_file),
            "--private-key-file",
            "File with the app's private key 应用私钥文件",
            as_json=as_json,
        )
        encrypt_key = read_text(encrypt_key_file)
        new = NewApp(
            app_id=number,
            environment=str(where),
            private_key=read_text(Path(key_path)) or "",
            alipay_public_key=read_text(alipay_public_key_file),
            app_cert=read_text(app_cert),
            alipay_cert=read_text(alipay_cert),
            alipay_root_cert=read_text(alipay_root_cert),
            encrypt_key=None if encrypt_key is None else encrypt_key.strip(),
            name=name,
            gateway_url=gateway_url,
            v3_base_url=v3_base_url,
        )
    with service_context(as_json=as_json) as context:
        with context.database.begin() as tx:
            added = add_app(tx, context, new, actor=cli_actor())
        sentence = f"Added. Prove its keys with: daozhang app check {added.app_id} 已添加."
        say(_app_fields(added), sentence, as_json=as_json)


@app_commands.command("list")
def app_list(as_json: AsJson = False) -> None:
    """Lists the apps. 列出应用."""
    with service_context(as_json=as_json) as context:
        with context.database.read() as tx:
            rows = [_app_fields(app) for app in list_apps(tx)]
        columns = {"app_id": "App id", "name": "Name", "environment": "Environment", "mode": "Mode"}
        say_rows(rows, columns, "No apps yet: daozhang app add 还没有应用.", as_json=as_json)


@app_commands.command("check")
def app_check(
    app_id: Annotated[str, typer.Argument(help="Alipay's number of the app. 应用编号")],
    environment: Environment = None,
    as_json: AsJson = False,
) -> None:
    """Asks Alipay a question that moves nothing: proves the keys both ways. 联网校验密钥."""
    with service_context(as_json=as_json) as context:
        with context.database.read() as tx:
            app = get_app(tx, app_id, environment)
        clients = Clients(context)
        check = check_keys(clients.client_for_app(app), context.clock.now())
        clients.close()
    _say_check({"app_id": app.app_id, "environment": app.environment}, check, as_json=as_json)


@merchant_commands.command("add")
def merchant_add(
    slug: Annotated[str | None, typer.Option(help="In addresses; never reused. 标识")] = None,
    app_id: Annotated[str | None, typer.Option("--app", help="The app's id. 应用编号")] = None,
    seller_id: Annotated[str | None, typer.Option(help="The pid, 2088... 商户号")] = None,
    name: Annotated[str, typer.Option(help="A name for people. 名称")] = "",
    environment: Environment = None,
    auth_app_id: Annotated[str | None, typer.Option(help="ISV mode. 服务商模式")] = None,
    app_auth_token_file: TextFile = None,
    late_policy: LatePolicy = LatePolicy.PERSON,
    duplicate_policy: DuplicatePolicy = DuplicatePolicy.PERSON,
    as_json: AsJson = False,
) -> None:
    """Adds a merchant to an app. 添加商户."""
    token = read_text(app_auth_token_file)
    wanted_slug = asked(slug, "--slug", "Slug, such as my-shop 标识", as_json=as_json)
    number = asked(app_id, "--app", "App id 应用编号", as_json=as_json)
    pid = asked(seller_id, "--seller-id", "Seller id (pid), 2088... 商户号", as_json=as_json)
    with service_context(as_json=as_json) as context:
        with context.database.begin() as tx:
            new = NewMerchant(
                slug=wanted_slug,
                name=name,
                app_id=number,
                environment=get_app(tx, number, environment).environment,
                seller_id=pid,
                auth_app_id=auth_app_id,
                app_auth_token=None if token is None else token.strip(),
                late_policy=late_policy,
                duplicate_policy=duplicate_policy,
            )
            added = add_merchant(tx, context, new, actor=cli_actor())
        sentence = "Added. Make a key for it with: daozhang apikey create 已添加."
        say(_merchant_fields(added, context), sentence, as_json=as_json)


@merchant_commands.command("list")
def merchant_list(as_json: AsJson = False) -> None:
    """Lists the merchants. 列出商户."""
    with service_context(as_json=as_json) as context:
        with context.database.read() as tx:
            rows = [_merchant_fields(merchant, context) for merchant in list_merchants(tx)]
        columns = {
            "slug": "Slug",
            "name": "Name",
            "environment": "Environment",
            "app_id": "App",
            "seller_id": "Seller id",
        }
        empty = "No merchants yet: daozhang merchant add 还没有商户."
        say_rows(rows, columns, empty, as_json=as_json)


@merchant_commands.command("check")
def merchant_check(
    slug: Annotated[str, typer.Argument(help="The merchant's slug. 标识")],
    as_json: AsJson = False,
) -> None:
    """Asks Alipay in the merchant's name, with its app_auth_token if it has one. 联网校验商户."""
    with service_context(as_json=as_json) as context:
        with context.database.read() as tx:
            merchant = get_merchant(tx, slug)
        clients = Clients(context)
        check = check_keys(clients.client_for(merchant.id), context.clock.now())
        clients.close()
    _say_check({"merchant": slug, "environment": merchant.environment}, check, as_json=as_json)


@merchant_commands.command("outgoing")
def merchant_outgoing(
    slug: Annotated[str, typer.Argument(help="The merchant's slug. 标识")],
    allow: Annotated[
        bool | None,
        typer.Option("--allow/--stop", help="Turns it; without, only shows it. 恢复或停止出款"),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why; it is kept. 原因, 会被保留")] = "",
    as_json: AsJson = False,
) -> None:
    """Stops or allows all outgoing money of a merchant, or shows which. 停止或恢复商户出款."""
    with service_context(as_json=as_json) as context:
        with context.database.begin() as tx:
            merchant = get_merchant(tx, slug)
            if allow is not None:
                turn_outgoing(
                    tx, context, merchant.id, allowed=allow, reason=reason, actor=cli_actor()
                )
            turns = list_switches(tx, merchant.id, 1)
        is_allowed = not turns or turns[0].allowed
        content = {
            "merchant": slug,
            "allowed": is_allowed,
            "reason": turns[0].reason if turns else None,
            "changed_by": turns[0].changed_by if turns else None,
            "changed_at": turns[0].changed_at.isoformat() if turns else None,
        }
        sentence = (
            "Money may go out. 允许出款."
            if is_allowed
            else "No money goes out; refunds wait. Payments are booked as ever. 已停止出款, 收款照常."
        )
        say(content, sentence, as_json=as_json)


@merchant_commands.command("second-person")
def merchant_second_person(
    slug: Annotated[str, typer.Argument(help="The merchant's slug. 标识")],
    per_order: Annotated[
        str | None, typer.Option(help='Of one order, "500.00". 单笔订单累计上限')
    ] = None,
    per_day: Annotated[
        str | None, typer.Option(help="Of one requester in a day. 单人当日累计上限")
    ] = None,
    never: Annotated[bool, typer.Option("--never", help="One person is enough. 无需审批")] = False,
    as_json: AsJson = False,
) -> None:
    """From which amounts on a refund takes two people; shows or sets them. 退款双人审批限额."""
    with service_context(as_json=as_json) as context:
        with context.database.begin() as tx:
            merchant = get_merchant(tx, slug)
            if never or per_order is not None or per_day is not None:
                merchant = set_second_person(
                    tx,
                    context,
                    cli_actor(),
                    merchant.id,
                    per_order=None if per_order is None else amount_of(per_order, "CNY"),
                    per_day=None if per_day is None else amount_of(per_day, "CNY"),
                )
        order, day = merchant.second_person_order_minor, merchant.second_person_day_minor
        content = {
            "merchant": slug,
            "per_order": None if order is None else str(Money(order, "CNY")),
            "per_day": None if day is None else str(Money(day, "CNY")),
        }
        sentence = (
            "One person is enough for a refund. 退款无需他人审批."
            if order is None and day is None
            else "Above this together, a refund takes a second person. 累计超过以下金额须他人审批."
        )
        say(content, sentence, as_json=as_json)


@apikey_commands.command("create")
def apikey_create(
    merchant: Annotated[
        list[str] | None, typer.Option(help="A merchant's slug; may be repeated. 商户标识")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Who will use it. 名称")] = None,
    scope: Annotated[
        list[Scope] | None,
        typer.Option(help="May be repeated; refunds:write must be named. 权限"),
    ] = None,
    refund_limit: Annotated[
        str | None, typer.Option(help='The most that one refund may be, "100.00". 单笔退款上限')
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Makes an API key and shows it, this once. 创建 API 密钥, 仅显示一次."""
    slugs = merchant or [asked(None, "--merchant", "Merchant's slug 商户标识", as_json=as_json)]
    label = asked(name, "--name", "A name for the key 密钥名称", as_json=as_json)
    with service_context(as_json=as_json) as context:
        limit: Money | None = None if refund_limit is None else amount_of(refund_limit, "CNY")
        with context.database.begin() as tx:
            found = [get_merchant(tx, slug) for slug in dict.fromkeys(slugs)]
            environments = {one.environment for one in found}
            if len(environments) > 1:
                raise ApiKeyInvalid.several_environments(sorted(environments))
            made, secret = create_api_key(
                tx,
                name=label,
                environment=environments.pop(),
                merchants=[KeyMerchant(one.id, one.slug) for one in found],
                scopes=scope or DEFAULT_SCOPES,
                refund_limit=limit,
                now=context.clock.now(),
                actor=cli_actor(),
            )
        sentence = "Made. Keep the key now: it is not shown again. 请立即保存密钥, 之后不再显示."
        say({"api_key": secret, **_key_fields(made)}, sentence, as_json=as_json)


@apikey_commands.command("list")
def apikey_list(as_json: AsJson = False) -> None:
    """Lists the API keys, by the beginning of each. 列出 API 密钥."""
    with service_context(as_json=as_json) as context:
        with context.database.read() as tx:
            rows = [_key_fields(key) for key in list_keys(tx)]
        columns = {
            "prefix": "Key",
            "name": "Name",
            "environment": "Environment",
            "merchants": "Merchants",
            "scopes": "Scopes",
            "refund_limit": "Refund limit",
            "last_used_at": "Last use",
            "revoked_at": "Revoked",
        }
        say_rows(rows, columns, "No keys yet: daozhang apikey create 还没有密钥.", as_json=as_json)


@apikey_commands.command("revoke")
def apikey_revoke(
    prefix: Annotated[str, typer.Argument(help="The beginning of the key, as listed. 密钥开头")],
    as_json: AsJson = False,
) -> None:
    """Ends an API key, at once and for good. 吊销 API 密钥."""
    with service_context(as_json=as_json) as context:
        with context.database.begin() as tx:
            revoked = revoke_api_key(tx, prefix, context.clock.now(), actor=cli_actor())
        say(_key_fields(revoked), "Revoked. 已吊销.", as_json=as_json)


@keys_commands.command("reseal")
def keys_reseal(
    new_key: Annotated[
        bool, typer.Option("--new-key", help="First puts a new key into sealing.keys. 先生成新密钥")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Seals everything again with the current (first) sealing key. 用当前密钥重新封存."""
    with one_sentence_errors(as_json=as_json):
        settings = load_settings()
    if new_key and settings.sealing_keys is not None:
        raise typer.BadParameter(
            "the keys are in DAOZHANG_SEALING_KEYS: put the new one in front there "
            "密钥在环境变量中, 请在其最前面加入新密钥",
            param_hint="--new-key",
        )
    with service_context(as_json=as_json) as context:
        sealer = context.sealer
        if new_key:
            add_key(settings.sealing_keys_file)
            sealer = open_sealer(None, settings.sealing_keys_file)
        counts = reseal_all(context.database, sealer)
        note(context, "keys.resealed", "database", sealer.current_key_id)
    content = {"current_key_id": sealer.current_key_id, "resealed": counts}
    total = sum(counts.values())
    say(content, f"Sealed {total} values again. 已重新封存 {total} 项.", as_json=as_json)


def _from_emulator(source: str) -> NewApp:
    text = sys.stdin.read() if source == "-" else read_text(Path(source))
    try:
        given: dict[str, Any] = json.loads(text or "")
        return NewApp(
            app_id=given["app_id"],
            environment="emulator",
            private_key=given["app_private_key_pkcs8"],
            alipay_public_key=given["alipay_public_key"],
            gateway_url=given["gateway_url"],
            v3_base_url=given["v3_base_url"],
        )
    except (ValueError, KeyError, TypeError):
        raise typer.BadParameter(
            "this is not what `daozhang emulator credentials --json` prints "
            "内容不是 daozhang emulator credentials --json 的输出",
            param_hint="--from-emulator",
        ) from None


def _say_check(about: dict[str, Any], check: Check, *, as_json: bool) -> None:
    sentences = {
        CheckResult.PROVED: "The keys are right, both ways. 密钥双向校验通过.",
        CheckResult.REFUSED: "Alipay or the keys say no. 校验未通过.",
        CheckResult.UNKNOWN: "No believable answer came; nothing is proved. 未得到可信的应答.",
    }
    content = {**about, "result": check.result.value, "detail": check.detail}
    say(content, sentences[check.result], as_json=as_json)
    if check.result is not CheckResult.PROVED:
        raise typer.Exit(1)


def _app_fields(app: App) -> dict[str, Any]:
    return {
        "app_id": app.app_id,
        "name": app.name,
        "environment": app.environment,
        "mode": app.mode,
        "created_at": app.created_at.isoformat(),
    }


def _merchant_fields(merchant: Merchant, context: Context) -> dict[str, Any]:
    return {
        "slug": merchant.slug,
        "name": merchant.name,
        "environment": merchant.environment,
        "app_id": merchant.app_id,
        "seller_id": merchant.seller_id,
        "auth_app_id": merchant.auth_app_id,
        "late_policy": merchant.late_policy.value,
        "duplicate_policy": merchant.duplicate_policy.value,
        "notify_url": f"{context.settings.public_url}/alipay/notify/{merchant.slug}",
        "created_at": merchant.created_at.isoformat(),
    }


def _key_fields(key: ApiKey) -> dict[str, Any]:
    return {
        "prefix": key.prefix,
        "name": key.name,
        "environment": key.environment,
        "merchants": [merchant.slug for merchant in key.merchants],
        "scopes": sorted(scope.value for scope in key.scopes),
        "refund_limit": None if key.refund_limit is None else str(key.refund_limit),
        "created_at": key.created_at.isoformat(),
        "last_used_at": None if key.last_used_at is None else key.last_used_at.isoformat(),
        "revoked_at": None if key.revoked_at is None else key.revoked_at.isoformat(),
    }
