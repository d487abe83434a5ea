"""Where the pages of transfers hang."""

from __future__ import annotations

from typing import Final

from starlette.routing import Route

from daozhang.console.rooms import Group, Link, Room
from daozhang.console.transfers import batches, limits, routes, sending
from daozhang.console.words import word
from daozhang.service.people.model import Right

ROOM: Final = Room(
    name="transfers",
    routes=[
        Route("/transfers", routes.list_page),
        Route("/transfers/new", sending.new_page, methods=["GET", "POST"]),
        Route("/transfers/limits", limits.limits_page, methods=["GET", "POST"]),
        Route("/transfers/sheets", batches.list_page),
        Route("/transfers/sheets/new", batches.new_page),
        Route("/transfers/sheets/new", batches.try_page, methods=["POST"]),
        Route("/transfers/sheets/send", batches.send_page, methods=["POST"]),
        Route("/transfers/sheets/template.{form}", batches.template_page),
        Route("/transfers/sheets/{number}", batches.batch_page),
        Route("/transfers/{number}", routes.transfer_page),
        Route("/transfers/{number}/query", routes.query, methods=["POST"]),
        Route("/transfers/{number}/receipt", routes.ask_receipt, methods=["POST"]),
        Route("/transfers/{number}/receipt.pdf", routes.take_receipt),
    ],
    links=[
        Link(
            title=word("Transfers"),
            icon="send",
            path="/transfers",
            right=Right.TRANSFERS_READ,
            group=Group.MONEY,
            place=55,
            key="x",
        )
    ],
)
