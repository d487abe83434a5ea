"""The code that a buyer scans: made at Alipay for an order, and drawn as a picture.

There is no trade at Alipay until somebody scans it, so making one charges nobody and can be repeated.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

import segno

from daozhang.alipay.errors import OutcomeUnknown, Rejected
from daozhang.alipay.operations.trade import TradePrecreate
from daozhang.service.merchants.clients import Clients
from daozhang.service.orders.handing import notify_address, terms_of
from daozhang.service.orders.model import Order
from daozhang.service.till.refusals import CodeNotMade, CodeRefused
from daozhang.service.web.context import Context

CODE_LIFE: Final = timedelta(hours=2)
"""A code lives no longer, whatever its order's expiry (apis.md §7)."""

QUIET_MODULES: Final = 4
"""The white border that ISO/IEC 18004 asks for."""

PictureKind = Literal["svg", "png"]

MEDIA_TYPES: Final[dict[PictureKind, str]] = {"svg": "image/svg+xml", "png": "image/png"}


@dataclass(frozen=True, slots=True)
class MadeCode:
    """What the buyer scans: the text of the code, and until when it can be paid."""

    text: str
    expires_at: datetime


def make_code(context: Context, clients: Clients, order: Order) -> MadeCode:
    """A code for ``order`` from Alipay. The caller has noted that one is handed out.

    Raises `CodeRefused` for a definite no, `CodeNotMade` if nobody knows: ask again, it charges
    nobody.
    """
    asked_at = context.clock.now()
    merchant = clients.merchant(order.merchant_id)
    operation = TradePrecreate(
        **terms_of(order), operator_id=order.operator_id, terminal_id=order.terminal_id
    )
    try:
        made = clients.client_for(order.merchant_id).call(
            operation, notify_url=notify_address(context, merchant)
        )
    except Rejected as no:
        raise CodeRefused(order, no) from no
    except OutcomeUnknown as unknown:
        raise CodeNotMade(order, unknown.reason) from unknown
    if not made.qr_code:
        raise CodeNotMade(order, "Alipay's answer holds no code")
    return MadeCode(made.qr_code, min(order.expires_at, asked_at + CODE_LIFE))


def draw(text: str, kind: PictureKind, module_pixels: int) -> bytes:
    """The QR code of ``text``, each of its modules ``module_pixels`` wide, with its white border."""
    drawn = io.BytesIO()
    code = segno.make_qr(text, error="m")
    # A picture with its own white: codes are shown on dark pages too.
    code.save(drawn, kind=kind, scale=module_pixels, border=QUIET_MODULES, light="#fff")
    return drawn.getvalue()
