"""The picture as Prometheus reads it. Every metric has its paragraph in docs/reference/metrics.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import CollectorRegistry

from daozhang.service.meter import (
    APPLY_SECONDS,
    BOUNDS_SECONDS,
    NOTIFY_ANSWERS,
    RECORD_SECONDS,
    SUM,
    UNBOUNDED,
)
from daozhang.service.watch.model import Picture

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_Sample = tuple[tuple[str, ...], float]


def write_metrics(picture: Picture) -> bytes:
    """``picture`` in the text format, from a registry of its own: no state is shared."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Painted(picture))  # pyright: ignore[reportArgumentType]
    return generate_latest(registry)


class _Painted:
    def __init__(self, picture: Picture) -> None:
        self._picture = picture

    def collect(self) -> Iterator[Metric]:
        yield from _inbox(self._picture)
        yield from _orders(self._picture)
        yield from _consents(self._picture)
        yield from _deliveries(self._picture)
        yield from _keys(self._picture)
        yield from _jobs(self._picture)
        yield from _alerts(self._picture)
        yield from _histograms(self._picture)


def _gauge(name: str, about: str, labels: tuple[str, ...], samples: Iterable[_Sample]) -> Metric:
    family = GaugeMetricFamily(f"daozhang_{name}", about, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family


def _counter(name: str, about: str, labels: tuple[str, ...], samples: Iterable[_Sample]) -> Metric:
    family = CounterMetricFamily(f"daozhang_{name}", about, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family


def _one(value: float) -> list[_Sample]:
    return [((), value)]


def _by_label(counts: Mapping[str, int]) -> list[_Sample]:
    return [((label,), count) for label, count in sorted(counts.items())]


def _seconds(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())


def _inbox(picture: Picture) -> Iterator[Metric]:
    inbox, now = picture.inbox, picture.at
    yield _counter(
        "notifications_recorded", "Committed before they were answered.", (), _one(inbox.recorded)
    )
    yield _counter("notifications_applied", "Taken into the books.", (), _one(inbox.applied))
    yield _counter(
        "notifications_kept", "Of a kind that is kept and not acted on.", (), _one(inbox.kept)
    )
    yield _gauge("notifications_surprised", "With a person.", (), _one(inbox.surprised))
    yield _gauge(
        "notifications_difference",
        "Recorded - applied - kept - surprised; must return to 0.",
        (),
        _one(inbox.waiting),
    )
    yield _gauge(
        "notifications_waiting",
        "Recorded and not applied, by what they wait for.",
        ("status",),
        _by_label({name: one.count for name, one in inbox.backlog.items()}),
    )
    yield _gauge(
        "notification_oldest_seconds",
        "Age of the oldest notification that is not applied.",
        ("status",),
        [((name,), _seconds(one.oldest_at, now)) for name, one in sorted(inbox.backlog.items())]
        or [(("received",), 0.0)],
    )
    yield _counter(
        "notifications_refused", "Not believed, by reason.", ("reason",), _by_label(inbox.refused)
    )
    yield _counter(
        "notify_answers",
        "Answers of the notify address; busy is the 503 of a full queue.",
        ("answer",),
        _by_label(
            {
                "success": 0,
                "busy": 0,
                "error": 0,
                "refused": 0,
                **picture.tallies.get(NOTIFY_ANSWERS, {}),
            }
        ),
    )
    yield _gauge(
        "notification_copies_max",
        "Most copies of one notification within a day.",
        (),
        _one(inbox.copies_max),
    )
    yield _gauge(
        "notifications_copied_often",
        "Notifications of a day with more than 8 copies.",
        (),
        _one(inbox.copied_often),
    )
    yield _counter(
        "payments_learned",
        "Payments by how Alipay told us first; many by query: the notify address is broken.",
        ("source",),
        _by_label({"notification": 0, "query": 0, **picture.tallies.get("payments_learned", {})}),
    )


def _orders(picture: Picture) -> Iterator[Metric]:
    yield _gauge(
        "orders_open",
        "Orders of which Alipay may still tell something.",
        (),
        _one(picture.orders_open),
    )
    yield _gauge(
        "orders_unwatched",
        "Open orders without a next query; must be 0.",
        (),
        _one(picture.orders_unwatched),
    )
    sums = [
        ((one.cause.value, one.age.value, one.environment, one.amount.currency), one)
        for one in picture.at_risk
    ]
    labels = ("cause", "age", "environment", "currency")
    yield _gauge(
        "money_at_risk_minor_units",
        "Money in unknown states, in minor units (fen).",
        labels,
        [(values, one.amount.minor) for values, one in sums],
    )
    yield _gauge(
        "money_at_risk_items",
        "How many orders, refunds, notifications and surprises that is.",
        labels,
        [(values, one.count) for values, one in sums],
    )
    open_ = [((s.reason, s.environment, s.amount.currency), s) for s in picture.surprises]
    labels = ("reason", "environment", "currency")
    yield _gauge(
        "surprises_open",
        "Facts that do not fit and wait for a person.",
        labels,
        [(v, s.count) for v, s in open_],
    )
    yield _gauge(
        "surprises_open_minor_units",
        "The same in minor units (fen).",
        labels,
        [(v, s.amount.minor) for v, s in open_],
    )


def _consents(picture: Picture) -> Iterator[Metric]:
    consents, now = picture.consents, picture.at
    yield _gauge(
        "holds_open",
        "Holds of which money is or may be frozen.",
        ("status",),
        _by_label(consents.holds),
    )
    yield _gauge(
        "holds_frozen_minor_units",
        "Frozen, neither taken nor let go, in minor units (fen).",
        ("environment", "currency"),
        [((name, money.currency), money.minor) for name, money in sorted(consents.frozen.items())],
    )
    yield _gauge(
        "agreements_unsettled",
        "Agreements that are neither in effect nor over.",
        ("status",),
        _by_label(consents.agreements),
    )
    yield _gauge(
        "charges_open",
        "Charges out of holds and by agreements that are not over.",
        ("kind", "phase"),
        sorted(consents.charges.items()),
    )
    yield _gauge(
        "consents_unwatched",
        "Open holds, agreements and charges without a next step; must be 0.",
        ("kind",),
        _by_label({"agreement": 0, "charge": 0, "hold": 0, **consents.unwatched}),
    )
    yield _gauge(
        "steps_late_seconds",
        "For how long the oldest step that is due has waited for a worker.",
        ("kind",),
        [
            ((kind,), _seconds(consents.late.get(kind), now))
            for kind in ("agreement", "charge", "hold", "till")
        ],
    )


def _deliveries(picture: Picture) -> Iterator[Metric]:
    sent = picture.deliveries
    states = {"delivered": sent.delivered, "pending": sent.pending, "parked": sent.parked}
    yield _gauge(
        "webhook_deliveries", "Webhooks by where they stand.", ("status",), _by_label(states)
    )
    attempts = picture.tallies.get("webhook_attempts", {})
    yield _counter(
        "webhook_attempts",
        "POSTs of webhooks by outcome.",
        ("outcome",),
        _by_label({"2xx": 0, **attempts}),
    )
    endpoints = {"enabled": 0, "paused": 0, "disabled": 0, **sent.endpoints}
    yield _gauge(
        "webhook_endpoints",
        "Webhook endpoints; disabled: switched off by us.",
        ("status",),
        _by_label(endpoints),
    )
    yield _gauge(
        "webhook_endpoint_failing_seconds",
        "For how long an endpoint has failed without one success; the longest.",
        (),
        _one(_seconds(sent.failing_since, picture.at)),
    )


def _keys(picture: Picture) -> Iterator[Metric]:
    labels = ("app_id", "environment", "kind")
    yield _gauge(
        "certificate_days_left",
        "Days until a certificate ends.",
        labels,
        [
            (
                (key.app_id, key.environment, key.kind),
                (key.not_after - picture.at).total_seconds() / 86400,
            )
            for key in picture.keys
            if key.not_after is not None
        ],
    )
    yield _gauge(
        "key_info",
        "SHA-256 of each public key, serial number of each certificate; always 1.",
        (*labels, "fingerprint", "serial"),
        [
            ((key.app_id, key.environment, key.kind, key.fingerprint, key.serial), 1)
            for key in picture.keys
        ],
    )


def _jobs(picture: Picture) -> Iterator[Metric]:
    yield _gauge(
        "jobs_waiting", "Durable jobs that wait or run, up to 1000.", (), _one(picture.jobs.waiting)
    )
    yield _gauge(
        "jobs_failed",
        "Durable jobs that failed within a day, up to 1000.",
        (),
        _one(picture.jobs.failed),
    )


def _alerts(picture: Picture) -> Iterator[Metric]:
    yield _gauge(
        "alerts_not_sent",
        "Alerts that could not be sent the last time.",
        (),
        _one(picture.alerts_not_sent),
    )


def _histograms(picture: Picture) -> Iterator[Metric]:
    for name, tally, about in (
        (
            "notification_record_seconds",
            RECORD_SECONDS,
            "From a notification's arrival to its commit.",
        ),
        (
            "notification_apply_seconds",
            APPLY_SECONDS,
            "From the commit to the books, where not at once.",
        ),
    ):
        counts = picture.tallies.get(tally, {})
        below, buckets = 0, list[tuple[str, float]]()
        for bound in (*map(str, BOUNDS_SECONDS[tally]), UNBOUNDED):
            below += counts.get(bound, 0)
            buckets.append((bound, below))
        family = HistogramMetricFamily(f"daozhang_{name}", about)
        family.add_metric((), buckets=buckets, sum_value=counts.get(SUM, 0) / 1e6)
        yield family
