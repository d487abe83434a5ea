"""Certificate mode: serial numbers as Alipay counts them, chains, expiry (protocol.md §1.4).

Alipay's root bundle holds a certificate that `cryptography` cannot parse (and two that are not
RSA), so each certificate is read on its own, and the few facts that a serial number needs are read
by a small DER walker.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa

from daozhang.alipay.errors import CertificateProblem
from daozhang.alipay.keys import PrivateKey, PublicKey
from daozhang.clock import Clock, SystemClock

if TYPE_CHECKING:
    from cryptography import x509

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)
_RSA_FAMILY: Final = "1.2.840.113549.1.1"
_CHAIN_LENGTH_MAX: Final = 8

_ATTRIBUTE_NAMES: Final = {
    "2.5.4.3": "CN",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.5": "SERIALNUMBER",
    "2.5.4.9": "STREET",
    "0.9.2342.19200300.100.1.25": "DC",
    "1.2.840.113549.1.9.1": "emailAddress",
}

CertificateSource = str | bytes | Path
"""PEM text, PEM or DER bytes, or (as a `Path` only) a file of them."""


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """What Alipay's serial number is made of."""

    issuer: str
    serial: int
    signature_oid: str

    @property
    def sn(self) -> str:
        """Alipay's serial number: MD5 over issuer and decimal serial, 32 hex characters."""
        return hashlib.md5(f"{self.issuer}{self.serial}".encode()).hexdigest()


def cert_sn(source: CertificateSource) -> str:
    """Alipay's serial number of the (first) certificate in ``source``."""
    return read_facts(_first(source)).sn


def root_sn(source: CertificateSource) -> str:
    """Alipay's serial number of a root bundle: of its RSA certificates, in order, with ``_``."""
    facts = [read_facts(der) for der in split(source)]
    kept = [one.sn for one in facts if one.signature_oid.startswith(_RSA_FAMILY)]
    if not kept:
        raise CertificateProblem(
            "The root bundle has no RSA certificate; take alipayRootCert.crt from the console "
            "根证书中没有 RSA 证书，请使用 alipayRootCert.crt。"
        )
    return "_".join(kept)


def split(source: CertificateSource) -> list[bytes]:
    """The DER bytes of each certificate in ``source``, in order."""
    raw = _bytes_of(source)
    if raw[:1] == b"\x30":
        return [raw]
    found = _PEM.findall(raw.replace(b"\\n", b"\n"))
    if not found:
        try:
            return [base64.b64decode(b"".join(raw.split()), validate=True)]
        except binascii.Error:
            raise CertificateProblem(
                "This is no certificate: neither PEM nor DER. Take the .crt files from the console "
                "这不是证书，请使用控制台下载的 .crt 文件。"
            ) from None
    try:
        return [base64.b64decode(b"".join(body.split()), validate=True) for body in found]
    except binascii.Error:
        raise CertificateProblem("A certificate is cut off or damaged 证书内容不完整。") from None


def read_facts(der: bytes) -> CertificateFacts:
    """Issuer, serial and signature algorithm of one certificate, whatever key it holds."""
    try:
        (certificate,) = _children(der)
        fields = list(_children(certificate[1])[0][1:2])  # the to-be-signed part
        parts = _children(fields[0])
        if parts[0][0] == 0xA0:  # explicit version
            parts = parts[1:]
        serial = int.from_bytes(parts[0][1], "big", signed=True)
        signature_oid = _oid(_children(parts[1][1])[0][1])
        return CertificateFacts(_issuer(parts[2][1]), serial, signature_oid)
    except (IndexError, ValueError):
        raise CertificateProblem("These bytes are no X.509 certificate 不是有效的证书。") from None


def _issuer(encoded: bytes) -> str:
    """The issuer's attributes, last first, as Java and Node print them: ``CN=..,OU=..``."""
    named: list[str] = []
    for _, rdn in _children(encoded):
        pairs: list[str] = []
        for _, attribute in _children(rdn):
            (_, oid), (tag, value) = _children(attribute)
            dotted = _oid(oid)
            encoding = "utf-16-be" if tag == 0x1E else "utf-8"
            pairs.append(f"{_ATTRIBUTE_NAMES.get(dotted, dotted)}={value.decode(encoding)}")
        named.append("+".join(pairs))
    return ",".join(reversed(named))


def _children(data: bytes) -> list[tuple[int, bytes]]:
    """The elements of a DER sequence's content: tag and content of each."""
    return list(_walk(data))


def _walk(data: bytes) -> Iterator[tuple[int, bytes]]:
    place = 0
    while place < len(data):
        tag, length, place = data[place], data[place + 1], place + 2
        if length & 0x80:
            count = length & 0x7F
            length = int.from_bytes(data[place : place + count], "big")
            place += count
        if place + length > len(data):
            raise ValueError("an element reaches beyond the end")
        yield tag, data[place : place + length]
        place += length


def _oid(content: bytes) -> str:
    numbers = [content[0] // 40, content[0] % 40]
    value = 0
    for byte in content[1:]:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(value)
            value = 0
    return ".".join(str(number) for number in numbers)


class CertificateSet:
    """The three files of certificate mode, checked, and the Alipay keys known by serial number.

    Immutable but for the cache of Alipay certificates that came later; safe in any threads.
    """

    def __init__(
        self,
        *,
        app: Sequence[bytes],
        alipay: Sequence[bytes],
        root: Sequence[bytes],
        clock: Clock | None = None,
    ) -> None:
        """Takes DER; `load` and `from_folder` take files. Raises `CertificateProblem`."""
        self._clock = clock or SystemClock()
        self._roots = [parsed for der in root if (parsed := _parse(der)) is not None]
        self.app_cert_sn = read_facts(app[0]).sn
        self.alipay_cert_sn = read_facts(alipay[0]).sn
        self.alipay_root_cert_sn = _root_sn(root)
        self._app = _require_parsed(app[0], "app certificate")
        self._intermediates = [one for der in [*alipay[1:], *app[1:]] if (one := _parse(der))]
        leaf = _require_parsed(alipay[0], "Alipay certificate")
        self._check_configured(self._app, "app certificate")
        self._check_configured(leaf, "Alipay certificate")
        self.alipay_public_key = _public_key(leaf)
        self.app_public_key = _public_key(self._app)
        self._alipay_not_after = leaf.not_valid_after_utc
        self._lock = threading.Lock()
        self._keys = {self.alipay_cert_sn: self.alipay_public_key}
        if self.alipay_public_key == self.app_public_key:
            raise CertificateProblem(
                "The Alipay certificate and the app certificate hold the same key: one file was "
                "given twice 支付宝证书与应用证书相同，请检查文件是否重复。"
            )

    @classmethod
    def load(
        cls,
        *,
        app: CertificateSource,
        alipay: CertificateSource,
        root: CertificateSource,
        clock: Clock | None = None,
    ) -> Self:
        """From the three files: appCertPublicKey, alipayCertPublicKey_RSA2, alipayRootCert."""
        return cls(app=split(app), alipay=split(alipay), root=split(root), clock=clock)

    @classmethod
    def from_folder(cls, folder: Path, private_key: PrivateKey, clock: Clock | None = None) -> Self:
        """From a folder of certificates under any names: they are told apart by what is in them.

        The root bundle is the one whose certificates are all self-issued; the app's is the one
        that holds ``private_key``'s public half; the other one is Alipay's.
        """
        found: dict[str, list[bytes]] = {}
        for path in sorted(folder.iterdir()):
            if path.suffix.lower() not in (".crt", ".cer", ".pem") or b"CERTIFICATE" not in (
                path.read_bytes()
            ):
                continue
            certificates = split(path)
            role = _role(certificates, private_key.public)
            if role in found:
                raise CertificateProblem(
                    f"{folder} holds two {role} certificates, one of them {path.name}: leave one "
                    "文件夹中存在重复的证书。"
                )
            found[role] = certificates
        missing = [role for role in ("app", "alipay", "root") if role not in found]
        if missing:
            raise CertificateProblem(
                f"{folder} lacks the {' and the '.join(missing)} certificate for this private key "
                "文件夹中缺少与该私钥对应的证书。"
            )
        return cls(app=found["app"], alipay=found["alipay"], root=found["root"], clock=clock)

    @property
    def not_after(self) -> dict[str, datetime]:
        """Until when the app's and Alipay's certificate are valid (aware, UTC)."""
        return {"app": self._app.not_valid_after_utc, "alipay": self._alipay_not_after}

    @property
    def alipay_public_keys(self) -> tuple[PublicKey, ...]:
        """Alipay's keys: the configured certificate's, then those that came later."""
        with self._lock:
            return tuple(self._keys.values())

    def require_key(self, private_key: PrivateKey) -> None:
        """Raises `CertificateProblem` unless ``private_key`` belongs to the app certificate."""
        if private_key.public != self.app_public_key:
            raise CertificateProblem(
                "The private key does not belong to the app certificate: take the key that made "
                "the CSR of this very certificate 应用私钥与应用证书不匹配。"
            )

    def key_for(self, sn: str) -> PublicKey | None:
        """Alipay's key under that serial number, if it is known here."""
        with self._lock:
            return self._keys.get(sn)

    def accept_downloaded(self, sn: str, content: CertificateSource) -> PublicKey:
        """Takes an Alipay certificate that was downloaded: checked against the root, then kept.

        Raises `CertificateProblem` if it is another than ``sn``, has expired or does not chain.
        """
        chain = split(content)
        actual = read_facts(chain[0]).sn
        if actual != sn:
            raise CertificateProblem(f"Asked for Alipay certificate {sn}, got {actual}.")
        leaf = _check_chain(
            chain, self._intermediates, self._roots, self._clock.now(), "downloaded certificate"
        )
        key = _public_key(leaf)
        if key == self.app_public_key:
            raise CertificateProblem(f"Certificate {sn} holds the app's own key, not Alipay's.")
        with self._lock:
            return self._keys.setdefault(sn, key)

    def _check_configured(self, certificate: x509.Certificate, what: str) -> None:
        """A configured file must be valid now and no root, and signed by its issuer if that is here.

        Alipay's own downloads often lack what stands between them and the root (all published ones
        but one do, and the sandbox's root is in no bundle), and nobody but the operator put them
        here; so only a downloaded certificate has to lead all the way (`accept_downloaded`).
        """
        _require_valid(certificate, self._clock.now(), what)
        if certificate.issuer == certificate.subject:
            raise CertificateProblem(
                f"The {what} is a root certificate: the files are mixed up 证书文件放错了位置。"
            )
        named = [
            one for one in [*self._intermediates, *self._roots] if one.subject == certificate.issuer
        ]
        if named and not any(_issued(one, certificate) for one in named):
            raise CertificateProblem(
                f"The {what} names an issuer that is here, but was not signed by it "
                "证书并非由其所声明的机构签发。"
            )


def _root_sn(root: Sequence[bytes]) -> str:
    facts = [read_facts(der) for der in root]
    kept = [one.sn for one in facts if one.signature_oid.startswith(_RSA_FAMILY)]
    if not kept:
        raise CertificateProblem("The root bundle has no RSA certificate 根证书中没有 RSA 证书。")
    return "_".join(kept)


def _role(certificates: Sequence[bytes], app_key: PublicKey) -> str:
    parsed = [one for der in certificates if (one := _parse(der)) is not None]
    if parsed and all(one.issuer == one.subject for one in parsed):
        return "root"
    if parsed and isinstance(parsed[0].public_key(), rsa.RSAPublicKey):
        return "app" if _public_key(parsed[0]) == app_key else "alipay"
    raise CertificateProblem("A file in the folder holds no RSA certificate.")


def _check_chain(
    chain: Sequence[bytes],
    known: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    now: datetime,
    what: str,
) -> x509.Certificate:
    """The leaf of ``chain`` once it leads to one of ``roots``, every one of them valid now, over
    the certificates that came with it or were ``known``."""
    leaf = _require_parsed(chain[0], what)
    helpers = [one for der in chain[1:] if (one := _parse(der)) is not None]
    helpers.extend(known)
    current = leaf
    for _ in range(_CHAIN_LENGTH_MAX):
        _require_valid(current, now, what)
        anchor = next((root for root in roots if _issued(root, current)), None)
        if anchor is not None:
            _require_valid(anchor, now, what)
            return leaf
        issuer = next((one for one in helpers if one != current and _issued(one, current)), None)
        if issuer is None or not _may_issue(issuer):
            break
        current = issuer
    raise CertificateProblem(
        f"The {what} does not lead to a root of this bundle: they are of different environments, "
        "or the file is not Alipay's 证书链无法追溯到该根证书。"
    )


def _issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _may_issue(certificate: x509.Certificate) -> bool:
    from cryptography import x509

    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except x509.ExtensionNotFound:
        return False
    return constraints.value.ca


def _require_valid(certificate: x509.Certificate, now: datetime, what: str) -> None:
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise CertificateProblem(
            f"The {what} (or one above it) is valid from {certificate.not_valid_before_utc:%Y-%m-%d}"
            f" to {certificate.not_valid_after_utc:%Y-%m-%d} only: download a new one "
            "证书不在有效期内，请重新下载。"
        )


def _parse(der: bytes) -> x509.Certificate | None:
    from cryptography import x509  # a third of the library's import: in certificate mode only

    try:
        certificate = x509.load_der_x509_certificate(der)
        certificate.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return certificate


def _require_parsed(der: bytes, what: str) -> x509.Certificate:
    parsed = _parse(der)
    if parsed is None:
        raise CertificateProblem(f"The {what} cannot be read 证书无法解析。")
    return parsed


def _public_key(certificate: x509.Certificate) -> PublicKey:
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise CertificateProblem("The certificate holds no RSA key; RSA2 needs one 需要 RSA 证书。")
    return PublicKey(key)


def _first(source: CertificateSource) -> bytes:
    return split(source)[0]


def _bytes_of(source: CertificateSource) -> bytes:
    if isinstance(source, Path):
        try:
            raw = source.read_bytes()
        except OSError as error:
            raise CertificateProblem(f"{source} cannot be read: {error}") from None
    else:
        raw = source.encode() if isinstance(source, str) else bytes(source)
    return raw.removeprefix(b"\xef\xbb\xbf").strip() if raw[:1] != b"\x30" else raw
