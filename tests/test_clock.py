"""Clock: time that is aware inside, Beijing's on the wire, and pushed in tests."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daozhang.clock import (
    BEIJING,
    ManualClock,
    SystemClock,
    business_day,
    from_beijing_text,
    require_aware,
    to_beijing_text,
)

START = datetime(2026, 3, 1, 15, 59, 59, tzinfo=UTC)
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(
    min_value=datetime(1992, 1, 1),  # noqa: DTZ001 - the zone is drawn apart
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=offsets,
)


@given(moments)
def test_beijing_text_comes_back_as_the_same_second(moment: datetime) -> None:
    back = from_beijing_text(to_beijing_text(moment))
    assert back.tzinfo is UTC
    assert back == moment.replace(microsecond=0)


@given(moments)
def test_beijing_is_the_zone_that_everybody_else_means(moment: datetime) -> None:
    """The fixed offset agrees with the tz data since 1992, after China's last summer time."""
    assert moment.astimezone(BEIJING).replace(tzinfo=None) == (
        moment.astimezone(ZoneInfo("Asia/Shanghai")).replace(tzinfo=None)
    )
    assert business_day(moment) == moment.astimezone(ZoneInfo("Asia/Shanghai")).date()


def test_texts_of_the_wire() -> None:
    assert to_beijing_text(START) == "2026-03-01 23:59:59"
    assert from_beijing_text("2026-03-01 23:59:59") == START
    milliseconds = from_beijing_text("2023-05-29 17:31:05.287")
    assert milliseconds == datetime(2023, 5, 29, 9, 31, 5, 287000, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["", "2026-03-01", "2026-03-01T23:59:59", "2026-02-30 00:00:00", "2026-03-01 23:59:59Z"],
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a time|day"):
        from_beijing_text(text)


def test_the_day_of_business_changes_at_midnight_in_beijing() -> None:
    assert business_day(START) == date(2026, 3, 1)
    assert business_day(START + timedelta(seconds=1)) == date(2026, 3, 2)


def test_a_time_without_a_zone_is_refused() -> None:
    naive = datetime(2026, 3, 1)  # noqa: DTZ001 - the subject of the test
    for refuses in (require_aware, to_beijing_text, business_day, ManualClock):
        with pytest.raises(ValueError, match="time zone"):
            refuses(naive)


def test_the_systems_clock_is_aware_and_moves() -> None:
    before = datetime.now(UTC)
    now = SystemClock().now()
    assert before <= now <= datetime.now(UTC)
    assert now.tzinfo is UTC


def test_a_manual_clock_stands_still_until_it_is_pushed() -> None:
    clock = ManualClock(START)
    assert clock.now() == clock.now() == START
    assert clock.advance(90.5) == clock.now() == START + timedelta(seconds=90.5)


def test_a_manual_clock_never_goes_back() -> None:
    clock = ManualClock(START)
    with pytest.raises(ValueError, match="forward"):
        clock.advance(-1)
    assert clock.set(START - timedelta(days=1)) == START
    assert clock.set(START + timedelta(days=1)) == START + timedelta(days=1)


def test_pushes_from_many_threads_all_count() -> None:
    clock = ManualClock(START)
    threads = [
        threading.Thread(target=lambda: [clock.advance(1) for _ in range(200)]) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert clock.now() == START + timedelta(seconds=8 * 200)
