"""Programs of Debian's that some tests run: the machine's, or what ``make test`` has unpacked."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

UNPACKED = Path(sys.prefix) / "debian/root"
FOLDERS = ("usr/sbin", "usr/bin")


@dataclass(frozen=True)
class Program:
    """A program, and what its environment needs so that it finds its libraries."""

    path: str
    environment: dict[str, str]


def find_program(name: str, package: str) -> Program | str:
    """The program called ``name``, or a sentence that says that it is not here."""
    own = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin"))
    if (found := shutil.which(name, path=own)) is not None:
        return Program(found, {})
    for folder in FOLDERS:
        # Debian's php is called php8.2; what makes it php is done when it is installed.
        for path in sorted((UNPACKED / folder).glob(f"{name}*")):
            if path.name.removeprefix(name).replace(".", "").isdigit() or path.name == name:
                libraries = ":".join(
                    str(each) for each in (UNPACKED / "usr/lib").glob("*-linux-gnu")
                )
                return Program(str(path), {"LD_LIBRARY_PATH": libraries})
    return f"{name} is not here; on Debian and Ubuntu: apt install {package}"
