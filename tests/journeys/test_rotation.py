"""Alipay's key changes: certificate mode goes on by itself, key mode believes nobody until told."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from daozhang.alipay.certificates import CertificateSet
from daozhang.alipay.client import Alipay
from daozhang.alipay.config import Credentials, Environment
from daozhang.alipay.errors import AlipayError, OutcomeUnknown, Rejected
from daozhang.alipay.keys import PrivateKey, PublicKey
from daozhang.alipay.operations.trade import TradeQuery
from daozhang.clock import SystemClock
from daozhang.emulator.app import Emulator, create_emulator
from ports import free_port
from worlds import Server


@dataclass
class Place:
    """An emulator of its own: what is rotated stays so."""

    emulator: Emulator
    directory: Path
    base_url: str

    def client(self, *, certificates: bool) -> Alipay:
        given = self.emulator.credentials("shop")
        key = PrivateKey.load(given["app_private_key_pkcs8"])
        paths = {name: Path(given[f"{name}_path"]) for name in ("app_cert", "alipay_cert")}
        return Alipay(
            Credentials(
                app_id=given["app_id"],
                environment=Environment.EMULATOR,
                private_key=key,
                alipay_public_key=None
                if certificates
                else PublicKey.load(given["alipay_public_key"]),
                certificates=CertificateSet.load(
                    app=paths["app_cert"].read_text("ascii"),
                    alipay=paths["alipay_cert"].read_text("ascii"),
                    root=Path(given["alipay_root_cert_path"]).read_text("ascii"),
                )
                if certificates
                else None,
                gateway_url=given["gateway_url"],
                v3_base_url=given["v3_base_url"],
            )
        )


@pytest.fixture
def place(tmp_path: Path) -> Generator[Place]:
    port = free_port()
    emulator = create_emulator(tmp_path, clock=SystemClock(), port=port)
    with Server(emulator.asgi, port) as server:
        yield Place(emulator, tmp_path, server.base_url)


def said(client: Alipay) -> AlipayError:
    with pytest.raises(AlipayError) as caught:
        client.call(TradeQuery(out_trade_no="NOBODYS"))
    return caught.value


def test_a_rotated_certificate_is_downloaded_and_an_old_key_verifies_nothing(place: Place) -> None:
    with (
        place.client(certificates=True) as by_certificate,
        place.client(certificates=False) as by_key,
    ):
        assert isinstance(said(by_certificate), Rejected)
        assert isinstance(said(by_key), Rejected)
        before = place.emulator.credentials("shop")["alipay_public_key"]
        answer = httpx2.post(
            f"{place.base_url}/_control/rotate", json={}, trust_env=False, verify=False
        )
        assert answer.status_code == 200, answer.text
        after = place.emulator.credentials("shop")["alipay_public_key"]
        assert answer.json()["alipay_public_key"] == after != before
        # A signed "no such trade" is believed only if its signature verifies.
        assert isinstance(said(by_certificate), Rejected)
        assert isinstance(said(by_key), OutcomeUnknown)
    with place.client(certificates=False) as told_of_the_new_key:
        assert isinstance(said(told_of_the_new_key), Rejected)


def test_what_was_rotated_is_found_again_by_the_next_process(place: Place) -> None:
    place.emulator.rotate()
    place.emulator.rotate()
    given = place.emulator.credentials("shop")
    later = create_emulator(place.directory, clock=SystemClock(), port=free_port())
    assert later.credentials("shop")["alipay_public_key"] == given["alipay_public_key"]
    certificate = Path(given["alipay_cert_path"]).read_text("ascii")
    assert PublicKey.load(certificate) == PublicKey.load(given["alipay_public_key"])
