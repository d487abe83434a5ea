"""Apps and merchants: what is refused, what is sealed, and who calls Alipay for whom."""

from __future__ import annotations

import io
import time
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

import deployment
from daozhang.alipay.certificates import cert_sn
from daozhang.alipay.errors import Untrusted, UntrustedReason
from daozhang.alipay.keys import PublicKey
from daozhang.service.auth.refusals import EnvironmentNotAllowed
from daozhang.service.inbox.actions import keep_refused
from daozhang.service.inbox.store import refused_notifications
from daozhang.service.logs import configure_logs
from daozhang.service.merchants.actions import check_keys, get_app
from daozhang.service.merchants.clients import Clients
from daozhang.service.merchants.model import CheckResult
from daozhang.service.merchants.refusals import (
    AppExists,
    AppInvalid,
    AppNotFound,
    MerchantInvalid,
    MerchantNotFound,
    SlugTaken,
)
from daozhang.service.refusals import Refusal
from daozhang.service.resealing import SEALED, reseal_all
from daozhang.service.schema import metadata
from daozhang.service.seal import SealBroken, add_key, open_sealer
from daozhang.service.web.context import Context
from databases import run

ENCRYPT_KEY = "QUJDREVGR0hJSktMTU5PUA=="
AUTH_TOKEN = "202601BB-token-of-the-merchant"


@pytest.fixture
def context(tmp_path: Path) -> Generator[Context]:
    context = deployment.new_context(tmp_path)
    yield context
    context.database.dispose()


def secret_lines() -> list[bytes]:
    """What of the app's private key would give it away, line by line."""
    lines = deployment.APP_KEYS.private.splitlines()[1:-1]
    return [line.encode() for line in lines if len(line) == 64]


def test_secrets_are_sealed_and_nowhere_in_the_clear(context: Context, tmp_path: Path) -> None:
    stream = io.StringIO()
    configure_logs("json", "debug", stream)
    app = deployment.add_one_app(context, encrypt_key=ENCRYPT_KEY)
    merchant = deployment.add_one_merchant(
        context, auth_app_id="2021000000000009", app_auth_token=AUTH_TOKEN
    )
    with pytest.raises(Refusal) as refused:
        deployment.add_one_app(context)
    written = deployment.everything_written(tmp_path)
    told = (stream.getvalue() + repr(app) + repr(merchant) + repr(refused.value)).encode()
    told += repr(deployment.new_app(encrypt_key=ENCRYPT_KEY)).encode()
    assert b"2021000000000001" in written
    for secret in [*secret_lines(), ENCRYPT_KEY.encode(), AUTH_TOKEN.encode()]:
        assert secret not in written
        assert secret not in told


def certificate(
    name: str, key: rsa.RSAPrivateKey, issuer: str, issuer_key: rsa.RSAPrivateKey
) -> str:
    """A certificate of ``name`` that ``issuer`` signed, as PEM."""
    now = datetime.now(UTC)
    named = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, one)]) for one in (name, issuer)]
    made = (
        x509.CertificateBuilder()
        .subject_name(named[0])
        .issuer_name(named[1])
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=name == issuer, path_length=None), critical=True)
        .sign(issuer_key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()


def test_an_app_in_certificate_mode_verifies_with_alipays_certificate(context: Context) -> None:
    root, alipay = (
        rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2)
    )
    own = serialization.load_pem_private_key(deployment.APP_KEYS.private.encode(), None)
    assert isinstance(own, rsa.RSAPrivateKey)
    files: dict[str, Any] = {
        "alipay_public_key": None,
        "app_cert": certificate("app", own, "root", root),
        "alipay_cert": certificate("alipay", alipay, "root", root),
        "alipay_root_cert": certificate("root", root, "root", root),
    }
    assert deployment.add_one_app(context, **files).mode == "certificate"
    merchant = deployment.add_one_merchant(context)
    clients = Clients(context)
    of_alipay = alipay.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert clients.verifying_keys_for(merchant).keys == (PublicKey.load(of_alipay),)
    client = clients.client_for(merchant.id)
    assert client.credentials.certificates is not None
    # Alipay's certificate has changed, and an answer has made the client download the new one.
    later = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    downloaded = certificate("alipay", later, "root", root)
    key = client.credentials.certificates.accept_downloaded(cert_sn(downloaded), downloaded)
    assert clients.verifying_keys_for(merchant).keys == (PublicKey.load(of_alipay), key)
    clients.close()
    stranger = files | {"app_cert": certificate("app", alipay, "root", root)}
    with pytest.raises(AppInvalid):
        deployment.add_one_app(context, app_id="2021000000000002", **stranger)


def test_a_sealed_key_moved_to_another_row_does_not_open(context: Context) -> None:
    deployment.add_one_app(context)
    other = deployment.add_one_app(context, app_id="2021000000000002")
    run(
        context.database,
        "UPDATE apps SET private_key_sealed ="
        " (SELECT private_key_sealed FROM apps WHERE app_id = '2021000000000001')",
    )
    with context.database.read() as tx:
        moved = get_app(tx, other.app_id)
    with pytest.raises(SealBroken):
        Clients(context).client_for_app(moved)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"app_id": "my app"}, "app id"),
        ({"alipay_public_key": None}, "either"),
        ({"app_cert": "x"}, "three files"),
        ({"alipay_public_key": deployment.APP_KEYS.public}, "own (app )?public key"),
        ({"private_key": deployment.APP_KEYS.public}, "public key"),
        ({"environment": "sandbox"}, "pinned"),
        ({"name": "x" * 65}, "64"),
    ],
)
def test_an_app_that_would_not_work_is_refused(
    context: Context, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(AppInvalid, match=says):
        deployment.add_one_app(context, **changes)


def test_an_environment_that_is_not_allowed_is_refused(context: Context) -> None:
    with pytest.raises(EnvironmentNotAllowed, match="DAOZHANG_ENVIRONMENTS"):
        deployment.add_one_app(
            context, environment="production", gateway_url=None, v3_base_url=None
        )


def test_an_app_is_added_once_in_each_environment(context: Context) -> None:
    deployment.add_one_app(context)
    with pytest.raises(AppExists):
        deployment.add_one_app(context)
    deployment.add_one_app(context, environment="sandbox", gateway_url=None, v3_base_url=None)
    with context.database.read() as tx:
        assert get_app(tx, deployment.APP_ID, "sandbox").environment == "sandbox"
        with pytest.raises(AppInvalid, match="several environments"):
            get_app(tx, deployment.APP_ID)
        with pytest.raises(AppNotFound):
            get_app(tx, "2021999999999999")


def test_a_slug_is_never_used_twice(context: Context) -> None:
    deployment.add_one_app(context)
    deployment.add_one_merchant(context)
    run(context.database, "UPDATE merchants SET retired_at = created_at")
    with pytest.raises(SlugTaken):
        deployment.add_one_merchant(context, seller_id="2088000000000002")


@pytest.mark.parametrize(
    "changes",
    [
        {"slug": "My Shop"},
        {"slug": "-shop"},
        {"slug": ""},
        {"slug": "x" * 41},
        {"seller_id": "1088000000000001"},
        {"seller_id": "208800000000000"},
        {"auth_app_id": "2021000000000009"},
        {"app_auth_token": AUTH_TOKEN},
        {"name": "x" * 65},
    ],
)
def test_a_merchant_that_would_not_work_is_refused(
    context: Context, changes: dict[str, Any]
) -> None:
    deployment.add_one_app(context)
    with pytest.raises(MerchantInvalid):
        deployment.add_one_merchant(context, **changes)


def test_a_merchant_needs_an_app_that_exists(context: Context) -> None:
    with pytest.raises(AppNotFound):
        deployment.add_one_merchant(context)


def test_clients_find_merchants_and_keys_from_memory(context: Context) -> None:
    deployment.add_one_app(context)
    merchant = deployment.add_one_merchant(context)
    clients = Clients(context)
    assert clients.merchant_by_slug("my-shop") == merchant
    assert clients.merchant(merchant.id) == merchant
    assert clients.merchant_by_slug("nobody") is None
    with pytest.raises(MerchantNotFound):
        clients.merchant(999)
    keys = clients.verifying_keys_for(merchant)
    assert keys.keys == (PublicKey.load(deployment.ALIPAY_KEYS.public),)
    assert clients.verifying_keys_for(merchant).keys[0] is keys.keys[0]
    assert clients.client_for(merchant.id) is clients.client_for(merchant.id)
    clients.close()


def test_a_merchant_is_found_inside_a_transaction_but_nobody_calls_from_one(
    context: Context,
) -> None:
    deployment.add_one_app(context)
    merchant = deployment.add_one_merchant(context)
    clients = Clients(context)
    with context.database.begin():
        assert clients.merchant(merchant.id) == merchant
        with pytest.raises(RuntimeError, match="commit first"):
            clients.client_for(merchant.id)
    clients.close()


def test_a_change_is_seen_at_once_here_and_soon_elsewhere(context: Context, tmp_path: Path) -> None:
    elsewhere = deployment.new_context(tmp_path)
    here, there = Clients(context), Clients(elsewhere)
    assert here.merchant_by_slug("my-shop") is None
    assert there.merchant_by_slug("my-shop") is None
    deployment.add_one_app(context)
    merchant = deployment.add_one_merchant(context)
    assert here.merchant_by_slug("my-shop") == merchant
    deadline = time.monotonic() + 10
    while there.merchant_by_slug("my-shop") is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    elsewhere.database.dispose()


def test_a_client_of_an_environment_no_longer_allowed_is_refused(
    context: Context, tmp_path: Path
) -> None:
    deployment.add_one_app(context)
    merchant = deployment.add_one_merchant(context)
    strict = deployment.new_context(tmp_path, environments="sandbox")
    with pytest.raises(EnvironmentNotAllowed):
        Clients(strict).client_for(merchant.id)
    strict.database.dispose()


def test_a_check_that_reaches_nobody_proves_nothing(context: Context) -> None:
    deployment.add_one_app(context)
    merchant = deployment.add_one_merchant(context)
    clients = Clients(context)
    check = check_keys(clients.client_for(merchant.id), context.clock.now())
    assert check.result is CheckResult.UNKNOWN
    clients.close()


def test_resealing_lets_the_old_key_go(context: Context, tmp_path: Path) -> None:
    deployment.add_one_app(context, encrypt_key=ENCRYPT_KEY)
    merchant = deployment.add_one_merchant(
        context, auth_app_id="2021000000000009", app_auth_token=AUTH_TOKEN
    )
    keep_refused(context, merchant, b"sign=x", Untrusted(next(iter(UntrustedReason)), "test"))
    key_file = tmp_path / "sealing.keys"
    add_key(key_file)
    counts = reseal_all(context.database, open_sealer(None, key_file))
    assert counts["apps.private_key_sealed"] == 1
    assert counts["apps.encrypt_key_sealed"] == 1
    assert counts["merchants.app_auth_token_sealed"] == 1
    assert counts[f"{refused_notifications.name}.body_sealed"] == 1
    assert sum(reseal_all(context.database, open_sealer(None, key_file)).values()) == 0
    key_file.write_text(key_file.read_text().splitlines()[0])
    fresh = deployment.new_context(tmp_path)
    clients = Clients(fresh)
    assert clients.client_for(merchant.id) is not None
    clients.close()
    fresh.database.dispose()


def test_every_sealed_column_is_resealed() -> None:
    named = {
        column
        for table in metadata.tables.values()
        for column in table.columns
        if column.name.endswith("_sealed")
    }
    assert {sealed.column for sealed in SEALED} == named
