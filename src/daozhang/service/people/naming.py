"""Names: who somebody is that the books name as an actor, ``person:3`` or ``api_key:4``."""

from __future__ import annotations

from daozhang.service.audit.model import ActorKind
from daozhang.service.auth import store as auth_store
from daozhang.service.db import Tx
from daozhang.service.people import store


def name_of(tx: Tx, actor: str) -> str:
    """Under which name the trail shows that actor; ``actor`` itself if nobody knows."""
    kind, _, reference = actor.partition(":")
    if not reference.isdecimal():
        return actor
    if kind == ActorKind.PERSON:
        person = store.find_person(tx, int(reference))
        return actor if person is None else person.email
    if kind == ActorKind.API_KEY:
        key = auth_store.find_by_id(tx, int(reference))
        return actor if key is None else key.name
    return actor
