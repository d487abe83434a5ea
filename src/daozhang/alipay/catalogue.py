"""Which methods there are: their address in V3, their fields, their error codes.

The data (`catalogue.json`) comes from the official SDKs and is read at the first question, not at
import.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

TOP_LEVEL_METHODS: Final = frozenset({"alipay.system.oauth.token", "alipay.user.info.share"})
"""Methods whose parameters travel beside the public ones in V2, not in ``biz_content``."""

_DATA: Final = Path(__file__).with_name("catalogue.json")


class Method(msgspec.Struct, frozen=True):
    """One method of Alipay's, as its official SDKs declare it.

    ``v3`` is verb and path, or ``None`` where only V2 has the method; ``request`` the names of its
    fields; ``sub_codes`` the errors that its pages name (others occur).
    """

    request: tuple[str, ...] = ()
    v3: str | None = None
    sub_codes: tuple[str, ...] = ()


class _Data(msgspec.Struct):
    source: str
    methods: dict[str, Method]


class UnknownMethod(ValueError):
    """A method that the catalogue does not hold. Nothing was sent."""

    def __init__(self, name: str, close: tuple[str, ...]) -> None:
        meant = f" Did you mean {' or '.join(close)}?" if close else ""
        super().__init__(
            f"{name!r} is not in the catalogue of methods.{meant} If it exists at Alipay all the"
            " same, call it with unlisted=True (V2 only)."
        )
        self.name = name
        self.close = close


def methods() -> Mapping[str, Method]:
    """Every method of the catalogue by name."""
    return _load().methods


def method_named(name: str) -> Method:
    """The method called ``name``. Raises `UnknownMethod`, which names the closest ones."""
    known = methods()
    found = known.get(name)
    if found is None:
        raise UnknownMethod(name, tuple(difflib.get_close_matches(name, known, n=3, cutoff=0.75)))
    return found


@functools.cache
def _load() -> _Data:
    return msgspec.json.decode(_DATA.read_bytes(), type=_Data)
