"""The announcer: what Alipay tells merchants of, made into notifications and put on their way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from daozhang.emulator import wire
from daozhang.emulator.faults import Fault, FaultName, Faults
from daozhang.emulator.identity import App, Identities
from daozhang.emulator.ledger import Refund, Trade, new_notify_id
from daozhang.emulator.notices import (
    Distortion,
    Occasion,
    message_fields,
    notice_fields,
    signed_message,
    signed_notice,
)
from daozhang.emulator.notifier import Delivery, Notification
from daozhang.emulator.outgoing import Outgoing
from daozhang.emulator.switches import Switches, Triggers


class Announcer:
    """Puts notifications on their way. Its owner holds a lock."""

    def __init__(
        self,
        identities: Identities,
        faults: Faults,
        outgoing: Outgoing,
        now: Callable[[], datetime],
        switches: Callable[[str], Switches],
    ) -> None:
        self.overdue: set[str] = set()
        """Trades whose notification has to arrive before the answer does."""
        self._identities = identities
        self._faults = faults
        self._outgoing = outgoing
        self._now = now
        self._switches = switches

    def _strikes(self, name: FaultName, trade: Trade) -> Fault | None:
        return self._faults.strike(
            name, out_trade_no=trade.out_trade_no, app_id=trade.request.app_id
        )

    def triggers(self, trade: Trade) -> Triggers:
        return self._switches(trade.request.app_id).triggers(trade.request.product)

    def close(self, trade: Trade, notify_url: str = "") -> None:
        if notify_url or self.triggers(trade).closed:
            self.announce(trade, Occasion.CLOSED, url=notify_url)

    def refund(self, trade: Trade, refund: Refund) -> None:
        triggers = self.triggers(trade)
        if triggers.partial_refund if trade.remaining else triggers.full_refund:
            self.announce(trade, Occasion.REFUNDED, refund=refund)

    def announce(
        self, trade: Trade, occasion: Occasion, *, refund: Refund | None = None, url: str = ""
    ) -> None:
        """Queues the notification of a change, for the address that the payment named."""
        address = url or trade.request.notify_url
        app = self._identities.app_by_id(trade.request.app_id)
        if not address or app is None:
            return
        self.queue(
            app_id=app.app_id,
            number=trade.out_trade_no,
            occasion=occasion,
            url=address,
            fields=self._fields(trade, occasion, app, self._switches(app.app_id), refund),
        )

    def queue(
        self, *, app_id: str, number: str, occasion: Occasion, url: str, fields: dict[str, str]
    ) -> None:
        """Queues a notification for ``url``, if there is one; faults find it by ``number``."""
        if not url:
            return

        def strikes(name: FaultName) -> Fault | None:
            return self._faults.strike(name, out_trade_no=number, app_id=app_id)

        lost = strikes(FaultName.NOTIFY_NEVER) is not None
        held = strikes(FaultName.NOTIFY_OUT_OF_ORDER)
        twice = strikes(FaultName.NOTIFY_TWICE) is not None
        now = self._now()
        wait = timedelta(seconds=0 if held is None else held.duration_seconds)
        self._outgoing.add(
            Notification(
                notify_id=new_notify_id(now),
                app_id=app_id,
                out_trade_no=number,
                occasion=occasion,
                url=url,
                fields=fields,
                content_type_form=self._switches(app_id).content_type,
                created_at=now,
                due_at=None if lost else now + wait,
                copies=2 if twice else 1,
                delivery=Delivery.DROPPED if lost else Delivery.PENDING,
            )
        )
        if strikes(FaultName.NOTIFY_BEFORE_RETURN) is not None:
            self.overdue.add(number)

    def _fields(
        self,
        trade: Trade,
        occasion: Occasion,
        app: App,
        switches: Switches,
        refund: Refund | None,
    ) -> dict[str, str]:
        distortion = Distortion(
            amount_off_by_one=self._strikes(FaultName.AMOUNT_OFF_BY_ONE, trade) is not None,
            without_ids=occasion is Occasion.REFUNDED
            and self._strikes(FaultName.REFUND_NOTICE_WITHOUT_IDS, trade) is not None,
        )
        return notice_fields(trade, occasion, app, switches, refund=refund, distortion=distortion)

    def message(
        self, app: App, msg_method: str, content: Mapping[str, Any], *, encrypted: bool = False
    ) -> Notification | None:
        """A message for the app's gateway address; ``None`` if it has none."""
        switches = self._switches(app.app_id)
        if not switches.gateway_url:
            return None
        text = wire.compact_json(dict(content))
        now = self._now()
        never = self._faults.strike(FaultName.NOTIFY_NEVER, app_id=app.app_id) is not None
        notification = Notification(
            notify_id=new_notify_id(now),
            app_id=app.app_id,
            out_trade_no=str(content.get("out_trade_no") or ""),
            occasion=Occasion.MESSAGE,
            url=switches.gateway_url,
            fields=message_fields(app.app_id, msg_method, text, now)
            | (
                {"biz_content": wire.encrypt(text.encode(), app.aes_key), "encrypt_type": "AES"}
                if encrypted
                else {}
            ),
            content_type_form=switches.content_type,
            created_at=now,
            due_at=None if never else now,
            delivery=Delivery.DROPPED if never else Delivery.PENDING,
        )
        self._outgoing.add(notification)
        return notification

    def body_of(self, notification: Notification) -> bytes:
        """The body of the attempt that is about to be made."""
        spoiled = self._faults.strike(
            FaultName.NOTIFY_BAD_SIGNATURE,
            out_trade_no=notification.out_trade_no,
            app_id=notification.app_id,
        )
        if notification.occasion is Occasion.MESSAGE:
            fields = {**notification.fields, "notify_id": notification.notify_id}
            return signed_message(fields, key_of(self._identities), spoiled=spoiled is not None)
        fields = {**notification.fields, "notify_id": notification.notify_id}
        key = key_of(self._identities)
        return signed_notice(fields, key, self._now(), spoiled=spoiled is not None)


def key_of(identities: Identities) -> RSAPrivateKey:
    """The key with which Alipay signs now."""
    return identities.authority.private_key
