"""alipay-sdk-python: parse and verify one notification, as its users do."""

import json
import sys
import time
from urllib.parse import parse_qsl

from alipay.aop.api.util.SignatureUtils import get_sign_content, verify_with_rsa

case = json.loads(sys.stdin.readline())
PUBLIC_KEY, BODY = case["public_key"], case["body"]


def work() -> bool:
    params = dict(parse_qsl(BODY))
    sign = params.pop("sign")
    params.pop("sign_type")
    return verify_with_rsa(PUBLIC_KEY, get_sign_content(params).encode(), sign)


print("ready" if work() else "refused", flush=True)
for line in sys.stdin:
    started = time.perf_counter()
    for _ in range(int(line)):
        work()
    print(time.perf_counter() - started, flush=True)
