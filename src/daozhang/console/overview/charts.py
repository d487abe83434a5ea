"""Options of charts, as data. Amounts stand in them as text: no float touches money on its way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from daozhang.money import Money

Linked = tuple[Money, str | None]
"""An amount, and the address of the rows that it is the sum of."""


def lines(names: Sequence[str], series: Mapping[str, Sequence[Linked]]) -> dict[str, Any]:
    """A line for each of ``series`` over ``names``; the first one is what the others stand against."""
    faint = next(iter(series), None)
    return {
        "legend": _LEGEND,
        "xAxis": {"type": "category", "data": list(names), "boundaryGap": False, **_NO_TICKS},
        "yAxis": _VALUES,
        "series": [
            {
                "type": "line",
                "name": name,
                "data": [_point(amount, address) for amount, address in points],
                "showSymbol": False,
                "lineStyle": {"width": 1.5, "type": "dashed"} if name == faint else {"width": 2.5},
                "role": "soft" if name == faint else "accent",
            }
            for name, points in series.items()
        ],
    }


def bars(
    names: Sequence[str],
    series: Mapping[str, Sequence[Money]],
    addresses: Sequence[str | None],
    *,
    lies: bool = False,
) -> dict[str, Any]:
    """A bar for each of ``names``, which leads to its address. ``lies``: from left to right."""
    categories = {"type": "category", "data": list(names), **_NO_TICKS}
    roles = ("accent", "soft")
    return {
        **(
            {"legend": _LEGEND}
            if len(series) > 1
            else {"grid": {"left": 0, "right": 24, "top": 8, "bottom": 0, "containLabel": True}}
        ),
        "xAxis": _VALUES if lies else categories,
        "yAxis": categories if lies else _VALUES,
        "series": [
            {
                "type": "bar",
                "name": name,
                "barMaxWidth": 18,
                "data": [
                    _point(amount, address)
                    for amount, address in zip(amounts, addresses, strict=True)
                ],
                "role": role,
            }
            for role, (name, amounts) in zip(roles, series.items(), strict=False)
        ],
    }


def _point(amount: Money, address: str | None) -> dict[str, Any]:
    return {"value": str(amount), **({} if address is None else {"href": address})}


_LEGEND: Mapping[str, Any] = {
    "top": 0,
    "right": 0,
    "icon": "roundRect",
    "itemWidth": 12,
    "itemHeight": 3,
}
_NO_TICKS: Mapping[str, Any] = {"axisTick": {"show": False}}
_VALUES: Mapping[str, Any] = {"type": "value", "splitNumber": 3}
