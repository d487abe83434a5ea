"""The code in the READMEs runs as it stands."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("name", ["README.md", "README.zh.md"])
def test_the_payment_in_ten_lines_runs(name: str, tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / name).read_text("utf-8"), re.DOTALL)
    ours, theirs = (rsa.generate_private_key(65537, 2048) for _ in range(2))
    (tmp_path / "app_private_key.pem").write_bytes(
        ours.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    (tmp_path / "alipay_public_key.pem").write_bytes(
        theirs.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    address = urlsplit(done.stdout.strip())
    assert address.hostname == "openapi-sandbox.dl.alipaydev.com"
    sent = {key: values[0] for key, values in parse_qs(address.query).items()}
    assert sent["method"] == "alipay.trade.page.pay"
    assert '"88.88"' in sent["biz_content"]
    assert len(sent["sign"]) == 344
