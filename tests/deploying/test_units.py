"""What the deployment guide has people install: units, settings, the command for administrators."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from daozhang.service.seal import open_sealer
from daozhang.service.settings import load_settings

ROOT = Path(__file__).resolve().parents[2]
UNITS = sorted((ROOT / "deploy/systemd").glob("*.service"))
SETTINGS = sorted((ROOT / "deploy/settings").glob("*.env"))
EXPOSURE_MAX = 2.0

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None,
    reason="systemd-analyze is not here; on Debian and Ubuntu: apt install systemd",
)


def variables(text: str) -> dict[str, str]:
    """The lines of a file of settings, as systemd and a shell read them."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    found = [re.fullmatch(r'([A-Z_]+)="([^"$`\\]*)"', line) for line in lines]
    assert all(found), lines
    return {match[1]: match[2] for match in found if match is not None}


@needs_systemd
@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_systemd_finds_nothing_wrong_with_a_unit(unit: Path, tmp_path: Path) -> None:
    # The program need not be installed on the machine of a test.
    installed = tmp_path / unit.name
    text = unit.read_text("utf-8")
    assert "ExecStart=/opt/daozhang/bin/daozhang " in text
    installed.write_text(text.replace("/opt/daozhang/bin/daozhang", "/bin/true"), "utf-8")
    told = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(installed)],
        capture_output=True,
        text=True,
        check=False,
    )
    about_it = [line for line in told.stderr.splitlines() if unit.name in line]
    assert (told.returncode, about_it) == (0, []), told.stderr


@needs_systemd
@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_unit_leaves_little_open(unit: Path) -> None:
    told = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    if "unrecognized option" in told.stderr:
        pytest.skip("this systemd-analyze cannot look at a file: systemd 250 or newer can")
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", told.stdout)
    assert found is not None, told.stderr
    assert float(found[1]) <= EXPOSURE_MAX, told.stdout


@pytest.mark.parametrize("file", SETTINGS, ids=lambda path: path.name)
def test_the_settings_that_the_guide_gives_are_settings(file: Path) -> None:
    text = file.read_text("utf-8")
    assert load_settings(variables(text)).public_url == "https://pay.example.com"
    # What is only proposed has to exist as well.
    named = set(re.findall(r"^#?(DAOZHANG_[A-Z_]+)=", text, re.MULTILINE))
    known = {f"DAOZHANG_{name.upper()}" for name in type(load_settings({})).model_fields}
    assert sorted(named - known) == []


def test_a_credential_of_systemd_is_read_and_a_file_that_the_group_reads_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = tmp_path / "sealing.keys"
    made = open_sealer(None, keys).seal(b"secret", "here")
    keys.chmod(0o440)  # how an access list for one user shows
    with pytest.raises(Exception, match="chmod 600"):
        open_sealer(None, keys)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    settings = load_settings({"DAOZHANG_SEALING_KEYS_FILE": str(keys)})
    assert open_sealer(None, settings.sealing_keys_file).open(made, "here") == b"secret"
    keys.chmod(0o444)
    with pytest.raises(Exception, match="chmod 600"):
        open_sealer(None, keys)


def administer(etc: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs ``daozhang-admin`` with what is in ``etc``, and a shell in the program's place."""
    chosen = {"DAOZHANG_ETC": str(etc), "DAOZHANG_USER": "nobody", "DAOZHANG_PROGRAM": "/bin/sh"}
    return subprocess.run(
        ["/bin/sh", str(ROOT / "deploy/daozhang-admin"), *arguments],
        env={"PATH": os.environ["PATH"], **chosen},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.skipif(os.getuid() != 0, reason="daozhang-admin changes the user: only root can")
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv is not here (util-linux)")
def test_an_administrators_command_has_the_services_settings_keys_and_user(tmp_path: Path) -> None:
    missing = administer(tmp_path, "-c", "true")
    assert missing.returncode == 2
    assert "daozhang.env" in missing.stderr
    data = tmp_path / "data"
    data.mkdir()
    url = "postgresql://u:p@h/n?sslmode=verify-full&x=1"
    lines = [f'DAOZHANG_DATA_DIR="{data}"', f'DAOZHANG_DATABASE_URL="{url}"']
    (tmp_path / "daozhang.env").write_text("\n".join(lines), "utf-8")
    (tmp_path / "sealing.keys").write_text("k2:Yg==\nk1:YQ==\n", "utf-8")
    told = administer(tmp_path, "-c", 'id -u; pwd; env; printf %s "$1"', "sh", "two words")
    assert told.returncode == 0, told.stderr
    lines = told.stdout.splitlines()
    assert lines[0] == str(pwd.getpwnam("nobody").pw_uid)
    assert lines[1] == str(data)
    assert lines[-1] == "two words"
    own = {line for line in lines if line.startswith("DAOZHANG_")}
    assert own == {
        f"DAOZHANG_DATA_DIR={data}",
        f"DAOZHANG_DATABASE_URL={url}",
        "DAOZHANG_SEALING_KEYS=k2:Yg==,k1:YQ==",
    }


def test_the_containers_of_the_guide_know_the_settings() -> None:
    document = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text("utf-8"))
    for name, service in document["services"].items():
        given = service.get("environment", {})
        own = {key: str(value) for key, value in given.items() if key.startswith("DAOZHANG_")}
        if own:
            assert load_settings(own).port == 8800, name


def test_the_container_is_no_root_is_pinned_by_hash_and_says_whether_it_is_alive() -> None:
    text = (ROOT / "deploy/Containerfile").read_text("utf-8").replace("\\\n", " ")
    steps = [line for line in text.splitlines() if line and not line.startswith("#")]
    last_stage = steps[max(i for i, line in enumerate(steps) if line.startswith("FROM ")) :]
    users = [line for line in last_stage if line.startswith("USER ")]
    assert users == ["USER 10001"]
    assert all("--require-hashes" in line for line in steps if "--requirement" in line)
    assert "/healthz" in next(line for line in last_stage if line.startswith("HEALTHCHECK "))
    variables = dict(re.findall(r"(DAOZHANG_[A-Z_]+)=(\S+)", text))
    assert load_settings(variables).host == "0.0.0.0"
