"""python-alipay-sdk: parse and verify one notification, as its users do."""

import json
import sys
import textwrap
import time
from urllib.parse import parse_qsl

from alipay import AliPay

case = json.loads(sys.stdin.readline())
BODY = case["body"]


def pem(kind: str, text: str) -> str:
    lines = "\n".join(textwrap.wrap(text, 64))
    return f"-----BEGIN {kind}-----\n{lines}\n-----END {kind}-----"


CLIENT = AliPay(
    appid="2021004133624086",
    app_notify_url=None,
    app_private_key_string=pem("RSA PRIVATE KEY", case["private_key_pkcs1"]),
    alipay_public_key_string=pem("PUBLIC KEY", case["public_key"]),
    sign_type="RSA2",
)


def work() -> bool:
    params = dict(parse_qsl(BODY))
    return CLIENT.verify(params, params.pop("sign"))


print("ready" if work() else "refused", flush=True)
for line in sys.stdin:
    started = time.perf_counter()
    for _ in range(int(line)):
        work()
    print(time.perf_counter() - started, flush=True)
