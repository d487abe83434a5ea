"""python-alipay-sdk, used as its README does. In: {"config", "calls": [[method, arguments]]}."""

import json
import sys

from alipay.exceptions import AliPayException

from alipay import AliPay


def pem(kind, bare):
    lines = [bare[start : start + 64] for start in range(0, len(bare), 64)]
    return "\n".join([f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----"])


def main():
    asked = json.load(sys.stdin)
    config = asked["config"]
    alipay = AliPay(
        appid=config["app_id"],
        app_notify_url=None,
        app_private_key_string=pem("RSA PRIVATE KEY", config["app_private_key"]),
        alipay_public_key_string=pem("PUBLIC KEY", config["alipay_public_key"]),
        sign_type="RSA2",
    )
    alipay._gateway = config["gateway_url"]
    answers = []
    for method, arguments in asked["calls"]:
        try:
            answers.append({"value": getattr(alipay, method)(**arguments)})
        except AliPayException as thrown:
            answers.append({"error": str(thrown)})
    json.dump(answers, sys.stdout)


main()
