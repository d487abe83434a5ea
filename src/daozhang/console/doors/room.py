"""Where the doors hang."""

from __future__ import annotations

from typing import Final

from starlette.routing import Route

from daozhang.console.doors import entering, own
from daozhang.console.rooms import Room

_BOTH: Final = ["GET", "POST"]
_POST: Final = ["POST"]

ROOM: Final = Room(
    name="doors",
    of_merchant=False,
    routes=[
        Route("/sign_in", entering.sign_in_page, methods=_BOTH),
        Route("/sign_in/code", entering.code_page, methods=_BOTH),
        Route("/sign_in/passkey", entering.ask_passkey),
        Route("/sign_in/passkey", entering.take_passkey, methods=_POST),
        Route("/language", entering.choose_language, methods=_POST),
        Route("/invitation/{token}", entering.invitation_page, methods=_BOTH),
        Route("/welcome/{token}", entering.welcome),
        Route("/sign_out", own.sign_out, methods=_POST),
        Route("/devices", own.devices_page),
        Route("/devices/end", own.end_device, methods=_POST),
        Route("/security", own.security_page),
        Route("/security/confirm", own.confirm_page, methods=_BOTH),
        Route("/security/password", own.password_page, methods=_BOTH),
        Route("/security/app", own.app_page, methods=_BOTH),
        Route("/security/app/remove", own.remove_app, methods=_POST),
        Route("/security/codes", own.renew_codes, methods=_POST),
        Route("/security/passkey", own.ask_new_passkey),
        Route("/security/passkey", own.take_new_passkey, methods=_POST),
        Route("/security/passkey/remove", own.remove_own_passkey, methods=_POST),
    ],
)
