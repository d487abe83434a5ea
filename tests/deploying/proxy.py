"""The nginx of the deployment guide: its very file, on free ports, unprivileged."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import ssl
import subprocess
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx2
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from debian import Program, find_program
from ports import free_port
from processes import status, until

ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = ROOT / "deploy/nginx/daozhang.conf"
NAME = "pay.example.com"

NGINX = find_program("nginx", "nginx")
MISSING = NGINX if isinstance(NGINX, str) else ""

AROUND = """\
daemon off;
worker_processes 1;
pid {directory}/nginx.pid;
error_log {directory}/error.log info;
events {{ worker_connections 256; }}
http {{
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    access_log {directory}/default.log;
    gzip on;  # as Debian's own nginx.conf has it
    include {directory}/daozhang.conf;
}}
"""


@dataclass(frozen=True)
class Proxy:
    """A running nginx: its three addresses, and where it writes."""

    directory: Path
    plain_port: int
    public_port: int
    api_port: int

    @property
    def public_url(self) -> str:
        return f"https://127.0.0.1:{self.public_port}"

    @property
    def api_url(self) -> str:
        return f"https://127.0.0.1:{self.api_port}"

    @property
    def access_log(self) -> str:
        return (self.directory / "access.log").read_text("utf-8")

    def trust(self) -> ssl.SSLContext:
        """Believes the certificate made for this test, and no other."""
        return ssl.create_default_context(cafile=str(self.directory / "fullchain.pem"))

    def client(self, **options: Any) -> httpx2.Client:
        """A stranger on the internet who knows the name of the host."""
        headers = {"Host": NAME, **options.pop("headers", {})}
        return httpx2.Client(
            verify=self.trust(),
            trust_env=False,
            timeout=15,
            headers=headers,
            **options,
        )


def rendered(directory: Path, ports: dict[str, int], service_ports: Sequence[int]) -> str:
    """The guide's file with the ports and paths of this test; nothing else is changed."""
    text = CONFIGURATION.read_text("utf-8")
    # A machine of a test may be without IPv6; the lines say the same twice.
    text, removed = re.subn(r"(?m)^ *listen \[::\]:.*\n", "", text)
    assert removed == 3
    changes = {
        "listen 80;": f"listen 127.0.0.1:{ports['plain']};",
        "listen 443 ssl": f"listen 127.0.0.1:{ports['public']} ssl",
        "listen 8443 ssl": f"listen 127.0.0.1:{ports['api']} ssl",
        "server 127.0.0.1:8800;": " ".join(f"server 127.0.0.1:{port};" for port in service_ports),
        "/etc/ssl/daozhang/": f"{directory}/",
        "/var/log/nginx/daozhang.log": f"{directory}/access.log",
    }
    for before, after in changes.items():
        assert before in text, f"the guide's file has no {before!r} any more"
        text = text.replace(before, after)
    return text


@contextmanager
def proxied(*service_ports: int) -> Generator[Proxy]:
    """nginx before the services at ``service_ports``; gone at the end."""
    directory = Path(tempfile.mkdtemp(prefix="daozhang-nginx-"))
    ports = {name: free_port() for name in ("plain", "public", "api")}
    make_certificate(directory)
    (directory / "daozhang.conf").write_text(rendered(directory, ports, service_ports), "utf-8")
    (directory / "nginx.conf").write_text(AROUND.format(directory=directory), "utf-8")
    (directory / "error.log").touch()
    assert isinstance(NGINX, Program)
    user = _unprivileged(directory)
    with (directory / "output.log").open("wb") as output:
        process = subprocess.Popen(
            [NGINX.path, "-c", directory / "nginx.conf", "-e", directory / "error.log"],
            stdout=output,
            stderr=output,
            cwd=directory,
            env={**os.environ, **NGINX.environment},
            **user,
        )
    try:
        _await_start(process, directory, ports["plain"])
        yield Proxy(directory, ports["plain"], ports["public"], ports["api"])
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(directory, ignore_errors=True)


def make_certificate(directory: Path) -> None:
    """A key and a certificate signed by itself, good for an hour."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    names = [x509.DNSName(NAME), x509.IPAddress(ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (directory / "fullchain.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (directory / "privkey.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def _unprivileged(directory: Path) -> dict[str, Any]:
    """Root's tests run it as nobody, who then owns ``directory`` and what is in it. Where nobody may
    not go to the program, nginx itself gives its privileges away."""
    if os.getuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    for path in (directory, *directory.iterdir()):
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
    assert isinstance(NGINX, Program)
    if not all(parent.stat().st_mode & 0o001 for parent in Path(NGINX.path).resolve().parents):
        return {}
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _await_start(process: subprocess.Popen[Any], directory: Path, port: int) -> None:
    until(lambda: process.poll() is not None or status(port, "/") is not None, 15)
    if process.poll() is not None:
        said = [(directory / name).read_text("utf-8") for name in ("output.log", "error.log")]
        raise RuntimeError(f"nginx did not start: {''.join(said)[-2000:]}")
