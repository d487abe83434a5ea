"""An App with a key for content: every call is encrypted, and so may be what Alipay tells."""

from __future__ import annotations

from pathlib import Path

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
