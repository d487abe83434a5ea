"""Which pictures raise which alerts. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from daozhang.money import Money
from daozhang.service.watch.model import (
    Age,
    AtRisk,
    Backlog,
    Cause,
    Consents,
    Deliveries,
    Inbox,
    JobCounts,
    Key,
    Picture,
    Severity,
)
from daozhang.service.watch.rules import alerts_of
from pictures import ALL_WELL, ALL_WRONG, NOW, ago


def keys_of(picture: Picture) -> list[str]:
    return [alert.key for alert in alerts_of(picture)]


def test_when_all_is_well_nobody_is_woken() -> None:
    assert keys_of(ALL_WELL) == []


def test_when_everything_is_wrong_each_thing_is_said_once_with_what_to_do() -> None:
    alerts = alerts_of(ALL_WRONG)
    assert len({alert.key for alert in alerts}) == len(alerts) == 19
    for alert in alerts:
        assert alert.zh != alert.en
        assert alert.todo_zh
        assert alert.todo_en
    sums = next(alert for alert in alerts if alert.key == "money_at_risk")
    assert "refund_unknown (production) 300.01 CNY" in sums.en
    urgent = {alert.key: alert.severity for alert in alerts}
    assert urgent["certificate_ending:2021:app_cert"] is Severity.PAGE
    assert urgent["certificate_ending:2022:alipay_cert"] is Severity.TICKET


def _risk(age: Age, cause: Cause = Cause.CANCELLING) -> tuple[AtRisk, ...]:
    return (AtRisk(cause, age, "production", Money.parse("1.00"), 1),)


@pytest.mark.parametrize(
    ("changes", "raised"),
    [
        ({"inbox": Inbox(backlog={"received": Backlog(1, ago(59))})}, []),
        (
            {"inbox": Inbox(backlog={"received": Backlog(1, ago(60))})},
            ["notifications_not_applied"],
        ),
        ({"inbox": Inbox(backlog={"waiting": Backlog(1, ago(9999))})}, []),
        ({"inbox": Inbox(copies_max=8)}, []),
        ({"lately": {"payments_learned": {"query": 2}}}, []),
        ({"lately": {"payments_learned": {"query": 3}}}, ["payments_learned_by_query"]),
        ({"lately": {"payments_learned": {"query": 3, "notification": 13}}}, []),
        ({"lately": {"notify_answers": {"refused": 19}}}, []),
        ({"at_risk": _risk(Age.MINUTES)}, []),
        ({"at_risk": _risk(Age.HOURS)}, ["money_at_risk"]),
        ({"at_risk": _risk(Age.DAYS, Cause.SURPRISE)}, []),
        ({"deliveries": Deliveries(failing_since=ago(3599))}, []),
        ({"jobs": JobCounts(499, 9)}, []),
        ({"consents": Consents(unwatched={"hold": 0}, late={"till": ago(599)})}, []),
        ({"consents": Consents(unwatched={"agreement": 1})}, ["consents_unwatched"]),
        ({"consents": Consents(late={"hold": ago(9), "till": ago(600)})}, ["steps_late"]),
        ({"at_risk": _risk(Age.HOURS, Cause.CHARGE_UNKNOWN)}, ["money_at_risk"]),
        ({"keys": (Key("1", "sandbox", "app_key", "f"),)}, []),
        (
            {"keys": (Key("1", "sandbox", "app_cert", "f", "s", NOW - timedelta(days=1)),)},
            ["certificate_ending:1:app_cert"],
        ),
    ],
)
def test_where_an_alert_begins(changes: dict[str, object], raised: list[str]) -> None:
    assert keys_of(replace(ALL_WELL, **changes)) == raised  # pyright: ignore[reportArgumentType]
