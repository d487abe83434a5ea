"""Adding, finding and checking Apps and Merchants."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Final

from daozhang.alipay.errors import AlipayError, ConfigurationError, OutcomeUnknown, Rejected
from daozhang.alipay.operations.trade import TradeQuery
from daozhang.service.audit.actions import record
from daozhang.service.audit.model import SYSTEM, Actor
from daozhang.service.auth.refusals import EnvironmentNotAllowed
from daozhang.service.db import Tx
from daozhang.service.ids import new_id
from daozhang.service.merchants import store
from daozhang.service.merchants.credentials import (
    credentials_of_new,
    sealed_auth_token,
    sealed_encrypt_key,
    sealed_private_key,
)
from daozhang.service.merchants.model import (
    CHANGED_SIGNAL,
    App,
    Check,
    CheckResult,
    Merchant,
    NewApp,
    NewMerchant,
)
from daozhang.service.merchants.refusals import (
    AppExists,
    AppInvalid,
    AppNotFound,
    MerchantInvalid,
    MerchantNotFound,
    SlugTaken,
)
from daozhang.service.web.context import Context

if TYPE_CHECKING:
    from daozhang.alipay.client import Alipay

NO_SUCH_TRADE: Final = "ACQ.TRADE_NOT_EXIST"
NAME_CHARACTERS_MAX: Final = 64

_APP_ID = re.compile(r"[0-9]{10,32}", re.ASCII)
_SELLER_ID = re.compile(r"2088[0-9]{12}", re.ASCII)
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?", re.ASCII)


def add_app(tx: Tx, context: Context, new: NewApp, *, actor: Actor = SYSTEM) -> App:
    """Adds an App, its secrets sealed.

    Raises `EnvironmentNotAllowed`, `AppInvalid` (with the library's advice about the key) or
    `AppExists`. Nothing is asked of Alipay: that is `check_app`.
    """
    sealer = context.sealer
    if new.environment not in context.settings.environments:
        raise EnvironmentNotAllowed(new.environment)
    _check_app(new)
    values = {
        "app_id": new.app_id,
        "name": new.name,
        "environment": new.environment,
        "private_key_sealed": sealer.seal(
            new.private_key.encode(), sealed_private_key(new.environment, new.app_id)
        ),
        "encrypt_key_sealed": None
        if new.encrypt_key is None
        else sealer.seal(new.encrypt_key.encode(), sealed_encrypt_key(new.environment, new.app_id)),
        "alipay_public_key": new.alipay_public_key,
        "app_cert": new.app_cert,
        "alipay_cert": new.alipay_cert,
        "alipay_root_cert": new.alipay_root_cert,
        "gateway_url": new.gateway_url,
        "v3_base_url": new.v3_base_url,
        "created_at": context.clock.now(),
    }
    if store.insert_app(tx, values) is None:
        raise AppExists(new.app_id, new.environment)
    now, subject = context.clock.now(), f"app:{new.app_id}"
    record(tx, actor, "app.added", subject, now, environment=new.environment, name=new.name)
    tx.after_commit(lambda: context.signals.wake(CHANGED_SIGNAL))
    return get_app(tx, new.app_id, new.environment)


def get_app(tx: Tx, app_id: str, environment: str | None = None) -> App:
    """The App of that number; raises `AppNotFound`, or `AppInvalid` if several environments
    have one and ``environment`` names none."""
    found = store.find_app(tx, app_id, environment)
    if not found:
        raise AppNotFound(app_id)
    if len(found) > 1:
        listed = ", ".join(app.environment for app in found)
        raise AppInvalid(
            f"App {app_id} is in several environments ({listed}): name one.",
            f"应用 {app_id} 存在于多个环境({listed}), 请指明环境.",
        )
    return found[0]


def add_merchant(tx: Tx, context: Context, new: NewMerchant, *, actor: Actor = SYSTEM) -> Merchant:
    """Adds a Merchant to its App. Raises `MerchantInvalid`, `AppNotFound` or `SlugTaken`."""
    _check_merchant(new)
    app = get_app(tx, new.app_id, new.environment)
    token = new.app_auth_token
    values = {
        "slug": new.slug,
        "name": new.name or new.slug,
        "app_row": app.id,
        "environment": app.environment,
        "seller_id": new.seller_id,
        "auth_app_id": new.auth_app_id,
        "app_auth_token_sealed": None
        if token is None
        else context.sealer.seal(token.encode(), sealed_auth_token(new.slug)),
        "late_policy": new.late_policy.value,
        "duplicate_policy": new.duplicate_policy.value,
        "created_at": context.clock.now(),
    }
    if store.insert_merchant(tx, values) is None:
        raise SlugTaken(new.slug)
    tx.after_commit(lambda: context.signals.wake(CHANGED_SIGNAL))
    merchant = get_merchant(tx, new.slug)
    record(
        tx,
        actor,
        "merchant.added",
        f"merchant:{merchant.slug}",
        context.clock.now(),
        merchant_id=merchant.id,
        app_id=merchant.app_id,
        environment=merchant.environment,
        seller_id=merchant.seller_id,
    )
    return merchant


def get_merchant(tx: Tx, slug: str) -> Merchant:
    """The Merchant of that slug; raises `MerchantNotFound`."""
    found = store.find_merchant(tx, slug)
    if found is None:
        raise MerchantNotFound(slug)
    return found


def check_keys(client: Alipay, now: datetime) -> Check:
    """Asks Alipay about a number that does not exist: a signed "no such trade" proves all keys.

    Goes to the network: call it outside any transaction. Moves nothing.
    """
    try:
        client.call(TradeQuery(out_trade_no=new_id("check", now)))
    except Rejected as rejected:
        if rejected.sub_code == NO_SUCH_TRADE:
            return Check(CheckResult.PROVED, "Alipay answered, and its signature verified.")
        return Check(CheckResult.REFUSED, _advice(rejected))
    except OutcomeUnknown as unknown:
        return Check(CheckResult.UNKNOWN, str(unknown))
    except AlipayError as error:
        return Check(CheckResult.REFUSED, str(error))
    return Check(CheckResult.UNKNOWN, "Alipay knows a trade of a number made up just now.")


def _advice(rejected: Rejected) -> str:
    said = str(rejected)
    hint = str(rejected.hint or "")
    return said if hint in said else f"{said} {hint}"


def require_app_id(app_id: str, name: str) -> None:
    """Raises `AppInvalid` unless these can be an app's number and name."""
    if not _APP_ID.fullmatch(app_id):
        raise AppInvalid("An app id is a number such as 2021000000000000.", "应用编号应为数字.")
    if len(name) > NAME_CHARACTERS_MAX:
        raise AppInvalid("A name has 64 characters at most.", "名称最多 64 个字符.")


def _check_app(new: NewApp) -> None:
    require_app_id(new.app_id, new.name)
    certificates = (new.app_cert, new.alipay_cert, new.alipay_root_cert)
    if any(certificates) and not all(certificates):
        raise AppInvalid(
            "Certificate mode takes three files: the app's, Alipay's and the root certificates.",
            "证书模式需要三个文件: 应用公钥证书, 支付宝公钥证书和根证书.",
        )
    if any(certificates) == bool(new.alipay_public_key):
        raise AppInvalid(
            "Give either Alipay's public key (not the app's own) or the three certificates.",
            "请提供支付宝公钥(不是应用公钥), 或三个证书文件, 二者取一.",
        )
    if new.environment != "emulator" and (new.gateway_url or new.v3_base_url):
        raise AppInvalid(
            "Gateway addresses are pinned; only the emulator's can be given.",
            "网关地址是固定的, 只有 emulator 环境可以指定.",
        )
    try:
        credentials_of_new(new)
    except ConfigurationError as error:
        raise AppInvalid(str(error), f"密钥或证书有误: {error}") from None


def _check_merchant(new: NewMerchant) -> None:
    if not _SLUG.fullmatch(new.slug):
        raise MerchantInvalid(
            "A slug has 1 to 40 lower-case letters, digits and hyphens, such as my-shop.",
            "标识由 1 到 40 个小写字母, 数字和连字符组成, 例如 my-shop.",
        )
    if len(new.name) > NAME_CHARACTERS_MAX:
        raise MerchantInvalid("A name has 64 characters at most.", "名称最多 64 个字符.")
    if not _SELLER_ID.fullmatch(new.seller_id):
        raise MerchantInvalid(
            "A seller id (pid) has 16 digits and begins with 2088.",
            "商户号(PID)为 2088 开头的 16 位数字.",
        )
    if (new.auth_app_id is None) != (new.app_auth_token is None):
        raise MerchantInvalid(
            "ISV mode takes auth_app_id and app_auth_token together.",
            "服务商模式需同时提供 auth_app_id 与 app_auth_token.",
        )
    if new.auth_app_id is not None and not _APP_ID.fullmatch(new.auth_app_id):
        raise MerchantInvalid("auth_app_id is a number.", "auth_app_id 应为数字.")
