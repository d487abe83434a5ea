"""What is noted comes back as it was, once each, however much it is."""

from __future__ import annotations

from daozhang.service.reconciliation.noting import MEMORY_BYTES_MAX, Notes


def test_more_than_memory_holds_comes_back_in_its_order() -> None:
    notes = Notes()
    rows = [
        {"key": f"payment:{n}", "ours_minor": n, "evidence": {"shop": "茶" * 50}}
        for n in range(5000)
    ]
    for row in rows:
        notes.add("amount_differs", str(row["key"]), row)
    assert sum(len(str(row)) for row in rows) > MEMORY_BYTES_MAX
    assert ("amount_differs", "payment:7") in notes
    assert ("fee_differs", "payment:7") not in notes
    parts = [*notes.take(700)]
    assert [row for part in parts for row in part] == rows
    assert {len(part) for part in parts[:-1]} == {700}
    assert [*notes.take(700)] == []


def test_what_is_empty_gives_nothing() -> None:
    assert [*Notes().take(10)] == []
