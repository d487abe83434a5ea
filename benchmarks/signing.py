"""A signed pay-page address, against the RSA signature alone."""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from benchmarks.case import Case, make_case
from benchmarks.rounds import Contender, in_process, measure, print_table
from daozhang import Money
from daozhang.alipay import Alipay, Credentials, Environment, PrivateKey, PublicKey, TradePagePay

PROMISE_OF_RAW = 0.85

RAW = "RSA sign alone, key kept (the floor)"
OURS = "daozhang: signed pay-page address"
BAD_HABIT = "RSA sign, key parsed at each call"


def run(rounds: int, seconds_per_turn: float) -> bool:
    """Prints the table; ``True`` if the promise is kept."""
    medians = measure(contenders(make_case()), rounds=rounds, seconds_per_turn=seconds_per_turn)
    raw, ours = medians[RAW], medians[OURS]
    rows = [
        [name, f"{1 / seconds:,.0f}", f"{raw / seconds:.2f}"] for name, seconds in medians.items()
    ]
    print_table("A signed pay-page address, one core", ["who", "per second", "of raw"], rows)
    kept = raw / ours >= PROMISE_OF_RAW
    print(f"promise: at least {PROMISE_OF_RAW} of raw -> {raw / ours:.2f}; kept: {kept}")
    return kept


def contenders(case: Case) -> list[Contender]:
    """The floor, ours, and the habit that costs most."""
    pkcs1, sha256 = padding.PKCS1v15(), hashes.SHA256()
    other = make_case()
    client = Alipay(
        Credentials(
            app_id="2021004133624086",
            private_key=PrivateKey.load(case.private_pkcs8),
            alipay_public_key=PublicKey.load(other.public_spki),
            environment=Environment.SANDBOX,
        )
    )
    order = TradePagePay(
        out_trade_no="202611201801177918570002",
        total_amount=Money.parse("88.88"),
        subject="明前龙井 250 克礼盒装",
    )

    def address() -> str:
        return client.page_url(
            order,
            notify_url="https://pay.example.com/alipay/notify/tea",
            return_url="https://pay.example.com/alipay/return/tea",
        )

    return [
        in_process(RAW, lambda: case.private_key.sign(case.canonical, pkcs1, sha256)),
        in_process(OURS, address),
        in_process(
            BAD_HABIT,
            lambda: PrivateKey.load(case.private_pkcs8).sign(case.canonical),
        ),
    ]
