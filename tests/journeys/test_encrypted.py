"""An App with a key for content: every call is encrypted, and so may be what Alipay tells."""

from __future__ import annotations

from pathlib import Path

import httpx2

from worlds import open_gateway, running


def test_an_encrypted_message_is_read(tmp_path: Path) -> None:
    with running(tmp_path, encrypts=True) as world:
        open_gateway(world)
        world.emulator.send_message(
            "alipay.open.app.brandnew.changed", {"secret": "花呗"}, app="shop", encrypted=True
        )
        world.settle()
        [message] = world.api.get("/v1/messages").json()["data"]
        whole = world.api.get(f"/v1/messages/{message['id']}").json()
        assert whole["content"] == {"secret": "花呗"}
        # With a key for content every call is encrypted, too: an order is paid all the same.
        number = world.order()
        world.pay(number)
        world.settle()
        assert world.read(number)["status"] == "paid"


def test_a_phone_number_is_verified_and_then_read(tmp_path: Path) -> None:
    with running(tmp_path, encrypts=True) as world:
        app_id = world.emulator.credentials("shop")["app_id"]
        given = httpx2.post(
            f"{world.emulator.base_url}/_control/phone_number",
            json={"app_id": app_id, "mobile": "13912345678"},
            trust_env=False,
            verify=False,
        ).json()
        read = world.api.post("/v1/phone_numbers", json=given)
        assert read.json() == {"object": "phone_number", "mobile": "13912345678"}
        for spoiled in ({"sign": given["sign"][::-1]}, {"response": given["response"][::-1]}):
            refused = world.api.post("/v1/phone_numbers", json={**given, **spoiled})
            assert (refused.status_code, refused.json()["code"]) == (422, "phone_number_not_read")
            assert "13912345678" not in refused.text
