"""Changing the keys of an App that works: the new one waits beside the present one until it is proved.

The app's own new key acts as soon as Alipay takes what it signs. A new key of Alipay's acts only once a
live answer verified with it and a second owner approved: whoever could swap it alone could forge
payments. The former one still verifies notifications for two days.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from daozhang.alipay.config import Credentials
from daozhang.alipay.errors import ConfigurationError
from daozhang.alipay.keys import PublicKey
from daozhang.service.approvals import store as approvals_store
from daozhang.service.approvals.actions import approve, ask, decline, withdraw
from daozhang.service.approvals.model import ApprovalKind, ApprovalStatus
from daozhang.service.audit.actions import record
from daozhang.service.audit.model import SYSTEM, Actor
from daozhang.service.db import Tx
from daozhang.service.ids import new_id
from daozhang.service.keys import rules, store
from daozhang.service.keys.checking import (
    explained,
    new_private_key,
    read_private_key,
    require_app_of,
)
from daozhang.service.keys.model import ChangeKind, ChangeNow, ChangeStatus, KeyChange
from daozhang.service.keys.refusals import (
    AppWithoutMerchant,
    KeyChangeNotFound,
    KeyChangeWaiting,
    KeyRefused,
)
from daozhang.service.merchants.actions import check_keys
from daozhang.service.merchants.clients import Clients
from daozhang.service.merchants.credentials import (
    credentials_of,
    credentials_of_new,
    sealed_private_key,
)
from daozhang.service.merchants.model import CHANGED_SIGNAL, App, CheckResult, Merchant, NewApp
from daozhang.service.merchants.refusals import AppNotFound
from daozhang.service.merchants.store import list_apps, list_merchants, lock_app, update_app
from daozhang.service.people.model import Person, Right
from daozhang.service.people.rights import require
from daozhang.service.web.context import Context

CHANGES_LOOKED_AT = 10


def sealed_new_key(public_id: str) -> str:
    """What a private key that waits is sealed to."""
    return f"key_change:{public_id}"


def change_own_key(
    context: Context, actor: Person, app_row: int, *, pasted: str | None, app_cert: str | None
) -> KeyChange:
    """A new key of the app's own: made here, or ``pasted``; with certificates also its new one.

    It waits until Alipay takes what it signs. Raises `KeyRefused` and `KeyChangeWaiting`.
    """
    require(actor, Right.KEYS_ROTATE)
    key = new_private_key() if pasted is None else read_private_key(pasted)
    with context.database.begin() as tx:
        app, merchants = _app(tx, actor, app_row)
        if app_cert is not None:
            require_app_of(app_cert, app.app_id)
        public_id = new_id("key", context.clock.now())
        values = {
            "private_key_sealed": context.sealer.seal(
                key.pkcs8_base64().encode(), sealed_new_key(public_id)
            ),
            "app_cert": app_cert,
        }
        present = _present(context, app)
        if present.private_key.fingerprint == key.fingerprint and app_cert in (None, app.app_cert):
            raise KeyRefused("This is the key in use already.", "这就是正在使用的密钥。")
        _require_fits(context, app, key.pkcs8_base64(), values)
        return _insert(
            tx, context, actor, app, ChangeKind.OWN, public_id, key.public, values, merchants
        )


def change_alipay_key(
    context: Context,
    actor: Person,
    app_row: int,
    *,
    pasted: str | None = None,
    alipay_cert: str | None = None,
    alipay_root_cert: str | None = None,
) -> KeyChange:
    """A new public key (or certificate) of Alipay's, about which a second owner is asked.

    Raises `KeyRefused` (one's own is refused), `KeyChangeWaiting` and `AppWithoutMerchant`.
    """
    require(actor, Right.KEYS_ROTATE)
    with context.database.begin() as tx:
        app, merchants = _app(tx, actor, app_row)
        if not merchants:
            raise AppWithoutMerchant
        root = alipay_root_cert or app.alipay_root_cert
        values = {"alipay_cert": alipay_cert, "alipay_root_cert": root if alipay_cert else None}
        new = _require_fits(context, app, None, {**values, "alipay_public_key": pasted})
        key = new.verifying_keys.keys[0]
        if key in _present(context, app).verifying_keys.keys:
            raise KeyRefused("This key of Alipay's is in use already.", "该支付宝公钥正在使用中。")
        public_id = new_id("key", context.clock.now())
        return _insert(
            tx, context, actor, app, ChangeKind.ALIPAY, public_id, key, values, merchants
        )


def ask_about(context: Context, clients: Clients, actor: Person, public_id: str) -> ChangeNow:
    """Asks Alipay now, and takes the key into use if nothing else is waited for."""
    require(actor, Right.KEYS_ROTATE)
    with context.database.read() as tx:
        change = _waiting(tx, actor, public_id)
    return prove(context, clients, change, actor.actor, by_hand=True)


def approve_change(
    context: Context, clients: Clients, actor: Person, public_id: str, note: str | None
) -> ChangeNow:
    """A second owner approves a new key of Alipay's. Raises what `approve` raises."""
    require(actor, Right.KEYS_APPROVE)
    now = context.clock.now()
    with context.database.begin() as tx:
        change = _waiting(tx, actor, public_id)
        if change.approval_id is None:
            raise KeyChangeNotFound
        approve(tx, actor, change.approval_id, ApprovalKind.ALIPAY_KEY, note, now)
        _act_if_ready(tx, context, change.id, actor.actor)
        after = _now(tx, _found(tx, change.id))
    if after.change.status is ChangeStatus.DONE:
        return after
    return prove(context, clients, after.change, actor.actor, by_hand=True)


def drop_change(context: Context, actor: Person, public_id: str, note: str | None) -> None:
    """Takes a change back, or declines it if somebody else asked for it."""
    if not actor.may(Right.KEYS_APPROVE):
        require(actor, Right.KEYS_ROTATE)
    with context.database.read() as tx:
        change = _waiting(tx, actor, public_id)
        now = _now(tx, change)
    approval = now.approval
    own = change.asked_by == str(actor.actor)
    require(actor, Right.KEYS_ROTATE if own or approval is None else Right.KEYS_APPROVE)
    if approval is not None and approval.status is ApprovalStatus.PENDING:
        if own:
            withdraw(context, actor, approval.id)
        else:
            decline(context, actor, approval.id, note)
    with context.database.begin() as tx:
        _drop(tx, context, actor.actor, _found(tx, public_id, lock=True))


def prove(
    context: Context, clients: Clients, change: KeyChange, actor: Actor, *, by_hand: bool
) -> ChangeNow:
    """Asks Alipay with the key that waits, writes down what it said, and acts if that was all."""
    with context.database.read() as tx:
        app = _row(tx, change.app_row)
    now = context.clock.now()
    with clients.client_with(_candidate(context, app, change)) as client:
        check = check_keys(client, now)
    touched_at = now if by_hand else change.created_at
    with context.database.begin() as tx:
        there = _found(tx, change.id, lock=True)
        if there.status is ChangeStatus.WAITING:
            proved = check.result is CheckResult.PROVED
            asks = None if proved else rules.ask_next(now, touched_at)
            store.update_change(
                tx,
                change.id,
                proved_at=now if proved else there.proved_at,
                checked_at=now,
                check_result=check.result.value,
                check_detail=check.detail,
                ask_at=asks,
            )
            _act_if_ready(tx, context, change.id, actor)
        return _now(tx, _found(tx, change.id))


def _act_if_ready(tx: Tx, context: Context, public_id: str, actor: Actor) -> None:
    now = _now(tx, _found(tx, public_id, lock=True))
    if now.change.status is not ChangeStatus.WAITING or not rules.may_act(now):
        return
    change, at = now.change, context.clock.now()
    app = lock_app(tx, change.app_row)
    assert app is not None
    if change.kind is ChangeKind.OWN:
        sealed = change.private_key_sealed
        assert sealed is not None
        key = context.sealer.open(sealed, sealed_new_key(change.id))
        bound_to = sealed_private_key(app.environment, app.app_id)
        values: dict[str, Any] = {"private_key_sealed": context.sealer.seal(key, bound_to)}
        if change.app_cert is not None:
            values["app_cert"] = change.app_cert
    else:
        former = _present(context, app).verifying_keys.keys[0]
        values = {
            "former_alipay_public_key": former.base64(),
            "former_alipay_until": rules.former_until(at),
        }
        if change.alipay_cert is None:
            values["alipay_public_key"] = change.public_key
        else:
            values["alipay_cert"] = change.alipay_cert
            values["alipay_root_cert"] = change.alipay_root_cert
    update_app(tx, app.id, **values)
    _end(tx, context, change, ChangeStatus.DONE, actor, f"app.{change.kind.value}_key_changed")
    tx.after_commit(lambda: context.signals.wake(CHANGED_SIGNAL))


def _drop(tx: Tx, context: Context, actor: Actor, change: KeyChange) -> None:
    if change.status is ChangeStatus.WAITING:
        _end(tx, context, change, ChangeStatus.DROPPED, actor, "app.key_dropped")


def _end(
    tx: Tx, context: Context, change: KeyChange, status: ChangeStatus, actor: Actor, deed: str
) -> None:
    """Ends a change; a private key that waited rests nowhere but where it is used."""
    now = context.clock.now()
    store.update_change(
        tx, change.id, status=status.value, ended_at=now, ask_at=None, private_key_sealed=None
    )
    app = _row(tx, change.app_row)
    record(
        tx,
        actor,
        deed,
        f"app:{app.app_id}",
        now,
        environment=app.environment,
        change=change.id,
        fingerprint=change.fingerprint,
        asked_by=change.asked_by,
        approval=change.approval_id,
    )


def _insert(
    tx: Tx,
    context: Context,
    actor: Person,
    app: App,
    kind: ChangeKind,
    public_id: str,
    key: PublicKey,
    values: Mapping[str, Any],
    merchants: list[Merchant],
) -> KeyChange:
    now = context.clock.now()
    _clear_dead(tx, context, app.id, kind)
    row = {
        "public_id": public_id,
        "app_row": app.id,
        "kind": kind.value,
        "status": ChangeStatus.WAITING.value,
        "public_key": key.base64(),
        "fingerprint": key.fingerprint,
        "ask_at": now,
        "asked_by": str(actor.actor),
        "asked_name": actor.email,
        "created_at": now,
        **values,
    }
    if not store.insert_change(tx, row):
        raise KeyChangeWaiting
    subject = f"app:{app.environment}:{app.app_id}"
    if kind is ChangeKind.ALIPAY:
        approval = ask(
            tx,
            actor.actor,
            ApprovalKind.ALIPAY_KEY,
            merchant_id=merchants[0].id,
            subject=subject,
            content={"change": public_id, "fingerprint": key.fingerprint, "app_row": app.id},
            amount=None,
            reason=None,
            now=now,
        )
        store.update_change(tx, public_id, approval_id=approval.id)
    record(
        tx,
        actor.actor,
        f"app.{kind.value}_key_given",
        f"app:{app.app_id}",
        now,
        environment=app.environment,
        change=public_id,
        fingerprint=key.fingerprint,
    )
    tx.after_commit(lambda: context.signals.wake(ASK_SIGNAL))
    return _found(tx, public_id)


ASK_SIGNAL = "key_changes"
"""Woken when a key waits for Alipay to be asked."""


def _clear_dead(tx: Tx, context: Context, app_row: int, kind: ChangeKind) -> None:
    """Makes room for a new key after nobody approved the one before."""
    for change in store.list_changes(tx, app_row, CHANGES_LOOKED_AT):
        waits = change.kind is kind and change.status is ChangeStatus.WAITING
        if waits and rules.is_dead(_now(tx, change)):
            _drop(tx, context, SYSTEM, change)


def _require_fits(
    context: Context, app: App, private_key: str | None, values: Mapping[str, Any]
) -> Credentials:
    """The credentials with the new values in place. Raises `KeyRefused`."""
    present = _present(context, app)
    given = {name: value for name, value in values.items() if value is not None}
    given.pop("private_key_sealed", None)
    try:
        return credentials_of_new(
            _with(app, private_key or present.private_key.pkcs8_base64(), given)
        )
    except ConfigurationError as error:
        raise explained(error) from None


def _candidate(context: Context, app: App, change: KeyChange) -> Credentials:
    """What Alipay is asked with, while everybody else uses the present keys."""
    if change.kind is ChangeKind.OWN:
        assert change.private_key_sealed is not None
        key = context.sealer.open(change.private_key_sealed, sealed_new_key(change.id)).decode()
        given = {} if change.app_cert is None else {"app_cert": change.app_cert}
        return credentials_of_new(_with(app, key, given))
    key = _present(context, app).private_key.pkcs8_base64()
    if change.alipay_cert is None:
        return credentials_of_new(_with(app, key, {"alipay_public_key": change.public_key}))
    certificates = {
        "alipay_cert": change.alipay_cert,
        "alipay_root_cert": change.alipay_root_cert or app.alipay_root_cert or "",
    }
    return credentials_of_new(_with(app, key, certificates))


def _with(app: App, private_key: str, values: Mapping[str, str]) -> NewApp:
    present = NewApp(
        app_id=app.app_id,
        environment=app.environment,
        private_key=private_key,
        alipay_public_key=app.alipay_public_key,
        app_cert=app.app_cert,
        alipay_cert=app.alipay_cert,
        alipay_root_cert=app.alipay_root_cert,
        gateway_url=app.gateway_url,
        v3_base_url=app.v3_base_url,
    )
    return replace(present, **values)


def _present(context: Context, app: App) -> Credentials:
    return credentials_of(app, None, context.sealer)


def _waiting(tx: Tx, actor: Person, public_id: str) -> KeyChange:
    change = store.find_change(tx, public_id)
    if change is None or change.status is not ChangeStatus.WAITING:
        raise KeyChangeNotFound
    _app(tx, actor, change.app_row)
    return change


def _found(tx: Tx, public_id: str, *, lock: bool = False) -> KeyChange:
    change = store.find_change(tx, public_id, lock=lock)
    if change is None:
        raise KeyChangeNotFound
    return change


def _now(tx: Tx, change: KeyChange) -> ChangeNow:
    asked = change.approval_id
    return ChangeNow(change, None if asked is None else approvals_store.find_approval(tx, asked))


def _app(tx: Tx, actor: Person, app_row: int) -> tuple[App, list[Merchant]]:
    """An app and its merchants, for whoever covers all of them. Raises `AppNotFound`."""
    merchants = [one for one in list_merchants(tx) if one.app_row == app_row]
    covered = actor.merchants is None or (
        bool(merchants) and all(actor.covers(one.id) for one in merchants)
    )
    if not covered:
        raise AppNotFound(str(app_row))
    return _row(tx, app_row), merchants


def _row(tx: Tx, app_row: int) -> App:
    for app in list_apps(tx):
        if app.id == app_row:
            return app
    raise AppNotFound(str(app_row))
