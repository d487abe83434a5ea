"""Adding an App step by step: each step is checked at once, and the draft rests sealed.

Nothing of it is in use before the last step: an App appears with its first merchant, its keys proved
by an answer of Alipay's.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

from daozhang.alipay.config import Credentials
from daozhang.alipay.errors import ConfigurationError
from daozhang.alipay.keys import PrivateKey
from daozhang.service.auth.refusals import EnvironmentNotAllowed
from daozhang.service.db import Tx
from daozhang.service.ids import new_id
from daozhang.service.keys import rules, store
from daozhang.service.keys.checking import (
    explained,
    new_private_key,
    read_private_key,
    require_app_of,
)
from daozhang.service.keys.model import Draft, DraftContent
from daozhang.service.keys.refusals import DraftNotFound, DraftUnproved, KeyRefused
from daozhang.service.merchants.actions import (
    add_app,
    add_merchant,
    check_keys,
    require_app_id,
)
from daozhang.service.merchants.clients import Clients
from daozhang.service.merchants.credentials import credentials_of_new
from daozhang.service.merchants.model import Check, CheckResult, Merchant, NewApp, NewMerchant
from daozhang.service.merchants.refusals import AppExists
from daozhang.service.merchants.store import find_app
from daozhang.service.people.model import Person, Right
from daozhang.service.people.refusals import MerchantNotYours
from daozhang.service.people.rights import require
from daozhang.service.web.context import Context


def sealed_draft(public_id: str) -> str:
    """What a draft is sealed to."""
    return f"app_draft:{public_id}"


def begin_draft(context: Context, actor: Person) -> Draft:
    """An empty draft. Those that nobody has finished for a month are forgotten."""
    _require(actor)
    now = context.clock.now()
    public_id = new_id("dft", now)
    with context.database.begin() as tx:
        store.forget_drafts(tx, now - timedelta(days=rules.DRAFT_DAYS))
        store.insert_draft(
            tx,
            {
                "public_id": public_id,
                "person_id": actor.id,
                "content_sealed": _sealed(context, public_id, DraftContent()),
                "created_at": now,
            },
        )
        return _found(tx, context, actor, public_id)


def list_drafts(context: Context, actor: Person) -> list[Draft]:
    """One's own drafts, oldest first."""
    _require(actor)
    with context.database.read() as tx:
        return [_draft(context, row) for row in store.list_drafts(tx, actor.id)]


def read_draft(context: Context, actor: Person, public_id: str) -> Draft:
    """One of one's own drafts. Raises `DraftNotFound`."""
    _require(actor)
    with context.database.read() as tx:
        return _found(tx, context, actor, public_id)


def drop_draft(context: Context, actor: Person, public_id: str) -> None:
    """Throws a draft away, its private key with it."""
    _require(actor)
    with context.database.begin() as tx:
        _found(tx, context, actor, public_id)
        store.delete_draft(tx, public_id)


def name_app(
    context: Context,
    actor: Person,
    public_id: str,
    *,
    environment: str,
    app_id: str,
    name: str,
    gateway_url: str | None,
) -> Draft:
    """First step: which app, and where. Raises `EnvironmentNotAllowed`, `AppInvalid`, `AppExists`."""
    if environment not in context.settings.environments:
        raise EnvironmentNotAllowed(environment)
    require_app_id(app_id, name)
    emulated = environment == "emulator" and gateway_url
    base = str(gateway_url).removesuffix("/gateway.do") if emulated else None

    def named(tx: Tx, content: DraftContent) -> DraftContent:
        if find_app(tx, app_id, environment):
            raise AppExists(app_id, environment)
        return replace(
            content,
            environment=environment,
            app_id=app_id,
            name=name,
            gateway_url=gateway_url if emulated else None,
            v3_base_url=base,
        )

    return _change(context, actor, public_id, named)


def make_key_pair(context: Context, actor: Person, public_id: str) -> Draft:
    """Second step: a new key pair of the app's, whose public half is to be uploaded."""
    made = new_private_key().pkcs8_base64()
    return _change(
        context,
        actor,
        public_id,
        lambda _, content: replace(content, private_key=made, made_here=True),
    )


def take_private_key(context: Context, actor: Person, public_id: str, pasted: str) -> Draft:
    """Second step: the app's own private key, in any form. Raises `KeyRefused`."""
    kept = read_private_key(pasted).pkcs8_base64()
    return _change(
        context,
        actor,
        public_id,
        lambda _, content: replace(content, private_key=kept, made_here=False),
    )


def take_alipay_key(context: Context, actor: Person, public_id: str, pasted: str) -> Draft:
    """Third step, key mode: Alipay's public key; one's own is refused. Raises `KeyRefused`."""

    def taken(_: Tx, content: DraftContent) -> DraftContent:
        taken = replace(
            content,
            alipay_public_key=pasted.strip(),
            app_cert=None,
            alipay_cert=None,
            alipay_root_cert=None,
        )
        credentials_of_draft(taken)
        return taken

    return _change(context, actor, public_id, taken)


def take_certificates(
    context: Context, actor: Person, public_id: str, *, app: str, alipay: str, root: str
) -> Draft:
    """Third step, certificate mode: three files that must fit each other, the key and the app id."""

    def taken(_: Tx, content: DraftContent) -> DraftContent:
        taken = replace(
            content,
            alipay_public_key=None,
            app_cert=app.strip(),
            alipay_cert=alipay.strip(),
            alipay_root_cert=root.strip(),
        )
        credentials_of_draft(taken)
        require_app_of(app, content.app_id)
        return taken

    return _change(context, actor, public_id, taken)


def prove_draft(
    context: Context, clients: Clients, actor: Person, public_id: str
) -> tuple[Draft, Check]:
    """Fourth step: a live answer of Alipay's has to verify. Moves nothing."""
    draft = read_draft(context, actor, public_id)
    now = context.clock.now()
    with clients.client_with(credentials_of_draft(draft.content)) as client:
        check = check_keys(client, now)
    if check.result is not CheckResult.PROVED:
        return draft, check
    asked = draft.content

    def proved(_: Tx, content: DraftContent) -> DraftContent:
        # What was changed while Alipay was asked is not what it proved.
        return replace(content, proved_at=now.isoformat()) if content == asked else content

    return _change(context, actor, public_id, proved, keeps_proof=True), check


def finish_draft(
    context: Context, actor: Person, public_id: str, *, slug: str, name: str, seller_id: str
) -> Merchant:
    """Last step: the App and its first merchant, from now on in use.

    Raises `DraftUnproved`, and what `add_app` and `add_merchant` raise.
    """
    _require(actor)
    with context.database.begin() as tx:
        content = _found(tx, context, actor, public_id, lock=True).content
        if content.proved_at is None:
            raise DraftUnproved
        add_app(tx, context, app_of_draft(content), actor=actor.actor)
        merchant = add_merchant(
            tx,
            context,
            NewMerchant(slug, name, content.app_id, content.environment, seller_id),
            actor=actor.actor,
        )
        store.delete_draft(tx, public_id)
        return merchant


def app_of_draft(content: DraftContent) -> NewApp:
    """The App that ``content`` would make."""
    return NewApp(
        app_id=content.app_id,
        environment=content.environment,
        private_key=content.private_key or "",
        alipay_public_key=content.alipay_public_key,
        app_cert=content.app_cert,
        alipay_cert=content.alipay_cert,
        alipay_root_cert=content.alipay_root_cert,
        name=content.name,
        gateway_url=content.gateway_url,
        v3_base_url=content.v3_base_url,
    )


def credentials_of_draft(content: DraftContent) -> Credentials:
    """What Alipay would be called with. Raises `KeyRefused`."""
    if not content.app_id or content.private_key is None:
        raise KeyRefused("Finish the steps above first.", "请先完成前面的步骤。")
    try:
        return credentials_of_new(app_of_draft(content))
    except ConfigurationError as error:
        raise explained(error) from None


def _require(actor: Person) -> None:
    """A new merchant is one that only whoever works for all of them covers."""
    require(actor, Right.MERCHANTS_WRITE)
    if actor.merchants is not None:
        raise MerchantNotYours


def _change(
    context: Context,
    actor: Person,
    public_id: str,
    change: Callable[[Tx, DraftContent], DraftContent],
    *,
    keeps_proof: bool = False,
) -> Draft:
    _require(actor)
    with context.database.begin() as tx:
        before = _found(tx, context, actor, public_id, lock=True).content
        after = change(tx, before)
        if not keeps_proof:
            after = replace(after, proved_at=None)
        store.update_draft(tx, public_id, _sealed(context, public_id, after))
        return _found(tx, context, actor, public_id)


def _found(tx: Tx, context: Context, actor: Person, public_id: str, *, lock: bool = False) -> Draft:
    row = store.find_draft(tx, public_id, lock=lock)
    if row is None or row.person_id != actor.id:
        raise DraftNotFound
    return _draft(context, row)


def _sealed(context: Context, public_id: str, content: DraftContent) -> bytes:
    return context.sealer.seal(json.dumps(asdict(content)).encode(), sealed_draft(public_id))


def _draft(context: Context, row: Any) -> Draft:
    opened = context.sealer.open(row.content_sealed, sealed_draft(row.public_id))
    content = DraftContent(**json.loads(opened))
    own = None if content.private_key is None else PrivateKey.load(content.private_key)
    return Draft(
        id=row.public_id,
        person_id=row.person_id,
        content=content,
        public_key=None if own is None else own.public.base64(),
        created_at=row.created_at,
    )
