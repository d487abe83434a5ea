"""The official PyPI SDK, used as its README does, but for its connection (see below).

In: {"config": {...}, "calls": [[how, method, model, {"notify_url": ...}], ...]}, where `how` is
execute, page_execute or sdk_execute. Out: one {"value": ...} or {"error": ...} per call.
"""

import http.client
import importlib
import json
import sys
from urllib.parse import urlsplit

from alipay.aop.api.AlipayClientConfig import AlipayClientConfig
from alipay.aop.api.DefaultAlipayClient import DefaultAlipayClient
from alipay.aop.api.exception.Exception import RequestException, ResponseException
from alipay.aop.api.util import WebUtils


def connect_to_port(url, query_string, timeout):
    """The SDK's own connects to port 80 or 443 whatever the address says, and cannot be told."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
    return f"{parts.path}?{query_string}", connection


def named(folder, method, kind):
    name = "".join(word.capitalize() for word in method.split(".")) + kind
    return getattr(importlib.import_module(f"alipay.aop.api.{folder}.{name}"), name)


def answer(client, how, method, model, options):
    request = named("request", method, "Request")(
        biz_model=named("domain", method, "Model").from_alipay_dict(model)
    )
    http_method = options.pop("http_method", None)
    for name, value in options.items():
        setattr(request, name, value)
    if http_method is not None:
        return client.page_execute(request, http_method=http_method)
    content = getattr(client, how)(request)
    if how != "execute":
        return content
    response = named("response", method, "Response")()
    response.parse_response_content(content)
    return {"success": response.is_success(), **json.loads(content)}


def main():
    WebUtils.get_http_connection = connect_to_port
    asked = json.load(sys.stdin)
    config = AlipayClientConfig()
    for name, value in asked["config"].items():
        setattr(config, name, value)
    client = DefaultAlipayClient(config)
    answers = []
    for call in asked["calls"]:
        try:
            answers.append({"value": answer(client, *call)})
        except (RequestException, ResponseException) as thrown:
            answers.append({"error": str(thrown)})
    json.dump(answers, sys.stdout)


main()
