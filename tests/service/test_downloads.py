"""Files of Alipay's: fetched from its own hosts only, whole or not at all."""

from __future__ import annotations

import threading
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from daozhang.service.db import Database
from daozhang.service.downloads import (
    BILL_HOSTS,
    RECEIPT_HOSTS,
    DownloadFailed,
    HostRefused,
    address_of,
    download,
)
from databases import database_url

FILE = b"%PDF-1.4 " + bytes(range(256)) * 40


@pytest.mark.parametrize(
    ("url", "environment", "expected"),
    [
        ("http://dwbillcenter.alipay.com/d?k=1", "production", "https://dwbillcenter.alipay.com/d?k=1"),
        ("https://dwbillcenter.alipay.com/d", "production", "https://dwbillcenter.alipay.com/d"),
        ("https://dwbillcenter.alipaydev.com/d", "sandbox", "https://dwbillcenter.alipaydev.com/d"),
        ("https://dwbillcenter.alipaydev.com/d", "production", None),
        ("https://other.alipay.com/d", "production", None),
        ("https://dwbillcenter.alipay.com.evil.com/d", "production", None),
        ("https://dwbillcenter.alipay.com:8443/d", "production", None),
        ("https://a:b@dwbillcenter.alipay.com/d", "production", None),
        ("ftp://dwbillcenter.alipay.com/d", "production", None),
        ("https://dwbillcenter.alipay.com:x/d", "production", None),
        ("", "production", None),
        ("https://[dwbillcenter.alipay.com/d", "production", None),
        ("http://127.0.0.1:9/bill", "emulator", "http://127.0.0.1:9/bill"),
        ("http://127.0.0.1:8/bill", "emulator", None),
        ("http://127.0.0.1:9/bill", "production", None),
    ],
)  # fmt: skip
def test_a_bill_comes_from_alipay(url: str, environment: str, expected: str | None) -> None:
    assert address_of(url, environment, BILL_HOSTS, "http://127.0.0.1:9/gateway.do") == expected


@pytest.mark.parametrize(
    ("url", "environment", "is_allowed"),
    [
        ("https://ereceipt.alipay.com/x.pdf", "production", True),
        ("https://EReceipt.Alipay.com/x.pdf", "production", True),
        ("https://alipay.com/x.pdf", "production", False),
        ("https://notalipay.com/x.pdf", "production", False),
        ("https://files.alipaydev.com/x.pdf", "sandbox", True),
        ("https://files.alipaydev.com/x.pdf", "production", False),
        ("http://127.0.0.1:9/x.pdf", "emulator", False),
    ],
)
def test_a_receipt_comes_from_alipay(url: str, environment: str, is_allowed: bool) -> None:
    assert (address_of(url, environment, RECEIPT_HOSTS, None) is not None) == is_allowed


class _Files(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        what = self.path.strip("/")
        self.send_response({"moved": 302, "gone": 404}.get(what, 200))
        self.send_header("Content-Type", "text/html" if what == "page" else "application/pdf")
        self.send_header("Content-Length", str(len(FILE) + (what == "cut")))
        if what == "moved":
            self.send_header("Location", "/whole")
        self.end_headers()
        self.wfile.write(FILE)

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Says nothing."""


@pytest.fixture
def host() -> Generator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Files)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def fetch(host: str, what: str, path: Path, bytes_max: int = len(FILE)) -> None:
    download(
        f"{host}/{what}",
        path,
        environment="emulator",
        hosts=RECEIPT_HOSTS,
        gateway_url=f"{host}/gateway.do",
        bytes_max=bytes_max,
        seconds_max=10,
    )


def test_a_whole_file_is_kept(host: str, tmp_path: Path) -> None:
    fetch(host, "whole", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == FILE


@pytest.mark.parametrize("what", ["moved", "gone", "page", "cut"])
def test_anything_else_is_no_file(host: str, tmp_path: Path, what: str) -> None:
    with pytest.raises(DownloadFailed):
        fetch(host, what, tmp_path / "file")


def test_no_more_than_the_limit_is_read(host: str, tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match="larger than"):
        fetch(host, "whole", tmp_path / "file", bytes_max=len(FILE) - 1)


def test_nobody_else_is_asked_and_nobody_within_a_transaction(host: str, tmp_path: Path) -> None:
    with pytest.raises(HostRefused):
        download(
            f"{host}/whole",
            tmp_path / "file",
            environment="production",
            hosts=RECEIPT_HOSTS,
            gateway_url=None,
            bytes_max=9,
            seconds_max=10,
        )
    database = Database(database_url(tmp_path / "service"))
    with database.read(), pytest.raises(RuntimeError, match="inside a transaction"):
        fetch(host, "whole", tmp_path / "file")
    database.dispose()
    assert not (tmp_path / "file").exists()


def test_what_is_no_address_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HostRefused):
        download(
            "https://[dwbillcenter.alipay.com/d",
            tmp_path / "file",
            environment="production",
            hosts=BILL_HOSTS,
            gateway_url=None,
            bytes_max=1,
            seconds_max=1,
        )
