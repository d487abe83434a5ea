"""The first page: every way to pay, each a door."""

from daozhang.demo.shop.look import Asked, both, page

WAYS = (
    ("/web", "页", "电脑网页", "A web page", "跳转到支付宝付款，再回来。", "To Alipay's page and back."),
    ("/embedded", "框", "嵌入本店页面", "In our own page", "五种二维码，不离开商店。",
     "Five codes, without leaving the shop."),
    ("/wap", "网", "手机浏览器", "A phone's browser", "手机网页付款，可中途放弃。", "Pay, or give up on the way."),
    ("/app", "应", "商家 App", "Our own app", "订单串交给支付宝，核对它带回的结果。",
     "An order string, and the check of what came back."),
    ("/mini", "小", "小程序", "A mini program", "先建交易，再由 my.tradePay 付款。", "A trade first, then my.tradePay."),
    ("/till", "收", "收银台", "The till", "扫买家付款码，或出示收款码。", "Scan the buyer's code, or show ours."),
    ("/hold", "押", "预授权押金", "A deposit", "冻结，扣一部分，其余解冻。", "Freeze, take a part, let the rest go."),
    ("/membership", "期", "周期扣款", "A membership", "签约一次，按期扣款。", "Sign once, be charged each period."),
)  # fmt: skip


def start(asked: Asked) -> str:
    """The doors."""
    del asked
    doors = "".join(
        f'<a class=door href="{at}"><span class=icon aria-hidden=true>{icon}</span>'
        f"<span><b>{zh}</b><i lang=en>{en}</i><small>{line}<br><span lang=en>{english}</span></small></span></a>"
        for at, icon, zh, en, line, english in WAYS
    )
    words = both(
        "选一种付款方式，亲手付一次。付款后页面会自己变为“到账”。",
        "Choose a way and pay. The page turns to paid by itself.",
    )
    body = f"<p class=lead>{words}</p><div class=doors>{doors}</div>"
    return page(("八种付款方式", "Eight ways to pay"), body, wide=True)


ROUTES = {"GET /": start}
