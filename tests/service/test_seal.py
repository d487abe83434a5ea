"""Sealed values open only in their place; tokens are genuine, for one purpose, and expire."""

from __future__ import annotations

import base64
import os
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daozhang.service.ids import new_id, random_token
from daozhang.service.seal import (
    SealBroken,
    Sealer,
    SealingKeysInvalid,
    TokenRefused,
    add_key,
    open_sealer,
    parse_keys,
)

NOW = datetime(2026, 5, 1, 8, tzinfo=UTC)
KEYS = {"new": os.urandom(32), "old": os.urandom(32)}


@given(st.binary(max_size=300), st.text(max_size=40))
def test_what_is_sealed_opens_in_its_place(plaintext: bytes, place: str) -> None:
    sealer = Sealer(KEYS)
    blob = sealer.seal(plaintext, place)
    assert sealer.open(blob, place) == plaintext
    with pytest.raises(SealBroken):
        sealer.open(blob, place + "x")


def test_every_changed_or_missing_byte_breaks_the_seal() -> None:
    sealer = Sealer(KEYS)
    blob = sealer.seal(b"MIIEvQIBADANBg", "app:1")
    assert b"MIIE" not in blob
    for position in range(len(blob)):
        changed = bytearray(blob)
        changed[position] ^= 1
        with pytest.raises(SealBroken):
            sealer.open(bytes(changed), "app:1")
        with pytest.raises(SealBroken):
            sealer.open(blob[:position], "app:1")


def test_the_same_value_is_sealed_differently_each_time() -> None:
    sealer = Sealer(KEYS)
    assert sealer.seal(b"x", "a") != sealer.seal(b"x", "a")


def test_an_older_key_opens_and_is_found() -> None:
    before = Sealer({"old": KEYS["old"]})
    blob = before.seal(b"x", "a")
    after = Sealer(KEYS)
    assert after.open(blob, "a") == b"x"
    assert after.needs_reseal(blob)
    assert not after.needs_reseal(after.seal(b"x", "a"))
    with pytest.raises(SealBroken, match="'old', which is not here"):
        Sealer({"new": KEYS["new"]}).open(blob, "a")


def test_keys_are_made_once_and_only_for_the_owner(tmp_path: Path) -> None:
    key_file = tmp_path / "data" / "sealing.keys"
    made: list[Sealer] = []
    threads = [
        threading.Thread(target=lambda: made.append(open_sealer(None, key_file))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8
    blob = made[0].seal(b"x", "a")
    assert all(sealer.open(blob, "a") == b"x" for sealer in made)
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert [path.name for path in key_file.parent.iterdir()] == ["sealing.keys"]


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    key_file = tmp_path / "sealing.keys"
    open_sealer(None, key_file)
    key_file.chmod(0o644)
    with pytest.raises(SealingKeysInvalid, match="chmod 600"):
        open_sealer(None, key_file)


def test_a_new_key_goes_in_front_and_the_old_one_still_opens(tmp_path: Path) -> None:
    key_file = tmp_path / "sealing.keys"
    before = open_sealer(None, key_file)
    blob = before.seal(b"x", "a")
    assert add_key(key_file) == "k2"
    after = open_sealer(None, key_file)
    assert (before.current_key_id, after.current_key_id) == ("k1", "k2")
    assert after.open(blob, "a") == b"x"
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600


def test_who_runs_while_a_key_is_added_opens_what_the_new_one_sealed(tmp_path: Path) -> None:
    key_file = tmp_path / "sealing.keys"
    running = open_sealer(None, key_file)
    add_key(key_file)
    blob = open_sealer(None, key_file).seal(b"x", "a")
    assert running.open(blob, "a") == b"x"
    assert running.current_key_id == "k2"


@pytest.mark.parametrize(
    "text",
    ["", "k1", "k1:c2hvcnQ=", "k 1:" + base64.b64encode(bytes(32)).decode(), "k1:!!!"],
)
def test_keys_that_are_none_are_refused_without_showing_them(text: str) -> None:
    with pytest.raises(SealingKeysInvalid) as caught:
        Sealer(parse_keys(text))
    assert "c2hvcnQ" not in str(caught.value)


def test_a_key_id_twice_is_refused() -> None:
    line = "k1:" + base64.b64encode(KEYS["new"]).decode()
    with pytest.raises(SealingKeysInvalid, match="twice"):
        parse_keys(f"{line},{line}")


def test_key_material_is_not_in_the_repr() -> None:
    shown = repr(Sealer(KEYS))
    assert shown == "Sealer(current_key_id='new')"


def test_a_token_reads_until_it_expires_and_for_its_purpose_only() -> None:
    sealer = Sealer(KEYS)
    token = sealer.sign_token("watch", {"order_id": 7}, NOW + timedelta(seconds=60))
    assert token.isascii()
    assert not set(token) & set("/+=&?# ")
    assert sealer.read_token("watch", token, NOW) == {"order_id": 7}
    with pytest.raises(TokenRefused) as other:
        sealer.read_token("pay", token, NOW)
    assert not other.value.expired
    with pytest.raises(TokenRefused) as late:
        sealer.read_token("watch", token, NOW + timedelta(seconds=60))
    assert late.value.expired


def test_a_token_survives_a_new_key_in_front() -> None:
    until = NOW + timedelta(hours=1)
    token = Sealer({"old": KEYS["old"]}).sign_token("watch", {"order_id": 7}, until)
    assert Sealer(KEYS).read_token("watch", token, NOW) == {"order_id": 7}
    with pytest.raises(TokenRefused):
        Sealer({"new": KEYS["new"]}).read_token("watch", token, NOW)


@given(st.text(max_size=80))
def test_a_made_up_token_is_refused(token: str) -> None:
    with pytest.raises(TokenRefused):
        Sealer(KEYS).read_token("watch", token, NOW)


def test_every_changed_character_of_a_token_is_refused() -> None:
    sealer = Sealer(KEYS)
    token = sealer.sign_token("watch", {"order_id": 7}, NOW + timedelta(hours=1))
    # The last character of base64 carries bits that mean nothing, so it is left out.
    for position in range(len(token) - 1):
        letter = "A" if token[position] != "A" else "B"
        with pytest.raises(TokenRefused):
            sealer.read_token("watch", token[:position] + letter + token[position + 1 :], NOW)


def test_ids_sort_by_time_and_do_not_repeat() -> None:
    ids = [new_id("evt", NOW + timedelta(milliseconds=n)) for n in range(200)]
    assert ids == sorted(ids)
    assert len({new_id("evt", NOW) for _ in range(2000)}) == 2000
    assert all(len(one) == len("evt_") + 26 and one.islower() for one in ids)
    assert len(random_token()) == 43
