"""Who is who at this emulator: Alipay's keys and certificates, and the apps that were made.

All of it lives in one directory, made at first use and private to its owner (mode 0600; the
directories 0700). Several processes may use the directory at once: whatever is made is prepared
beside its place and moved there in one step, so that a reader sees all of it or nothing.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import secrets
import shutil
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.x509.oid import NameOID

from daozhang.clock import Clock

DEFAULT_APP: Final = "default"
DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 8900
_KEY_BITS: Final = 2048
_VALIDITY: Final = timedelta(days=3650)
_APP_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}", re.ASCII)
_ALIPAY_CERTIFICATE: Final = "alipayCertPublicKey_RSA2.crt"
_UPLOADED: Final = "uploaded_public_key.pem"
_RSA_SIGNATURES: Final = "1.2.840.113549.1.1"


class IdentityProblem(Exception):
    """The directory or the name of an app cannot be used; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Authority:
    """Alipay's side: one key pair for all apps, in both of its forms."""

    private_key: RSAPrivateKey
    certificate_sn: str
    root_sn: str
    certificate_path: Path
    root_path: Path
    certificate_pem: str

    @property
    def public_key_base64(self) -> str:
        """What the console shows as the "Alipay public key": SPKI, bare base64."""
        return _spki_base64(self.private_key.public_key())


@dataclass(frozen=True, slots=True)
class App:
    """An app of a merchant, as this emulator's console would show it."""

    name: str
    app_id: str
    seller_id: str
    seller_email: str
    encrypt_key: str
    app_auth_token: str
    """What an ISV's app sends to act for this one."""
    private_key: RSAPrivateKey
    certificate_sn: str
    certificate_path: Path
    uploaded_key: RSAPublicKey | None = None

    @property
    def public_key(self) -> RSAPublicKey:
        """The key that the merchant uploaded last; at first, so to speak, the one made here."""
        return self.uploaded_key or self.private_key.public_key()

    @property
    def aes_key(self) -> bytes:
        """The content encryption key, as bytes."""
        return base64.b64decode(self.encrypt_key)


class Identities:
    """The keys and apps of one directory. Safe to share between threads and processes."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        """Opens ``directory`` and makes Alipay's keys there if it has none yet."""
        self.directory = directory.absolute()
        self._clock = clock
        self._lock = threading.Lock()
        self._apps: dict[str, App] = {}
        self._apps_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.authority = self._open_authority()

    @property
    def _apps_directory(self) -> Path:
        return self.directory / "apps"

    def app_by_id(self, app_id: str) -> App | None:
        """The app; an id that is new here is looked for in the directory again."""
        with self._lock:
            if app_id not in self._apps:
                self._read_apps()
            return self._apps.get(app_id)

    def app_by_token(self, token: str) -> App | None:
        """The app that gave ``token`` to an ISV."""
        return next((app for app in self.apps() if app.app_auth_token == token), None)

    def apps(self) -> list[App]:
        """Every app there is, by name."""
        with self._lock:
            self._read_apps()
            return sorted(self._apps.values(), key=lambda app: app.name)

    def app(self, name: str = DEFAULT_APP, *, seller_of: str | None = None) -> App:
        """The app called ``name``, made now if it is new: of a seller of its own, or of the one that has
        the app ``seller_of``, whose account and bills it shares. Raises `IdentityProblem`, also if the app
        is there already and is another seller's."""
        if not _APP_NAME.fullmatch(name):
            raise IdentityProblem(
                f"{name!r} cannot name an app: use up to 40 of a-z, 0-9, - and _."
            )
        owner = None if seller_of is None else self.app(seller_of)
        place = self._apps_directory / name
        if not place.exists():
            _make_in_one_step(place, lambda directory: self._fill_app(directory, name, owner))
        app = self._load_app(place)
        if owner is not None and app.seller_id != owner.seller_id:
            raise IdentityProblem(
                f"The app {name!r} is there, and is not of {seller_of!r}'s seller."
            )
        with self._lock:
            self._apps[app.app_id] = app
        return app

    def remember_address(self, host: str, port: int) -> None:
        """Notes where this directory is being served, for `credentials`."""
        text = json.dumps({"host": host, "port": port})
        _write_in_one_step(self.directory / "address.json", text.encode())

    def address(self) -> tuple[str, int]:
        """Host and port of the last serve, else the defaults."""
        try:
            found = json.loads((self.directory / "address.json").read_text("utf-8"))
        except FileNotFoundError:
            return DEFAULT_HOST, DEFAULT_PORT
        return str(found["host"]), int(found["port"])

    def credentials(
        self, name: str = DEFAULT_APP, *, seller_of: str | None = None
    ) -> dict[str, str]:
        """All that a client of the app ``name`` needs, keys as bare base64; see `app`. Raises
        `IdentityProblem`."""
        app = self.app(name, seller_of=seller_of)
        base_url = base_url_of(*self.address())
        return {
            "gateway_url": f"{base_url}/gateway.do",
            "v3_base_url": base_url,
            "app_id": app.app_id,
            "seller_id": app.seller_id,
            "app_private_key_pkcs1": _private_base64(
                app.private_key, serialization.PrivateFormat.TraditionalOpenSSL
            ),
            "app_private_key_pkcs8": _private_base64(
                app.private_key, serialization.PrivateFormat.PKCS8
            ),
            "alipay_public_key": self.authority.public_key_base64,
            "app_cert_path": str(app.certificate_path),
            "alipay_cert_path": str(self.authority.certificate_path),
            "alipay_root_cert_path": str(self.authority.root_path),
            "encrypt_key": app.encrypt_key,
        }

    def rotate(self) -> Authority:
        """Alipay gets a new key and a certificate for it; the root stays. Answers the new one.

        Another process on this directory keeps the key with which it began.
        """
        place = self.directory / "alipay"
        issuing = x509.load_pem_x509_certificate((place / "issuing.crt").read_bytes())
        issuing_key = _load_key(place / "issuing_private_key.pem")
        key = _new_key()
        leaf = _certificate("支付宝(emulator)", key, (issuing, issuing_key), self._clock.now())
        with self._lock:
            # The key first, under its certificate's number: whoever reads finds a pair.
            _write(place / _key_file(leaf), _private_pem(key))
            _write_in_one_step(place / _ALIPAY_CERTIFICATE, _pem(leaf) + _pem(issuing))
            self.authority = _load_authority(place)
        return self.authority

    def upload_key(self, app: App, public_key: str) -> None:
        """The merchant uploads a new public key of the app's (SPKI, bare base64): only what it
        signed is taken from now on. Raises `ValueError`."""
        key = serialization.load_der_public_key(base64.b64decode(public_key, validate=True))
        if not isinstance(key, RSAPublicKey):
            raise ValueError("this is no RSA key")  # noqa: TRY004 - of what was uploaded
        place = self._apps_directory / app.name
        spki = serialization.PublicFormat.SubjectPublicKeyInfo
        with self._lock:
            _write_in_one_step(
                place / _UPLOADED, key.public_bytes(serialization.Encoding.PEM, spki)
            )
            self._apps[app.app_id] = self._load_app(place)

    def _read_apps(self) -> None:
        known = {app.name for app in self._apps.values()}
        for place in self._apps_directory.iterdir():
            if place.name not in known and _APP_NAME.fullmatch(place.name):
                app = self._load_app(place)
                self._apps[app.app_id] = app

    def _open_authority(self) -> Authority:
        place = self.directory / "alipay"
        if not place.exists():
            _make_in_one_step(place, self._fill_authority)
        try:
            return _load_authority(place)
        except (OSError, ValueError) as problem:
            raise IdentityProblem(
                f"{place} does not hold an emulator's keys ({problem}). Choose another directory, "
                "or remove this one to have new keys made."
            ) from problem

    def _fill_authority(self, directory: Path) -> None:
        now = self._clock.now()
        root_key, issuing_key, alipay_key = _new_key(), _new_key(), _new_key()
        root = _certificate("Daozhang Emulator Root R1", root_key, None, now)
        issuing = _certificate("Daozhang Emulator Class 2 R1", issuing_key, (root, root_key), now)
        leaf = _certificate("支付宝(emulator)", alipay_key, (issuing, issuing_key), now)
        # Alipay's root file holds a root of another key family too, which no serial number names.
        other_key = ec.generate_private_key(ec.SECP384R1())
        other = _certificate("Daozhang Emulator Root E1", other_key, None, now)
        _write(directory / "alipay_private_key.pem", _private_pem(alipay_key))
        _write(directory / "issuing_private_key.pem", _private_pem(issuing_key))
        _write(directory / "alipayRootCert.crt", _pem(other) + _pem(root))
        _write(directory / "issuing.crt", _pem(issuing))
        _write(directory / _ALIPAY_CERTIFICATE, _pem(leaf) + _pem(issuing))

    def _fill_app(self, directory: Path, name: str, owner: App | None) -> None:
        now = self._clock.now()
        place = self.directory / "alipay"
        issuing = x509.load_pem_x509_certificate((place / "issuing.crt").read_bytes())
        issuing_key = _load_key(place / "issuing_private_key.pem")
        key = _new_key()
        app_id = "9021" + _digits(12)
        leaf = _certificate(f"{name}-{app_id}", key, (issuing, issuing_key), now)
        facts = {
            "app_id": app_id,
            "seller_id": owner.seller_id if owner else "2088" + _digits(12),
            "seller_email": owner.seller_email if owner else f"{name[:3]}***@example.com",
            "encrypt_key": base64.b64encode(secrets.token_bytes(16)).decode(),
            "app_auth_token": f"{now:%Y%m}BB" + secrets.token_hex(16),
        }
        _write(directory / "app_private_key.pem", _private_pem(key))
        _write(directory / f"appCertPublicKey_{app_id}.crt", _pem(leaf) + _pem(issuing))
        _write(directory / "app.json", json.dumps(facts, indent=2).encode())

    def _load_app(self, place: Path) -> App:
        try:
            facts: dict[str, Any] = json.loads((place / "app.json").read_text("utf-8"))
            certificate_path = place / f"appCertPublicKey_{facts['app_id']}.crt"
            return App(
                name=place.name,
                private_key=_load_key(place / "app_private_key.pem"),
                certificate_path=certificate_path,
                certificate_sn=serial_of(_certificates(certificate_path)[0]),
                uploaded_key=_load_uploaded(place / _UPLOADED),
                **{field: str(facts[field]) for field in _APP_FACTS},
            )
        except (OSError, ValueError, KeyError) as problem:
            raise IdentityProblem(
                f"{place} does not hold an app of this emulator ({problem!r}). Remove it to have "
                "the app made anew."
            ) from problem


_APP_FACTS: Final = ("app_id", "seller_id", "seller_email", "encrypt_key", "app_auth_token")


def base_url_of(host: str, port: int) -> str:
    """The address that clients on this machine use for a server bound to ``host``."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104
    if ":" in reachable and not reachable.startswith("["):
        reachable = f"[{reachable}]"
    return f"http://{reachable}:{port}"


def serial_of(certificate: x509.Certificate) -> str:
    """Alipay's "SN": MD5 of the issuer, most specific name first, and the decimal serial."""
    names = [
        f"{attribute.rfc4514_attribute_name}={attribute.value}"
        for attribute in reversed(list(certificate.issuer))
    ]
    text = ",".join(names) + str(certificate.serial_number)
    return hashlib.md5(text.encode()).hexdigest()


def root_serial_of(certificates: list[x509.Certificate]) -> str:
    """The "SN" of a root file: its RSA-signed certificates in order, joined by ``_``."""
    return "_".join(
        serial_of(certificate)
        for certificate in certificates
        if certificate.signature_algorithm_oid.dotted_string.startswith(_RSA_SIGNATURES)
    )


def _load_uploaded(path: Path) -> RSAPublicKey | None:
    if not path.exists():
        return None
    key = serialization.load_pem_public_key(path.read_bytes())
    return key if isinstance(key, RSAPublicKey) else None


def _load_authority(place: Path) -> Authority:
    certificate_path = place / _ALIPAY_CERTIFICATE
    leaf = _certificates(certificate_path)[0]
    rotated = place / _key_file(leaf)
    root_path = place / "alipayRootCert.crt"
    return Authority(
        private_key=_load_key(rotated if rotated.exists() else place / "alipay_private_key.pem"),
        certificate_sn=serial_of(leaf),
        root_sn=root_serial_of(_certificates(root_path)),
        certificate_path=certificate_path,
        root_path=root_path,
        certificate_pem=certificate_path.read_text("ascii"),
    )


def _key_file(certificate: x509.Certificate) -> str:
    """Where the key of a rotated certificate is."""
    return f"alipay_private_key_{serial_of(certificate)}.pem"


def _certificates(path: Path) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(path.read_bytes())


def _new_key() -> RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)


def _digits(count: int) -> str:
    return f"{secrets.randbelow(10**count):0{count}d}"


def _certificate(
    common_name: str,
    key: RSAPrivateKey | ec.EllipticCurvePrivateKey,
    issuer: tuple[x509.Certificate, RSAPrivateKey] | None,
    now: datetime,
) -> x509.Certificate:
    """A certificate of ``key``, self-signed as a root where there is no ``issuer``."""
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Daozhang Emulator"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Certification Authority"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )
    is_authority = issuer is None or "Root" in issuer[0].subject.rfc4514_string()
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer[0].subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=366))
        .not_valid_after(now + _VALIDITY)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    )
    return builder.sign(key if issuer is None else issuer[1], hashes.SHA256())


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private_pem(key: RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _private_base64(key: RSAPrivateKey, layout: serialization.PrivateFormat) -> str:
    der = key.private_bytes(serialization.Encoding.DER, layout, serialization.NoEncryption())
    return base64.b64encode(der).decode("ascii")


def _spki_base64(key: RSAPublicKey) -> str:
    der = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(der).decode("ascii")


def _load_key(path: Path) -> RSAPrivateKey:
    # To prove that the numbers are primes takes 30 ms for each key, and they are from `_new_key`.
    key = serialization.load_pem_private_key(
        path.read_bytes(), password=None, unsafe_skip_rsa_key_validation=True
    )
    if not isinstance(key, RSAPrivateKey):
        raise ValueError(f"{path.name} is not an RSA key")  # noqa: TRY004 - the file, not the type
    return key


def _write(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)


def _write_in_one_step(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    _write(temporary, data)
    temporary.replace(path)


def _make_in_one_step(place: Path, fill: Callable[[Path], None]) -> None:
    """Makes the directory ``place`` with all that ``fill`` writes, or keeps another's."""
    prepared = Path(tempfile.mkdtemp(prefix=".new-", dir=place.parent))
    try:
        fill(prepared)
        prepared.rename(place)
    except OSError:
        # Another process was quicker: its directory is complete, because it was moved there too.
        if not place.is_dir():
            raise
    finally:
        shutil.rmtree(prepared, ignore_errors=True)
