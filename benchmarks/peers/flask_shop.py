"""What a tutorial builds: Flask, python-alipay-sdk and the ORM of SQLAlchemy; served by gunicorn.

With what any shop has that cares at all: the number is looked up and locked, the amount compared,
a repeated notification recognised, an event written, one commit, then "success".
"""

import json
import os
import textwrap

from flask import Flask, request
from sqlalchemy import ForeignKey, create_engine, event, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from alipay import AliPay

URL = os.environ["FLASK_SHOP_DATABASE_URL"]
POOL = {} if URL.startswith("sqlite") else {"pool_size": 16}


def pem(kind: str, text: str) -> str:
    lines = "\n".join(textwrap.wrap(text, 64))
    return f"-----BEGIN {kind}-----\n{lines}\n-----END {kind}-----"


CLIENT = AliPay(
    appid="2021004133624086",
    app_notify_url=None,
    app_private_key_string=pem("RSA PRIVATE KEY", os.environ["FLASK_SHOP_PRIVATE_KEY"]),
    alipay_public_key_string=pem("PUBLIC KEY", os.environ["FLASK_SHOP_PUBLIC_KEY"]),
    sign_type="RSA2",
)


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"
    out_trade_no: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str]
    amount: Mapped[str]
    trade_no: Mapped[str | None]
    paid_at: Mapped[str | None]


class Notification(Base):
    __tablename__ = "notifications"
    notify_id: Mapped[str] = mapped_column(primary_key=True)
    out_trade_no: Mapped[str]
    body: Mapped[bytes]


class Event(Base):
    __tablename__ = "events"
    id: Mapped[int] = mapped_column(primary_key=True)
    out_trade_no: Mapped[str] = mapped_column(ForeignKey("orders.out_trade_no"))
    type: Mapped[str]
    data: Mapped[str]


engine = create_engine(URL, **POOL)
if URL.startswith("sqlite"):

    @event.listens_for(engine, "connect")
    def durable(connection, _record):
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA busy_timeout=30000")


app = Flask(__name__)


@app.post("/alipay/notify/<shop>")
def notify(shop):  # noqa: ARG001 - the route has it
    body = request.get_data(cache=True)
    data = request.form.to_dict()
    signature = data.pop("sign")
    if not CLIENT.verify(data, signature):
        return "fail", 400
    with Session(engine) as session:
        if session.get(Notification, data["notify_id"]) is None:
            session.add(
                Notification(
                    notify_id=data["notify_id"], out_trade_no=data["out_trade_no"], body=body
                )
            )
            order = session.scalars(
                select(Order).where(Order.out_trade_no == data["out_trade_no"]).with_for_update()
            ).one()
            paid = data["trade_status"] in ("TRADE_SUCCESS", "TRADE_FINISHED")
            if order.status == "waiting" and paid and order.amount == data["total_amount"]:
                order.status = "paid"
                order.trade_no = data["trade_no"]
                order.paid_at = data["gmt_payment"]
                paid_event = {"out_trade_no": order.out_trade_no, "trade_no": order.trade_no}
                session.add(
                    Event(
                        out_trade_no=order.out_trade_no,
                        type="order.paid",
                        data=json.dumps({**paid_event, "amount": order.amount}),
                    )
                )
            session.commit()
    return "success"
