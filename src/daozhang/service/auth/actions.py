"""Making, checking and revoking API keys."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

from daozhang.money import Money
from daozhang.service.audit.actions import record
from daozhang.service.audit.model import SYSTEM, Actor
from daozhang.service.auth import store
from daozhang.service.auth.model import ApiKey, Caller, KeyMerchant, Scope
from daozhang.service.auth.refusals import (
    ApiKeyInvalid,
    ApiKeyNotFound,
    EnvironmentNotAllowed,
    MerchantNotCovered,
    MerchantNotNamed,
    NotAuthenticated,
    ScopeMissing,
)
from daozhang.service.db import Database, Tx
from daozhang.service.ids import random_token
from daozhang.service.signals import Signals

CHANGED_SIGNAL: Final = "api_keys_changed"
"""A key was revoked: who remembers keys forgets them."""

KEY_START: Final = "dz_"
PREFIX_CHARACTERS: Final = 12
"""How much of a key is kept and shown: 54 of its 256 random bits, far too few to guess by."""

KEY_CHARACTERS_MAX: Final = 100
LAST_USED_SECONDS: Final = 60
"""The last use is written at most this often: reading an order must not always write a row."""

NAME_CHARACTERS_MAX: Final = 64


def create_api_key(
    tx: Tx,
    *,
    name: str,
    environment: str,
    merchants: Sequence[KeyMerchant],
    scopes: Collection[Scope],
    refund_limit: Money | None,
    now: datetime,
    actor: Actor = SYSTEM,
) -> tuple[ApiKey, str]:
    """A new key for ``merchants`` of ``environment``: the row, and the key itself, seen only now.

    ``actor``, who makes it, is kept with it: they may not approve what it asks for.
    """
    _check(name, merchants, scopes, refund_limit)
    secret = KEY_START + random_token()
    prefix = secret[:PREFIX_CHARACTERS]
    values = {
        "name": name,
        "prefix": prefix,
        "key_sha256": _hash(secret),
        "environment": environment,
        "scopes": sorted(scopes),
        "refund_limit_minor": None if refund_limit is None else refund_limit.minor,
        "refund_limit_currency": None if refund_limit is None else refund_limit.currency,
        "created_by": str(actor),
        "created_at": now,
    }
    store.insert_key(tx, values, merchants)
    made = store.find_by_prefix(tx, prefix)
    assert made is not None
    record(
        tx,
        actor,
        "apikey.created",
        f"apikey:{prefix}",
        now,
        name=name,
        environment=environment,
        merchants=[merchant.slug for merchant in merchants],
        scopes=sorted(scope.value for scope in scopes),
        refund_limit=None if refund_limit is None else str(refund_limit),
    )
    return made, secret


def revoke_api_key(
    tx: Tx,
    prefix: str,
    now: datetime,
    signals: Signals | None = None,
    *,
    actor: Actor = SYSTEM,
) -> ApiKey:
    """Ends the key that shows ``prefix``, for good. Raises `ApiKeyNotFound`.

    At once in the process whose ``signals`` these are, within `ring.FRESH_SECONDS` in others.
    """
    key = store.find_by_prefix(tx, prefix)
    if key is None:
        raise ApiKeyNotFound(prefix)
    store.mark_revoked(tx, key.id, now)
    if signals is not None:
        tx.after_commit(lambda: signals.wake(CHANGED_SIGNAL))
    record(tx, actor, "apikey.revoked", f"apikey:{prefix}", now, name=key.name)
    revoked = store.find_by_prefix(tx, prefix)
    assert revoked is not None
    return revoked


def authenticate(database: Database, secret: str, now: datetime) -> ApiKey:
    """The live key ``secret``; raises `NotAuthenticated`. Notes the use once a minute."""
    if not secret.startswith(KEY_START) or len(secret) > KEY_CHARACTERS_MAX:
        raise NotAuthenticated
    with database.read() as tx:
        key = store.find_by_hash(tx, _hash(secret))
    if key is None or key.revoked_at is not None:
        raise NotAuthenticated
    minute_ago = now - timedelta(seconds=LAST_USED_SECONDS)
    if key.last_used_at is None or key.last_used_at <= minute_ago:
        with database.begin() as tx:
            store.mark_used(tx, key.id, now, minute_ago)
    return key


def authorize(
    key: ApiKey, scope: Scope, merchant_slug: str | None, environments: Collection[str]
) -> Caller:
    """The caller that ``key`` makes, for the merchant it names or its only one.

    Raises `EnvironmentNotAllowed`, `ScopeMissing`, `MerchantNotNamed` or `MerchantNotCovered`.
    """
    if key.environment not in environments:
        raise EnvironmentNotAllowed(key.environment)
    if scope not in key.scopes:
        raise ScopeMissing(scope)
    merchant = _merchant(key, merchant_slug)
    return Caller(
        api_key_id=key.id,
        merchant_id=merchant.merchant_id,
        merchant_slug=merchant.slug,
        environment=key.environment,
        scopes=key.scopes,
        refund_limit=key.refund_limit,
        key_name=key.name,
        key_made_by=key.created_by,
    )


def _merchant(key: ApiKey, slug: str | None) -> KeyMerchant:
    if slug is None:
        if len(key.merchants) != 1:
            raise MerchantNotNamed
        return key.merchants[0]
    for merchant in key.merchants:
        if merchant.slug == slug:
            return merchant
    raise MerchantNotCovered(slug)


def _check(
    name: str,
    merchants: Sequence[KeyMerchant],
    scopes: Collection[Scope],
    refund_limit: Money | None,
) -> None:
    if not 0 < len(name) <= NAME_CHARACTERS_MAX:
        raise ApiKeyInvalid(
            "A key needs a name of 1 to 64 characters.", "密钥名称需 1 到 64 个字符."
        )
    if not merchants:
        raise ApiKeyInvalid("A key needs a merchant.", "密钥至少需要一个商户.")
    if not scopes:
        raise ApiKeyInvalid("A key needs a scope.", "密钥至少需要一项权限.")
    if refund_limit is not None and refund_limit.minor < 0:
        raise ApiKeyInvalid("A refund limit is not negative.", "退款限额不能为负.")


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
