"""What Alipay signs in GBK, and what strangers sign: read as it is meant, by whoever may."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote_from_bytes

from console.desk import Visitor
from daozhang.service.people.actions import change_own_language
from daozhang.service.people.model import Language, Role
from people_here import add_person
from signed_world import FORM, paid, sign, signed_world


def gbk(fields: dict[str, str]) -> bytes:
    """``fields`` as a body in GBK, signed over its bytes."""
    covered = "&".join(f"{name}={fields[name]}" for name in sorted(fields)).encode("gb18030")
    whole = {**fields, "sign_type": "RSA2", "sign": sign(covered)}
    parts = (f"{name}={quote_from_bytes(text.encode('gb18030'))}" for name, text in whole.items())
    return "&".join(parts).encode()


def test_a_notification_in_gbk_reads_as_it_was_meant(tmp_path: Path) -> None:
    with signed_world(tmp_path) as world:
        world.create("A-1")
        told = gbk(paid("A-1", charset="GBK", subject="明前龙井"))
        assert world.notify(told, content_type=FORM).content == b"success"
        world.pass_time()
        developer = add_person(world.context, "developer", Role.DEVELOPER)
        change_own_language(world.context, developer, Language.ENGLISH)
        visitor = Visitor(world, "developer@example.com")
        try:
            page = visitor.read("/m/shop/notifications/1")
            assert "<code>明前龙井</code>" in page
            assert "subject=%C3%F7%C7%B0%C1%FA%BE%AE" in page
            assert "RSA2 · GBK" in page
            assert visitor.post("/m/shop/notifications/1/apply").status_code == 303
            assert world.events() == [("order.paid", "A-1")]
        finally:
            visitor.close()


def test_a_message_of_the_gateway_is_shown_with_its_content(tmp_path: Path) -> None:
    with signed_world(tmp_path) as world:
        content = '{"agreement_no":"2026","alipay_logon_id":"zhang@example.com"}'
        fields = {
            "msg_method": "alipay.user.agreement.something",
            "notify_id": "m-1",
            "app_id": paid("x")["app_id"],
            "charset": "utf-8",
            "version": "1.1",
            "biz_content": content,
        }
        world.tell(fields)
        world.pass_time()
        add_person(world.context, "developer", Role.DEVELOPER)
        visitor = Visitor(world, "developer@example.com")
        try:
            assert "alipay.user.agreement.something" in visitor.read(
                "/m/shop/notifications?status=messages"
            )
            page = visitor.read("/m/shop/notifications/1")
            assert '"agreement_no": "2026"' in page
            assert "zhang" not in page
            before = len(world.events())
            assert visitor.post("/m/shop/notifications/1/apply").status_code == 303
            assert len(world.events()) == before == 1
        finally:
            visitor.close()
