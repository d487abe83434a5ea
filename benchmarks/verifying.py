"""One notification: parse, order, verify. Ours makes every named check and gives a typed result."""

from __future__ import annotations

from urllib.parse import parse_qsl

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from benchmarks.case import Case, make_case
from benchmarks.peers import node_peer, python_peer
from benchmarks.rounds import Contender, in_process, measure, print_table
from daozhang.alipay.config import VerifyingKeys
from daozhang.alipay.keys import PublicKey
from daozhang.alipay.notify import verify

PROMISE_OF_BARE = 3.0
PROMISE_OVER_FZLEE = 7.0

BARE = "RSA verify alone, key kept (the floor)"
PARSE = "urllib parse_qsl alone"
OURS = "daozhang: every check, typed result"
NODE = "npm alipay-sdk 4.14"
OFFICIAL = "alipay-sdk-python 3.7"
FZLEE = "python-alipay-sdk 3.4"


def run(rounds: int, seconds_per_turn: float) -> bool:
    """Prints the table; ``True`` if the promises are kept."""
    case = make_case()
    medians = measure(contenders(case), rounds=rounds, seconds_per_turn=seconds_per_turn)
    bare, ours, fzlee = medians[BARE], medians[OURS], medians[FZLEE]
    rows = [
        [name, f"{seconds * 1e6:.1f}", f"{seconds / bare:.2f}", f"{seconds / ours:.2f}"]
        for name, seconds in medians.items()
    ]
    title = f"One notification, one core: {len(case.fields)} fields, {len(case.body)} bytes"
    print_table(title, ["who", "µs", "x bare", "x ours"], rows)
    kept = ours <= PROMISE_OF_BARE * bare and fzlee >= PROMISE_OVER_FZLEE * ours
    print(
        f"promise: at most {PROMISE_OF_BARE:.1f} x bare -> {ours / bare:.2f}; at least "
        f"{PROMISE_OVER_FZLEE:.0f} x {FZLEE} -> {fzlee / ours:.1f}; kept: {kept}"
    )
    return kept


def contenders(case: Case) -> list[Contender]:
    """Everybody, the floor first."""
    keys = VerifyingKeys((PublicKey.load(case.public_spki),))
    public = case.private_key.public_key()
    pkcs1, sha256 = padding.PKCS1v15(), hashes.SHA256()
    text = case.body.decode("ascii")
    child = case.for_child()
    return [
        in_process(BARE, lambda: public.verify(case.signature, case.canonical, pkcs1, sha256)),
        in_process(PARSE, lambda: parse_qsl(text)),
        in_process(OURS, lambda: verify(case.body, keys)),
        node_peer(NODE, "verify_node.mjs", child),
        python_peer(OFFICIAL, "official", "verify_official.py", child),
        python_peer(FZLEE, "fzlee", "verify_fzlee.py", child),
    ]
