"""Debian's Chromium for the tests of the console: the machine's, or what ``make test`` unpacked."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from debian import UNPACKED

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

FONTS = f"""<?xml version="1.0"?>
<fontconfig><dir>/usr/share/fonts</dir><dir>{UNPACKED}/usr/share/fonts</dir>
<cachedir>{Path(sys.prefix) / "debian" / "fontcache"}</cachedir></fontconfig>
"""


def find_chromium() -> dict[str, Any] | str:
    """How to launch it, or a sentence that says that it is not here."""
    if (installed := shutil.which("chromium")) is not None:
        return {"executable_path": installed}
    unpacked = UNPACKED / "usr/lib/chromium/chromium"
    if not unpacked.is_file():
        return "chromium is not here; on Debian and Ubuntu: apt install chromium fonts-noto-cjk"
    fonts = UNPACKED.parent / "fonts.conf"
    fonts.write_text(FONTS)
    libraries = [*UNPACKED.glob("usr/lib/*-linux-gnu"), *UNPACKED.glob("usr/lib/*-linux-gnu/*/")]
    return {
        "executable_path": str(unpacked),
        "env": {
            "LD_LIBRARY_PATH": ":".join(str(each) for each in libraries),
            "FONTCONFIG_FILE": str(fonts),
        },
    }


@contextmanager
def chromium(found: dict[str, Any]) -> Generator[Browser]:
    """The browser, as long as the block runs."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(args=FLAGS, **found)
        try:
            yield browser
        finally:
            browser.close()
