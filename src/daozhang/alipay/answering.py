"""Whether an answer is Alipay's: the right key, the signature, the certificate behind it."""

from __future__ import annotations

import re
from typing import Final

from daozhang.alipay.config import Credentials
from daozhang.alipay.errors import OutcomeUnknown
from daozhang.alipay.exchange import CertificateNeeded

_SERIAL: Final = re.compile(r"[0-9a-f]{32}")


def check_signature(
    credentials: Credentials,
    content: bytes,
    sign: str,
    certificate_sn: str | None,
    *,
    method: str,
    trace_id: str | None,
) -> CertificateNeeded | None:
    """``None`` if ``sign`` is Alipay's signature of ``content``.

    In certificate mode the answer names the certificate; one that is not here yet is asked for.
    Raises `OutcomeUnknown` if the signature does not hold: what was done remains unknown.
    """
    certificates = credentials.certificates
    if certificates is None:
        keys = credentials.verifying_keys.keys
    else:
        if certificate_sn is None or _SERIAL.fullmatch(certificate_sn) is None:
            raise OutcomeUnknown(
                f"The answer names no certificate that could be looked up ({certificate_sn!r}),"
                " but the credentials are in certificate mode.",
                method=method,
                cause="certificate",
                trace_id=trace_id,
            )
        key = certificates.key_for(certificate_sn)
        if key is None:
            return CertificateNeeded(certificate_sn)
        keys = (key,)
    if not any(key.verify(content, sign, credentials.sign_type) for key in keys):
        raise OutcomeUnknown(
            "The answer's signature does not hold. Check that the Alipay public key belongs to this"
            " app and environment, and that nothing on the way rewrites answers.",
            method=method,
            cause="signature",
            trace_id=trace_id,
        )
    return None
