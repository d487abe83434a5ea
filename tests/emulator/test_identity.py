"""Keys, certificates, apps and addresses in their directory, and the command that shows them."""

from __future__ import annotations

import base64
import json
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_der_private_key
from typer.testing import CliRunner

from daozhang.cli.emulator import emulator_commands
from daozhang.clock import ManualClock
from daozhang.emulator.identity import Identities, IdentityProblem, root_serial_of, serial_of
from emulator.place import START, Merchant, Place
from ports import free_port

KEYS = [
    "gateway_url", "v3_base_url", "app_id", "seller_id", "app_private_key_pkcs1",
    "app_private_key_pkcs8", "alipay_public_key", "app_cert_path", "alipay_cert_path",
    "alipay_root_cert_path", "encrypt_key",
]  # fmt: skip


def run(*arguments: str) -> str:
    result = CliRunner().invoke(emulator_commands, list(arguments))
    assert result.exit_code == 0, result.output
    return result.stdout


def test_credentials_are_made_once_and_kept_private(tmp_path: Path) -> None:
    first = json.loads(run("credentials", "--data", str(tmp_path), "--json"))
    assert list(first) == KEYS
    assert json.loads(run("credentials", "--data", str(tmp_path), "--json")) == first
    other = json.loads(run("credentials", "--data", str(tmp_path), "--app", "two", "--json"))
    assert other["app_id"] != first["app_id"]
    assert other["alipay_public_key"] == first["alipay_public_key"]
    assert first["gateway_url"] == "http://127.0.0.1:8900/gateway.do"
    assert first["v3_base_url"] == "http://127.0.0.1:8900"
    for path in tmp_path.rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path


def test_both_forms_hold_the_same_key(place: Place) -> None:
    found = place.merchant.credentials
    one, eight = (
        load_der_private_key(base64.b64decode(found[name]), None)
        for name in ("app_private_key_pkcs1", "app_private_key_pkcs8")
    )
    assert one.private_numbers() == eight.private_numbers()  # pyright: ignore[reportAttributeAccessIssue]
    assert len(base64.b64decode(found["encrypt_key"])) == 16


def test_certificates_chain_up_to_the_root_file(place: Place) -> None:
    found = place.merchant.credentials
    roots = x509.load_pem_x509_certificates(Path(found["alipay_root_cert_path"]).read_bytes())
    authorities = {root.subject: root for root in roots}
    for name in ("app_cert_path", "alipay_cert_path"):
        leaf, issuing = x509.load_pem_x509_certificates(Path(found[name]).read_bytes())
        leaf.verify_directly_issued_by(issuing)
        issuing.verify_directly_issued_by(authorities[issuing.issuer])
    assert root_serial_of(roots) == serial_of(roots[1]), "the elliptic root is not named"
    assert Path(found["app_cert_path"]).name == f"appCertPublicKey_{found['app_id']}.crt"


def test_the_table_shortens_secrets(tmp_path: Path) -> None:
    full = json.loads(run("credentials", "--data", str(tmp_path), "--json"))
    shown = run("credentials", "--data", str(tmp_path))
    flat = "".join(shown.split())
    assert full["app_id"] in flat
    for name in ("app_private_key_pkcs1", "app_private_key_pkcs8", "encrypt_key"):
        assert full[name][:20] not in flat


@pytest.mark.parametrize("name", ["", "../x", "A", "a" * 41, "a b"])
def test_a_name_that_cannot_be_a_directory_is_refused(tmp_path: Path, name: str) -> None:
    result = CliRunner().invoke(
        emulator_commands, ["credentials", "--data", str(tmp_path), "--app", name]
    )
    assert result.exit_code == 1
    assert "cannot name an app" in result.stderr


def test_a_damaged_directory_is_named_with_what_to_do(tmp_path: Path) -> None:
    Identities(tmp_path, ManualClock(START)).app()
    (tmp_path / "alipay" / "alipay_private_key.pem").write_text("nothing")
    with pytest.raises(IdentityProblem, match="Choose another directory"):
        Identities(tmp_path, ManualClock(START))


def test_many_at_once_make_one_set_of_keys(tmp_path: Path) -> None:
    found: list[dict[str, str]] = []

    def make() -> None:
        found.append(Identities(tmp_path, ManualClock(START)).credentials("same"))

    threads = [threading.Thread(target=make) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert all(credentials == found[0] for credentials in found)
    assert not list(tmp_path.glob("**/.new-*"))


def test_an_app_made_beside_a_running_server_is_found(place: Place, data_dir: Path) -> None:
    made = json.loads(run("credentials", "--data", str(data_dir), "--app", "late", "--json"))
    merchant = Merchant(made, place.http, place.clock)
    assert (
        merchant.call("alipay.trade.query", {"out_trade_no": "1"})["sub_code"]
        == "ACQ.TRADE_NOT_EXIST"
    )
    assert made["gateway_url"] == place.merchant.credentials["gateway_url"]


def test_serve_runs_until_it_is_told_to_stop(tmp_path: Path) -> None:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", "from daozhang.cli.emulator import emulator_commands; emulator_commands()",
         "serve", "--port", str(port), "--data", str(tmp_path), "--clock", "manual"],
        stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        credentials = json.loads(wait_for_credentials(tmp_path, port))
        assert credentials["v3_base_url"] == f"http://127.0.0.1:{port}"
        moved = httpx2.post(
            f"http://127.0.0.1:{port}/_control/clock",
            json={"advance_seconds": 3600},
            trust_env=False,
            verify=False,
        )
        assert moved.status_code == 200
    finally:
        process.terminate()
        _, told = process.communicate(timeout=20)
    assert f"http://127.0.0.1:{port}/gateway.do".encode() in told
    assert b"Traceback" not in told


def wait_for_credentials(data: Path, port: int) -> str:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            httpx2.get(f"http://127.0.0.1:{port}/", trust_env=False, verify=False)
        except httpx2.ConnectError:
            time.sleep(0.05)
        else:
            return run("credentials", "--data", str(data), "--json")
    raise AssertionError("serve did not start")
