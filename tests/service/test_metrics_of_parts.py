"""Metrics of webhooks, keys, jobs and a full queue."""

from __future__ import annotations

from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

import deployment
from daozhang.alipay.certificates import cert_sn
from daozhang.alipay.keys import PrivateKey
from daozhang.service.jobs import Jobs
from daozhang.service.watch.actions import Lookout
from daozhang.service.watch.model import Key, Picture
from daozhang.service.watch.rules import alerts_of
from daozhang.service.web.context import Context
from receivers import Answer, receiver
from service.test_metrics import read, value
from signed_world import paid, signed_world
from worlds import running

OWN = serialization.load_pem_private_key(deployment.APP_KEYS.private.encode(), None)
ROOT, ALIPAY = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))


def certificate(name: str, key: Any, days: float) -> str:
    """A certificate that ends in ``days``, by the clock on the wall, as PEM."""
    now = datetime.now(UTC)
    named = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, one)]) for one in (name, "root")]
    made = (
        x509.CertificateBuilder()
        .subject_name(named[0])
        .issuer_name(named[1])
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=400))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=name == "root", path_length=None), critical=True)
        .sign(ROOT, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()


@pytest.fixture
def context(tmp_path: Path) -> Generator[Context]:
    context = deployment.new_context(tmp_path)
    deployment.clock_of(context).set(datetime.now(UTC))
    yield context
    context.database.dispose()


@pytest.fixture
def jobs(context: Context) -> Generator[Jobs]:
    jobs = Jobs(context.database, polling_seconds=0.02)
    jobs.prepare()
    yield jobs
    jobs.stop()


def keys_of(picture: Picture) -> dict[str, Key]:
    return {key.kind: key for key in picture.keys}


def test_a_certificate_is_counted_down_and_seen_after_its_end_too(
    context: Context, jobs: Jobs
) -> None:
    files: dict[str, Any] = {
        "alipay_public_key": None,
        "app_cert": certificate("app", OWN, 20),
        "alipay_cert": certificate("alipay", ALIPAY, 5),
        "alipay_root_cert": certificate("root", ROOT, 4000),
    }
    deployment.add_one_app(context, **files)
    picture = Lookout(context, jobs).look()
    found = keys_of(picture)
    assert set(found) == {"app_key", "app_cert", "alipay_cert", "alipay_root_cert"}
    own = PrivateKey.load(deployment.APP_KEYS.private).fingerprint
    assert found["app_key"].fingerprint == found["app_cert"].fingerprint == own
    assert found["alipay_cert"].serial == cert_sn(files["alipay_cert"])
    assert [(alert.code, alert.severity.value) for alert in alerts_of(picture)] == [
        ("certificate_ending", "ticket"),
        ("certificate_ending", "page"),
    ]
    # The service was down for a while, and Alipay's certificate has ended meanwhile.
    ended = certificate("alipay", ALIPAY, -1)
    with context.database.begin() as tx:
        tx.execute(sa.text("UPDATE apps SET alipay_cert = :cert"), {"cert": ended})
    picture = Lookout(context, jobs).look()
    (_, alert) = alerts_of(picture)
    assert (alert.code, alert.severity.value) == ("certificate_ending", "page")
    assert "ends in -1 days" in alert.en


def test_keys_that_do_not_open_are_told_as_such(context: Context, jobs: Jobs) -> None:
    deployment.add_one_app(context)
    with context.database.begin() as tx:
        tx.execute(sa.text("UPDATE apps SET environment = 'sandbox'"))  # sealed to another row
    picture = Lookout(context, jobs).look()
    assert [alert.key for alert in alerts_of(picture)] == [f"keys_unreadable:{deployment.APP_ID}"]


def test_jobs_are_counted_while_they_wait_and_when_they_failed(
    context: Context, jobs: Jobs
) -> None:
    def fail(number: int) -> None:
        raise LookupError(f"job {number} fails, as it is meant to")

    jobs.register("fail", fail)
    with context.database.begin() as tx:
        for number in range(3):
            jobs.enqueue(tx, "fail", str(number), {"number": number}, lane="app:1")
    lookout = Lookout(context, jobs)
    assert (lookout.look().jobs.waiting, lookout.look().jobs.failed) == (3, 0)
    jobs.start()
    assert jobs.wait_idle(20)
    assert (lookout.look().jobs.waiting, lookout.look().jobs.failed) == (0, 3)


def test_webhooks_are_told_by_where_they_stand_and_how_they_were_answered(tmp_path: Path) -> None:
    with (
        receiver() as good,
        receiver() as bad,
        receiver() as gone,
        signed_world(tmp_path, webhooks_allow_private=True) as world,
    ):
        bad.answer = lambda _got: Answer(500)
        gone.answer = lambda _got: Answer(410)
        for hook in (good, bad, gone):
            assert world.api.post("/v1/webhook_endpoints", json={"url": hook.url}).is_success
        world.create("A-1")
        world.tell(paid("A-1"))
        world.pass_time(0)
        url = world.context.settings.public_url
        samples = read(url)
        # order.paid, and that one is switched off, which is kept for itself too.
        stands = {
            status: value(samples, "webhook_deliveries", status=status)
            for status in ("delivered", "pending", "parked")
        }
        assert stands == {"delivered": 2, "pending": 2, "parked": 2}
        assert value(samples, "webhook_attempts_total", outcome="2xx") == 2
        assert value(samples, "webhook_attempts_total", outcome="5xx") == 2
        assert value(samples, "webhook_attempts_total", outcome="4xx") == 1
        assert value(samples, "webhook_endpoints", status="enabled") == 2
        assert value(samples, "webhook_endpoints", status="disabled") == 1
        world.pass_time(600)
        samples = read(url)
        assert value(samples, "webhook_endpoint_failing_seconds") == 600
        assert value(samples, "webhook_attempts_total", outcome="2xx") == 2


def test_a_full_queue_is_counted_as_busy(tmp_path: Path) -> None:
    with running(tmp_path) as world:
        world.service.recorder.stop()  # it takes nothing more, as one that is full
        number = world.order()
        world.pay(number)
        world.service.worker.settle()
        samples = read(world.service.context.settings.public_url)
        assert value(samples, "notify_answers_total", answer="busy") >= 1
        assert value(samples, "notify_answers_total", answer="success") == 0
        world.service.recorder.start()
        stranger = httpx2.post(
            f"{world.service.context.settings.public_url}/alipay/notify/nobody",
            trust_env=False,
            verify=False,
        )
        assert stranger.status_code == 404
        world.service.worker.settle()
        samples = read(world.service.context.settings.public_url)
        assert value(samples, "notify_answers_total", answer="refused") == 1
