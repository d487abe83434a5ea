"""`daozhang doctor`, as an operator runs it: against a service behind proxies, good and bad."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from daozhang.app import Service, create_context
from daozhang.cli.main import build
from daozhang.clock import ManualClock, SystemClock
from daozhang.emulator.app import create_emulator
from daozhang.service.inbox.probe import make_probe
from daozhang.service.inbox.store import notifications, refused_notifications
from daozhang.service.merchants.actions import add_app, add_merchant, get_merchant
from daozhang.service.merchants.credentials import sealed_private_key
from daozhang.service.merchants.model import NewApp, NewMerchant
from daozhang.service.merchants.store import apps
from daozhang.service.migrations import upgrade
from daozhang.service.settings import load_settings
from databases import database_url, on_postgresql, run
from deployment import APP_KEYS
from ports import free_port
from worlds import Server

runner = CliRunner()


@dataclass(frozen=True)
class Heard:
    """What a proxy hands on: a request's body, or an answer."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])


Change = Callable[[Heard], Heard]


def as_it_is(heard: Heard) -> Heard:
    return heard


@dataclass
class Proxy:
    """Stands before the service, and does to requests and answers what a test wants."""

    url: str
    target: str
    request: Change = as_it_is
    answer: Change = as_it_is


@contextmanager
def a_proxy(target: str) -> Generator[Proxy]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = proxy.request(Heard(self.rfile.read(int(self.headers["Content-Length"])))).body
            kind = {"content-type": self.headers.get("Content-Type", "")}
            said = httpx2.post(
                proxy.target + self.path, content=body, headers=kind, trust_env=False, verify=False
            )
            told = proxy.answer(Heard(said.content, said.status_code))
            self.send_response(told.status)
            for name, value in told.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(told.body)))
            self.end_headers()
            self.wfile.write(told.body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    proxy = Proxy(f"http://127.0.0.1:{server.server_port}", target)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Deployment:
    """A service with one merchant of the emulator's, behind a proxy, by the real clock."""

    directory: Path
    proxy: Proxy
    service: Service

    def doctor(self, *flags: str, **settings: str) -> Result:
        variables = {
            "DAOZHANG_DATA_DIR": str(self.directory),
            "DAOZHANG_DATABASE_URL": database_url(self.directory),
            "DAOZHANG_PUBLIC_URL": self.proxy.url,
            "DAOZHANG_ENVIRONMENTS": "emulator",
            **{f"DAOZHANG_{name.upper()}": value for name, value in settings.items()},
        }
        result = runner.invoke(build("doctor"), ["doctor", *flags], env=variables)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def findings(self, **settings: str) -> dict[str, dict[str, str]]:
        """The findings by check; the exit code agrees with them."""
        result = self.doctor("--json", **settings)
        content = json.loads(result.stdout)
        found = {one["check"]: one for one in content["findings"]}
        is_well = all(one["result"] != "fail" for one in content["findings"])
        assert (result.exit_code == 0, content["well"]) == (is_well, is_well)
        assert all(one["detail"] and one["detail_zh"] for one in content["findings"])
        return found


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Generator[Deployment]:
    directory = tmp_path_factory.mktemp("doctor")
    emulator_port, service_port = free_port(), free_port()
    emulator = create_emulator(directory / "emulator", clock=SystemClock(), port=emulator_port)
    where = {"data_dir": directory, "database_url": database_url(directory)}
    base = f"http://127.0.0.1:{service_port}"
    settings = load_settings({}, environments=("emulator",), public_url=base, **where)
    context = create_context(settings)
    upgrade(context.database)
    given = emulator.credentials("shop")
    app = NewApp(
        app_id=given["app_id"],
        environment="emulator",
        private_key=given["app_private_key_pkcs1"],
        alipay_public_key=given["alipay_public_key"],
        gateway_url=given["gateway_url"],
        v3_base_url=given["v3_base_url"],
    )
    with context.database.begin() as tx:
        add_app(tx, context, app)
        shop = NewMerchant("shop", "Shop", app.app_id, "emulator", given["seller_id"])
        add_merchant(tx, context, shop)
    service = Service(context)
    with (
        Server(emulator.asgi, emulator_port),
        Server(service.web(), service_port) as server,
        a_proxy(server.base_url) as proxy,
    ):
        yield Deployment(directory, proxy, service)


@pytest.fixture
def here(place: Deployment) -> Generator[Deployment]:
    yield place
    place.proxy.request = place.proxy.answer = as_it_is


def test_a_good_deployment_is_well_and_nothing_of_it_is_changed(here: Deployment) -> None:
    here.service.context.meter.take()
    found = here.findings()
    # The PostgreSQL of the tests runs without fsync, and is told so.
    unsafe = ["database.durable"] if on_postgresql() else []
    assert [name for name, one in found.items() if one["result"] != "ok"] == [*unsafe, "public_url"]
    assert [name for name, one in found.items() if one["result"] == "fail"] == unsafe
    assert found["public_url"]["result"] == "warn"  # this machine only, as tests are
    assert {"disk", "database.durable", "sealing.keys", "clock", "keys.pair"} <= set(found)
    assert {"keys.proved", "notify.reachable", "notify.answer"} <= set(found)
    with here.service.context.database.read() as tx:
        for table in (notifications, refused_notifications):
            assert tx.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() == 0
    assert not [name for name, _label in here.service.context.meter.take() if "notify" in name]
    told = here.doctor()
    assert told.exit_code == len(unsafe)
    assert "Exactly success." in told.stdout
    assert "应答正是 success." in told.stdout


WAYS_TO_SPOIL: dict[str, tuple[Change, str]] = {
    "a byte order mark": (lambda said: replace(said, body=b"\xef\xbb\xbf" + said.body), "changed"),
    "a line end": (lambda said: replace(said, body=said.body + b"\n"), "changed"),
    "markup": (
        lambda said: replace(said, body=b"<html><body>" + said.body + b"</body></html>"),
        "A page answers",
    ),
    "a redirect": (
        lambda _said: Heard(b"", 301, {"Location": "https://www.example.com/"}),
        "redirects",
    ),
    "a firewall": (lambda _said: Heard(b"<!doctype html><html>robot?</html>", 200), "A page"),
    "an error of the proxy": (lambda _said: Heard(b"Bad Gateway", 502), "Something else"),
    "another status": (lambda said: replace(said, status=202), "Something else"),
}


@pytest.mark.parametrize("way", WAYS_TO_SPOIL)
def test_what_a_proxy_does_to_the_answer_is_seen(here: Deployment, way: str) -> None:
    here.proxy.answer, why = WAYS_TO_SPOIL[way]
    found = here.findings()
    assert found["notify.reachable"]["result"] == "ok"
    assert found["notify.answer"]["result"] == "fail"
    assert why in found["notify.answer"]["detail"]
    assert here.proxy.url in found["notify.answer"]["about"]


def test_what_a_proxy_does_to_the_request_is_seen(here: Deployment) -> None:
    here.proxy.request = lambda asked: replace(asked, body=asked.body.replace(b"%3Cb%3E", b""))
    found = here.findings()["notify.answer"]
    assert (found["result"], "changes the body" in found["detail"]) == ("fail", True)


def test_no_service_and_another_one_are_told_apart(here: Deployment, tmp_path: Path) -> None:
    found = here.findings(public_url=f"http://127.0.0.1:{free_port()}")
    assert found["notify.reachable"]["result"] == "fail"
    # Another deployment has keys of its own, and would take no order of ours from Alipay.
    keys = tmp_path / "other.keys"
    keys.write_text(f"k1:{'A' * 43}=\n", "ascii")
    keys.chmod(0o600)
    other = here.findings(sealing_keys_file=str(keys))
    assert other["sealing.keys"]["result"] == "fail"
    assert "apps.private_key_sealed" in other["sealing.keys"]["detail"]
    assert "other sealing keys" in other["notify.answer"]["detail"]


def test_nobody_without_the_keys_makes_a_probe_and_one_works_at_its_address_only(
    here: Deployment,
) -> None:
    context = here.service.context
    with context.database.read() as tx:
        merchant = get_merchant(tx, "shop")
    address = f"{here.proxy.url}/alipay/notify/shop"
    probe = make_probe(context.sealer, merchant, context.clock.now())
    content, _, token = probe.rpartition(b"&daozhang_probe=")
    bodies = {
        "as it was made": probe,
        "forged": content + b"&daozhang_probe=" + token[:-4] + b"AAAA",
        "for somebody else": make_probe(
            context.sealer, replace(merchant, id=merchant.id + 1), context.clock.now()
        ),
        "of yesterday": make_probe(
            context.sealer, merchant, merchant.created_at.replace(year=2020)
        ),
        "a token of another kind": content
        + b"&daozhang_probe="
        + context.sealer.sign_token("watch", {}, context.clock.now().replace(year=2099)).encode(),
        "not ASCII": content + b"&daozhang_probe=\xff",
    }
    said = {
        name: httpx2.post(address, content=body, trust_env=False, verify=False).text
        for name, body in bodies.items()
    }
    assert said.pop("as it was made") == "success"
    assert set(said.values()) == {"fail: there is no sign in the body"}


def test_a_clock_that_is_wrong_is_seen_at_the_gateway(here: Deployment) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response_only(200)
            self.send_header("Date", "Mon, 02 Mar 2020 01:00:00 GMT")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            pass

    database = here.service.context.database
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    run(
        database,
        "INSERT INTO apps (app_id, name, environment, private_key_sealed, alipay_public_key,"
        " gateway_url, created_at) SELECT '2021000000009999', '', environment, private_key_sealed,"
        f" alipay_public_key, 'http://127.0.0.1:{server.server_port}/gateway.do', created_at"
        " FROM apps",
    )
    try:
        result = here.doctor("--json")
    finally:
        server.shutdown()
        server.server_close()
        run(database, "DELETE FROM apps WHERE app_id = '2021000000009999'")
    found = json.loads(result.stdout)["findings"]
    assert result.exit_code == 1
    clocks = [one["result"] for one in found if one["check"] == "clock"]
    assert clocks == ["ok", "fail"]
    # The row's secret was moved there from another: it does not open as its own.
    assert [one["result"] for one in found if one["check"] == "keys.pair"] == ["ok", "fail"]


def test_keys_that_prove_nothing_are_said(here: Deployment) -> None:
    database = here.service.context.database
    with database.read() as tx:
        before = tx.execute(sa.text("SELECT alipay_public_key FROM apps")).scalar_one()
    with database.begin() as tx:
        tx.execute(sa.text("UPDATE apps SET alipay_public_key = :key"), {"key": APP_KEYS.public})
    try:
        found = here.findings()
    finally:
        with database.begin() as tx:
            tx.execute(sa.text("UPDATE apps SET alipay_public_key = :key"), {"key": before})
    assert found["keys.pair"]["result"] == "ok"
    assert found["keys.proved"]["result"] == "fail"


@pytest.mark.parametrize(("days_left", "worst"), [(60, {"ok"}), (10, {"warn"}), (-10, {"fail"})])
def test_certificates_are_told_of_before_they_end(
    here: Deployment, tmp_path: Path, days_left: int, worst: set[str]
) -> None:
    context = here.service.context
    # An emulator's certificates last for ten years: this one has made its own long ago.
    made_at = context.clock.now() + timedelta(days=days_left - 3650)
    given = create_emulator(tmp_path, clock=ManualClock(made_at), port=1).credentials("old")
    columns = ("app_cert", "alipay_cert", "alipay_root_cert")
    values = {name: Path(given[f"{name}_path"]).read_text("ascii") for name in columns}
    bound_to = sealed_private_key("emulator", given["app_id"])
    private = context.sealer.seal(given["app_private_key_pkcs8"].encode(), bound_to)
    with context.database.begin() as tx:
        running = tx.execute(sa.select(apps)).mappings().one()
        row = {name: value for name, value in running.items() if name not in ("id", *columns)}
        row |= {"app_id": given["app_id"], "private_key_sealed": private, **values}
        tx.execute(sa.insert(apps).values(**row | {"alipay_public_key": None}))
    try:
        result = here.doctor("--json")
    finally:
        with context.database.begin() as tx:
            tx.execute(sa.delete(apps).where(apps.c.app_id == given["app_id"]))
    found = json.loads(result.stdout)["findings"]
    about = [one for one in found if one["about"].startswith(given["app_id"])]
    certificates = [one for one in about if one["check"] == "keys.certificates"]
    assert {one["result"] for one in certificates} == worst
    assert len(certificates) == 2
    assert [one["result"] for one in about if one["check"] == "keys.pair"] == [
        "fail" if days_left < 0 else "ok"
    ]


def test_settings_and_files_that_are_not_there(here: Deployment, tmp_path: Path) -> None:
    wrong = here.findings(publik_url="x")
    assert set(wrong) == {"settings"}
    assert "DAOZHANG_PUBLIC_URL?" in wrong["settings"]["detail"]
    nothing = tmp_path / "nothing"
    found = here.findings(data_dir=str(nothing), database_url=f"sqlite:///{nothing}/d.sqlite3")
    assert found["database.reachable"]["result"] == found["sealing.keys"]["result"] == "fail"
    assert not nothing.exists()  # who looks makes nothing


def test_tables_of_another_version_and_a_database_that_is_away(here: Deployment) -> None:
    database = here.service.context.database
    with database.read() as tx:
        revision = tx.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one()
    run(database, "UPDATE alembic_version SET version_num = '0001'")
    try:
        found = here.findings()
    finally:
        run(database, f"UPDATE alembic_version SET version_num = '{revision}'")
    assert found["database.migrated"]["result"] == "fail"
    assert "daozhang migrate" in found["database.migrated"]["detail"]
    away = here.findings(database_url=f"postgresql://u:hidden@127.0.0.1:{free_port()}/d")
    assert away["database.reachable"]["result"] == "fail"
    assert "hidden" not in json.dumps(away)


def test_postgresql_that_acknowledges_what_is_not_on_the_disk(here: Deployment) -> None:
    if not on_postgresql():
        pytest.skip("a setting of PostgreSQL's")
    url = f"{database_url(here.directory)}?options=-c%20synchronous_commit%3Doff"
    found = here.findings(database_url=url)["database.durable"]
    assert (found["result"], "synchronous_commit=off" in found["detail"]) == ("fail", True)
