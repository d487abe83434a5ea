"""Certificate mode: serial numbers, chains, dates, and the real files as they are published."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from alipay.fakes import (
    ALIPAY_KEY,
    APP_KEY,
    OTHER_KEY,
    ROOT_KEY,
    Authority,
    credentials,
    private_key,
    public_key,
)
from alipay.notices import notice
from daozhang.alipay.certificates import CertificateSet, cert_sn, root_sn
from daozhang.alipay.errors import CertificateProblem
from daozhang.alipay.notify import Paid, verify
from daozhang.clock import ManualClock

NOW = datetime(2026, 11, 23, tzinfo=UTC)
CA_KEY = rsa.generate_private_key(65537, 2048)
FILE = json.loads((Path(__file__).parent / "data/vectors.json").read_text("utf-8"))
PEMS = {each["id"]: each["pem"] for each in FILE["vectors"] if each["kind"] == "cert_sn"}


def named(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def issued(
    subject: str,
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: rsa.RSAPrivateKey,
    *,
    is_authority: bool | None = False,
    days: tuple[int, int] = (-1, 365),
) -> bytes:
    """A certificate as PEM. ``is_authority=None`` leaves the extension out, as Alipay does."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(subject))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + timedelta(days=days[0]))
        .not_valid_after(NOW + timedelta(days=days[1]))
    )
    if is_authority is not None:
        constraints = x509.BasicConstraints(ca=is_authority, path_length=None)
        builder = builder.add_extension(constraints, critical=True)
    made = builder.sign(issuer_key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM)


ROOT = issued("root", ROOT_KEY, "root", ROOT_KEY, is_authority=True)
BETWEEN = issued("between", CA_KEY, "root", ROOT_KEY, is_authority=True)
APP = issued("app", APP_KEY, "between", CA_KEY, is_authority=None)
ALIPAY = issued("alipay", ALIPAY_KEY, "between", CA_KEY, is_authority=None)
NEXT = issued("alipay", OTHER_KEY, "between", CA_KEY, is_authority=None)


def loaded(now: datetime = NOW, **files: Any) -> CertificateSet:
    given: dict[str, Any] = {"app": APP, "alipay": ALIPAY + BETWEEN, "root": ROOT}
    return CertificateSet.load(**(given | files), clock=ManualClock(now))


def test_the_set_knows_its_serial_numbers_keys_and_dates() -> None:
    certificates = loaded()
    assert certificates.app_cert_sn == cert_sn(APP)
    assert certificates.alipay_cert_sn == cert_sn(ALIPAY)
    assert certificates.alipay_root_cert_sn == root_sn(ROOT)
    assert certificates.alipay_public_key == public_key(ALIPAY_KEY)
    assert certificates.key_for(cert_sn(ALIPAY)) == public_key(ALIPAY_KEY)
    assert certificates.key_for("0" * 32) is None
    assert set(certificates.not_after.values()) == {NOW + timedelta(days=365)}


def test_der_and_crlf_and_text_are_the_same_certificate() -> None:
    parsed = x509.load_pem_x509_certificate(APP)
    der = parsed.public_bytes(serialization.Encoding.DER)
    crlf = APP.decode().replace("\n", "\r\n")
    noted = "subject=app\n" + APP.decode() + "\nissuer=between\n"
    assert {cert_sn(APP), cert_sn(der), cert_sn(crlf), cert_sn(noted)} == {cert_sn(APP)}


@pytest.mark.parametrize(
    ("who", "when"),
    [("node", 2021), ("yansongda", 2024), ("gopay", 2024)],
)
def test_real_published_files_load(who: str, when: int) -> None:
    """Production files hold the leaf alone; the sandbox's authority says nothing of being one."""
    certificates = CertificateSet.load(
        app=PEMS[f"sn.{who}.app"],
        alipay=PEMS[f"sn.{who}.alipay"],
        root=PEMS[f"sn.{who}.root"],
        clock=ManualClock(datetime(when, 1, 1, tzinfo=UTC)),
    )
    assert certificates.alipay_root_cert_sn == (
        "687b59193f3f462dd5336e5abf83c5d8_02941eef3187dddf3d3b83462e1dfcf6"
    )


def test_a_real_chain_leads_to_the_real_root() -> None:
    clock = ManualClock(datetime(2021, 1, 1, tzinfo=UTC))
    certificates = CertificateSet.load(
        app=PEMS["sn.node.app"],
        alipay=PEMS["sn.node.alipay"],
        root=PEMS["sn.easysdk.root"],
        clock=clock,
    )
    clock.set(datetime(2022, 1, 1, tzinfo=UTC))
    chain = PEMS["sn.easysdk.alipay"]
    key = certificates.accept_downloaded(cert_sn(chain), chain)
    assert certificates.key_for(cert_sn(chain)) == key


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"app": b"nothing"}, "no certificate"),
        ({"root": b""}, "no X.509 certificate"),
        ({"app": APP[:200]}, "no certificate"),
        ({"app": APP.replace(b"A", b"", 3)}, "certificate"),
        ({"alipay": APP + BETWEEN}, "same key"),
        ({"alipay": ROOT}, "mixed up"),
        ({"alipay": issued("alipay", ALIPAY_KEY, "root", OTHER_KEY)}, "not signed by it"),
        ({"alipay": issued("a", ALIPAY_KEY, "between", CA_KEY, days=(-9, -1))}, "valid from"),
        ({"app": issued("app", APP_KEY, "between", CA_KEY, days=(1, 9))}, "valid from"),
        (
            {"alipay": issued("a", ec.generate_private_key(ec.SECP256R1()), "between", CA_KEY)},
            "RSA",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_named(files: dict[str, Any], says: str) -> None:
    with pytest.raises(CertificateProblem, match=says):
        loaded(**files)


def test_dates_go_by_the_clock_that_is_given() -> None:
    with pytest.raises(CertificateProblem, match="valid from"):
        loaded(NOW + timedelta(days=366))
    with pytest.raises(CertificateProblem, match="valid from"):
        loaded(NOW - timedelta(days=2))


def test_a_private_key_of_another_app_is_refused() -> None:
    with pytest.raises(CertificateProblem, match="does not belong"):
        credentials(
            alipay_public_key=None, certificates=loaded(), private_key=private_key(OTHER_KEY)
        )


def test_a_downloaded_certificate_is_taken_over_what_is_known_in_between() -> None:
    certificates = loaded()
    assert certificates.accept_downloaded(cert_sn(NEXT), NEXT) == public_key(OTHER_KEY)
    assert certificates.key_for(cert_sn(NEXT)) == public_key(OTHER_KEY)
    assert certificates.accept_downloaded(cert_sn(NEXT), NEXT) == public_key(OTHER_KEY)


def test_notifications_are_believed_by_the_old_and_the_new_key() -> None:
    certificates = loaded()
    both = credentials(alipay_public_key=None, certificates=certificates)
    certificates.accept_downloaded(cert_sn(NEXT), NEXT)
    for key in (ALIPAY_KEY, OTHER_KEY):
        assert isinstance(verify(notice(key=key), both.verifying_keys), Paid)


STRANGER = issued("between", OTHER_KEY, "between", OTHER_KEY, is_authority=True)
MERCHANTS_OWN = issued("merchant", ROOT_KEY, "between", CA_KEY, is_authority=None)
BY_A_MERCHANT = issued("alipay", OTHER_KEY, "merchant", ROOT_KEY)


@pytest.mark.parametrize(
    ("pem", "says"),
    [
        (b"nothing", "no certificate"),
        (issued("alipay", OTHER_KEY, "between", OTHER_KEY) + STRANGER, "does not lead to a root"),
        (issued("alipay", OTHER_KEY, "alipay", OTHER_KEY), "does not lead to a root"),
        (BY_A_MERCHANT + MERCHANTS_OWN, "does not lead to a root"),
        (issued("alipay", OTHER_KEY, "between", CA_KEY, days=(-9, -1)), "valid from"),
        (issued("alipay", OTHER_KEY, "between", CA_KEY, days=(1, 9)), "valid from"),
        (issued("alipay", APP_KEY, "between", CA_KEY), "app's own key"),
        (
            issued("alipay", OTHER_KEY, "old", ALIPAY_KEY)
            + issued("old", ALIPAY_KEY, "root", ROOT_KEY, is_authority=True, days=(-9, -1)),
            "valid from",
        ),
    ],
)
def test_a_downloaded_certificate_that_proves_nothing_is_refused(pem: bytes, says: str) -> None:
    certificates = loaded()
    sn = "0" * 32 if pem == b"nothing" else cert_sn(pem)
    with pytest.raises(CertificateProblem, match=says):
        certificates.accept_downloaded(sn, pem)
    assert certificates.key_for(sn) is None


def test_another_certificate_than_the_one_asked_for_is_refused() -> None:
    with pytest.raises(CertificateProblem, match="Asked for"):
        loaded().accept_downloaded("0" * 32, NEXT)


def test_many_threads_take_the_same_certificate_once() -> None:
    certificates, found = loaded(), []
    threads = [
        threading.Thread(
            target=lambda: found.append(certificates.accept_downloaded(cert_sn(NEXT), NEXT))
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len({id(key) for key in found}) == 1


def fill(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def test_a_folder_is_sorted_by_content(tmp_path: Path) -> None:
    files = {"a.crt": ROOT, "b.crt": ALIPAY + BETWEEN, "c.crt": APP, "notes.txt": b"hello"}
    found = CertificateSet.from_folder(
        fill(tmp_path, files), private_key(APP_KEY), ManualClock(NOW)
    )
    assert (found.app_cert_sn, found.alipay_cert_sn) == (cert_sn(APP), cert_sn(ALIPAY))
    assert found.alipay_root_cert_sn == root_sn(ROOT)


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"b.crt": ALIPAY, "c.crt": APP}, "lacks the root"),
        ({"a.crt": ROOT, "b.crt": ALIPAY}, "lacks the app"),
        ({"a.crt": ROOT, "c.crt": APP}, "lacks the alipay"),
        ({"a.crt": ROOT, "b.crt": ALIPAY, "c.crt": APP, "d.crt": NEXT}, "two alipay"),
    ],
)
def test_a_folder_that_lacks_or_doubles_a_file_is_told(
    tmp_path: Path, files: dict[str, bytes], says: str
) -> None:
    with pytest.raises(CertificateProblem, match=says):
        CertificateSet.from_folder(fill(tmp_path, files), private_key(APP_KEY), ManualClock(NOW))


def test_the_fakes_of_other_tests_load_as_well() -> None:
    assert Authority().certificates().alipay_public_key == public_key(ALIPAY_KEY)
