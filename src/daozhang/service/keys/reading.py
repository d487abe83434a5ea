"""Apps and the keys that wait, as a person who covers them sees them."""

from __future__ import annotations

from typing import Final

from daozhang.service.approvals.store import find_approval
from daozhang.service.db import Tx
from daozhang.service.keys import store
from daozhang.service.keys.model import ChangeNow, KeyChange
from daozhang.service.merchants.model import App, Merchant
from daozhang.service.merchants.refusals import AppNotFound
from daozhang.service.merchants.store import list_apps, list_merchants
from daozhang.service.people.model import Person, Right
from daozhang.service.people.rights import require
from daozhang.service.web.context import Context

CHANGES_SHOWN: Final = 10


def read_app(context: Context, actor: Person, app_row: int) -> tuple[App, list[Merchant]]:
    """An app and its merchants. Raises `AppNotFound`, also for whoever covers none of them."""
    require(actor, Right.MERCHANTS_READ)
    with context.database.read() as tx:
        app = next((one for one in list_apps(tx) if one.id == app_row), None)
        merchants = [one for one in list_merchants(tx) if one.app_row == app_row]
    covered = [one for one in merchants if actor.covers(one.id)]
    if app is None or not (covered or actor.merchants is None):
        raise AppNotFound(str(app_row))
    return app, covered


def list_waiting_changes(context: Context, actor: Person) -> list[ChangeNow]:
    """Every new key that waits, of all apps."""
    require(actor, Right.MERCHANTS_READ)
    with context.database.read() as tx:
        return [_now(tx, change) for change in store.list_waiting(tx)]


def list_changes(context: Context, actor: Person, app_row: int) -> list[ChangeNow]:
    """The latest changes of an app's keys, newest first."""
    read_app(context, actor, app_row)
    with context.database.read() as tx:
        return [_now(tx, one) for one in store.list_changes(tx, app_row, CHANGES_SHOWN)]


def _now(tx: Tx, change: KeyChange) -> ChangeNow:
    asked = change.approval_id
    return ChangeNow(change, None if asked is None else find_approval(tx, asked))
