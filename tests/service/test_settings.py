"""Settings: everything wrong is said at once, with what to do, and no value is repeated."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from daozhang.service.settings import (
    PREFIX,
    AllowedEnvironment,
    Settings,
    SettingsInvalid,
    load_settings,
)

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "settings.md"


def test_defaults_are_fit_for_a_first_start() -> None:
    settings = load_settings({})
    assert settings.port == 8800
    assert settings.public_url == "http://127.0.0.1:8800"
    assert settings.database_url == "sqlite:///.daozhang/daozhang.sqlite3"
    assert settings.environments == (AllowedEnvironment.EMULATOR, AllowedEnvironment.SANDBOX)
    assert settings.notify_body_bytes_max == 65536


def test_variables_are_read_and_lists_are_parted_by_commas() -> None:
    settings = load_settings(
        {
            "DAOZHANG_DATA_DIR": "/srv/pay",
            "DAOZHANG_PUBLIC_URL": "https://pay.example.com/",
            "DAOZHANG_ENVIRONMENTS": "production, sandbox",
            "DAOZHANG_CORS_ORIGINS": "https://shop.example.com,http://localhost:3000",
            "PATH": "/usr/bin",
        }
    )
    assert settings.database_url == "sqlite:////srv/pay/daozhang.sqlite3"
    assert settings.public_url == "https://pay.example.com"
    assert settings.environments == ("production", "sandbox")
    assert settings.cors_origins == ("https://shop.example.com", "http://localhost:3000")


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        load_settings({}).port = 1


def test_everything_wrong_is_said_at_once_without_repeating_values() -> None:
    with pytest.raises(SettingsInvalid) as caught:
        load_settings(
            {
                "DAOZHANG_PROT": "8800",
                "DAOZHANG_PORT": "eighty",
                "DAOZHANG_CLOCK": "sundial",
                "DAOZHANG_DATABASE_URL": "mysql://root:hunter2@db/pay",
                "DAOZHANG_ENVIRONMENTS": "",
                "DAOZHANG_CONTROL_TOKEN": "short",
            }
        )
    text = str(caught.value)
    assert len(caught.value.problems) == 6
    assert "DAOZHANG_PROT is not a setting; did you mean DAOZHANG_PORT?" in text
    for name in ("PORT", "CLOCK", "DATABASE_URL", "ENVIRONMENTS", "CONTROL_TOKEN"):
        assert f"DAOZHANG_{name}: " in text
    for value in ("eighty", "sundial", "hunter2", "short"):
        assert value not in text


def test_a_wrong_data_dir_is_one_problem_and_not_two() -> None:
    with pytest.raises(SettingsInvalid) as caught:
        load_settings({}, data_dir=7)
    assert len(caught.value.problems) == 1


def test_a_manual_clock_is_refused_where_money_is_real() -> None:
    with pytest.raises(SettingsInvalid, match="DAOZHANG_CLOCK=manual"):
        load_settings({"DAOZHANG_CLOCK": "manual", "DAOZHANG_ENVIRONMENTS": "production"})
    assert load_settings({"DAOZHANG_CLOCK": "manual"}).clock == "manual"


@pytest.mark.parametrize("url", ["pay.example.com", "ftp://x", "https://", "https://x/?a=b"])
def test_an_address_that_cannot_be_given_out_is_refused(url: str) -> None:
    with pytest.raises(SettingsInvalid, match="DAOZHANG_PUBLIC_URL"):
        load_settings({"DAOZHANG_PUBLIC_URL": url})


def test_secrets_are_not_in_the_repr() -> None:
    settings = load_settings(
        {
            "DAOZHANG_CONTROL_TOKEN": "a-token-of-the-operator",
            "DAOZHANG_SEALING_KEYS": "k1:c2VjcmV0",
            "DAOZHANG_DATABASE_URL": "postgresql://pay:hunter2@db/pay",
        }
    )
    for secret in ("a-token-of-the-operator", "c2VjcmV0", "hunter2"):
        assert secret not in repr(settings)


def test_each_setting_has_its_paragraph_and_no_other_has() -> None:
    told = re.findall(rf"^### `({PREFIX}[A-Z_]+)`$", REFERENCE.read_text(encoding="utf-8"), re.M)
    assert told == [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
