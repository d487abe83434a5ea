"""The wheel, installed alone in an empty environment, is a library and nothing more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
BASE: Final = {"cryptography", "cffi", "httpx2", "httpcore2", "msgspec"}
NOT_TO_SIGN_AND_VERIFY: Final = {
    "aiohttp", "alembic", "dbos", "django", "fastapi", "flask", "granian", "httpcore2", "httpx",
    "httpx2", "jinja2", "pydantic", "requests", "rich", "sqlalchemy", "starlette", "structlog",
    "typer", "urllib3", "uvicorn",
}  # fmt: skip
INSTALLED_MIB_MAX: Final = 25


def run(*command: str | Path, cwd: Path | None = None) -> str:
    surroundings = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=surroundings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as it would be published, built with what the lock holds and no network."""
    built = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", built, ROOT)
    [made] = built.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def alone(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that holds the base install and nothing else."""
    home = tmp_path_factory.mktemp("alone") / "environment"
    uv = Path(sys.executable).parent / "uv"
    run(uv, "venv", "--quiet", "--python", sys.executable, home)
    python = home / "bin" / "python"
    install = [uv, "pip", "install", "--quiet", "--python", python, wheel]
    install += ["--constraint", ROOT / "requirements" / "dev.txt"]
    # The set-up left these in uv's cache; only where that is gone is the network asked.
    offline = subprocess.run([*install, "--offline"], capture_output=True, check=False)
    if offline.returncode != 0:
        run(*install)
    return python


def test_the_wheel_holds_the_package_and_its_licence(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"daozhang", next(top for top in tops if top.endswith(".dist-info"))}
    assert "daozhang/py.typed" in names
    assert any(name.endswith("/licenses/LICENSE") for name in names)
    vendor = "daozhang/console/static/vendor"
    assert {
        f"{vendor}/{each}" for each in ("tabler.css", "htmx.js", "echarts.js", "icons.svg")
    } <= {*names}
    assert "daozhang/console/words/zh/orders.json" in names
    assert not [name for name in names if name.endswith((".pyc", ".sqlite3", ".pem", ".key"))]


def test_what_browsers_get_is_pinned_by_its_content() -> None:
    """The lock names versions and integrity, and no address that anybody would have to trust."""
    text = (ROOT / "requirements/console-assets.json").read_text("utf-8")
    packages = json.loads(text)["packages"]
    assert "://" not in text
    assert len(packages) >= 4
    assert all(each["integrity"].startswith("sha512-") and each["version"] for each in packages)


def test_the_base_install_is_small(alone: Path) -> None:
    packages = next((alone.parent.parent / "lib").glob("python3*/site-packages"))
    brought = {path.name for path in packages.iterdir() if path.is_dir()}
    assert BASE - {"cffi"} <= brought
    assert not brought & (NOT_TO_SIGN_AND_VERIFY - BASE)
    size = sum(path.stat().st_size for path in packages.rglob("*") if path.is_file())
    print(f"the base install takes {size / 2**20:.1f} MiB")
    assert size < INSTALLED_MIB_MAX * 2**20


def test_it_signs_verifies_and_parses_without_framework_or_client(
    alone: Path, tmp_path: Path
) -> None:
    script = Path(__file__).with_name("base_alone.py")
    imported = set(json.loads(run(alone, "-P", script, cwd=tmp_path)))
    assert {"daozhang", "cryptography"} <= imported
    assert imported & NOT_TO_SIGN_AND_VERIFY == set()


def test_its_command_says_what_to_install(alone: Path, tmp_path: Path) -> None:
    command = alone.parent / "daozhang"
    assert run(command, "--version", cwd=tmp_path).startswith("daozhang ")
    asked = subprocess.run([command, "serve"], capture_output=True, text=True, check=False)
    assert asked.returncode == 1
    assert asked.stderr.endswith("pip install 'daozhang[service]'\n")
    assert asked.stderr.count("\n") == 1
