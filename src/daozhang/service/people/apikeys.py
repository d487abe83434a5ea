"""API keys that people make: by right, for merchants they cover, and written into the trail."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from daozhang.money import Money
from daozhang.service.auth import store as auth_store
from daozhang.service.auth.actions import create_api_key, revoke_api_key
from daozhang.service.auth.model import ApiKey, KeyMerchant, Scope
from daozhang.service.auth.refusals import ApiKeyNotFound
from daozhang.service.people.model import Person, Right
from daozhang.service.people.rights import require
from daozhang.service.web.context import Context


def list_keys(context: Context, actor: Person) -> list[ApiKey]:
    """The keys of merchants that ``actor`` covers, with scopes and last use; oldest first."""
    require(actor, Right.APIKEYS_READ)
    with context.database.read() as tx:
        keys = auth_store.list_keys(tx)
    return [key for key in keys if all(actor.covers(one.merchant_id) for one in key.merchants)]


def make_key(
    context: Context,
    actor: Person,
    *,
    name: str,
    environment: str,
    merchants: Sequence[KeyMerchant],
    scopes: Collection[Scope],
    refund_limit: Money | None,
) -> tuple[ApiKey, str]:
    """A new key, and the key itself, seen only now. Raises what `create_api_key` raises."""
    require(actor, Right.APIKEYS_WRITE)
    for merchant in merchants:
        require(actor, Right.APIKEYS_WRITE, merchant.merchant_id)
    with context.database.begin() as tx:
        return create_api_key(
            tx,
            name=name,
            environment=environment,
            merchants=merchants,
            scopes=scopes,
            refund_limit=refund_limit,
            now=context.clock.now(),
            actor=actor.actor,
        )


def revoke_key(context: Context, actor: Person, prefix: str) -> ApiKey:
    """Ends a key at once and for good. Raises `ApiKeyNotFound`."""
    require(actor, Right.APIKEYS_WRITE)
    with context.database.begin() as tx:
        key = auth_store.find_by_prefix(tx, prefix)
        if key is None or not all(actor.covers(one.merchant_id) for one in key.merchants):
            raise ApiKeyNotFound(prefix)
        return revoke_api_key(tx, prefix, context.clock.now(), context.signals, actor=actor.actor)
