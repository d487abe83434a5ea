"""The overview in a browser: numbers that change with their cause, and money that is spoken of once."""

from __future__ import annotations

import re
import time
from datetime import timedelta

import httpx2
import pytest
from playwright.sync_api import Page

from console.houses import House
from daozhang.clock import BEIJING
from daozhang.money import Money
from daozhang.service.outbox.streams import SHUTDOWN
from daozhang.service.people.model import Role, SignInStep
from daozhang.service.people.sessions import begin_session
from people_here import add_person

STUB = """
window.spoken = [];
const synthesis = {
  getVoices: () => [],
  cancel: () => {},
  speak: (words) => { window.spoken.push([words.text, words.lang]); setTimeout(() => words.onend?.(), 20); },
};
Object.defineProperty(window, "speechSynthesis", { value: synthesis });
"""


END_OF_FIRST_BAR = """(() => {
  const chart = echarts.getInstanceByDom(document.getElementById("by-way"));
  const { data } = chart.getOption().series[0];
  const [x, y] = chart.convertToPixel({ seriesIndex: 0 }, [Number(data[0].value), 0]);
  return { x: x - 8, y };
})()"""

LAST_POINT_OF_TODAY = """(() => {
  const chart = echarts.getInstanceByDom(document.getElementById("by-hour"));
  const { data } = chart.getOption().series[1];
  const last = data.findLastIndex(({ href }) => href);
  const [x, y] = chart.convertToPixel({ seriesIndex: 1 }, [last, Number(data[last].value)]);
  return { x: x + 2, y: y + 2 };
})()"""


def spoken(page: Page) -> list[list[str]]:
    return page.evaluate("window.spoken")


def becomes_spoken(page: Page, count: int) -> None:
    """Waits until so many things were said. By asking: the page's policy lets nobody evaluate text."""
    deadline = time.monotonic() + 20
    while len(spoken(page)) < count:
        assert time.monotonic() < deadline, "nothing was said"
        page.wait_for_timeout(50)


def value_of(page: Page, key: str) -> str:
    return page.locator(f"[data-row=tile-{key}] .tile-value").inner_text().replace("\n", "")


def arrives(page: Page, number: str) -> None:
    page.locator(f"#ticker a[href$='/{number}']").first.wait_for(timeout=20_000)


@pytest.fixture(scope="module")
def number(house: House) -> str:
    return house.fill()


def test_numbers_move_with_their_cause_and_lead_to_their_rows(house: House, number: str) -> None:
    house.problems.clear()
    with house.signed_in() as page:
        page.wait_for_url("**/m/shop/overview")  # where people land
        assert value_of(page, "orders") == "6"
        assert value_of(page, "received") == "2,450.40CNY"
        assert value_of(page, "refunded") == "88.00CNY"
        assert value_of(page, "net") == "2,362.40CNY"
        assert value_of(page, "rate") == "66.7%"
        page.wait_for_selector("[data-live-state=on]")
        page.evaluate("window.neverLoadedAgain = true")
        late = house.world.order("10.00", subject="白茶")
        house.world.pay(late)
        house.world.settle()
        page.locator("[data-row=tile-received].fresh").wait_for(timeout=20_000)
        assert value_of(page, "received") == "2,460.40CNY"
        arrives(page, late)
        assert page.evaluate("window.neverLoadedAgain") is True
        for key, rows in (("received", 5), ("refunded", 1), ("orders", 7)):
            page.click(f"[data-row=tile-{key}] .tile-value a")
            page.wait_for_url("**/orders?**")
            assert page.locator("tr[data-row]").count() == rows, key
            page.go_back()
        page.click("#ticker a.row-link >> nth=0")
        page.wait_for_url(f"**/orders/{late}")
    assert house.problems == []


def test_charts_have_their_tables_and_lead_to_their_rows(house: House, number: str) -> None:
    with house.signed_in() as page:
        house.open(page, "/m/shop/overview?days=7")
        page.locator("#by-way canvas").wait_for()
        assert page.locator(".chart canvas").count() == 3
        page.click("#charts .as-table >> nth=1 >> summary")
        assert "Mar 2, 2026" in page.locator("#charts .as-table >> nth=1").inner_text()
        options = page.locator("#by-way-options").get_attribute("data-options") or ""
        assert re.search(r'"href": ?"/console/m/shop/orders\?by=paid[^"]*way=page"', options)
        page.locator("#by-way").scroll_into_view_if_needed()
        page.wait_for_timeout(1500)  # the bars grow before they stand
        page.locator("#by-way").click(position=page.evaluate(END_OF_FIRST_BAR))
        page.wait_for_url("**/orders?**way=page")
        assert "by=paid&from=2026-02-24&to=2026-03-02" in page.url


def test_an_hour_leads_to_its_rows_and_all_merchants_to_each_of_them(
    house: House, number: str
) -> None:
    hour = house.world.service.context.clock.now().astimezone(BEIJING).hour
    with house.signed_in() as page:
        house.open(page, "/m/shop/overview")
        page.locator("#by-hour canvas").wait_for()
        page.click("#charts .as-table >> nth=0 >> summary")
        row = page.locator("#charts .as-table >> nth=0 >> tbody tr").nth(hour)
        amount = row.locator("a").inner_text()
        row.locator("a").click()
        page.wait_for_url(f"**/orders?**hour={hour}")
        assert page.input_value("select[name=hour]") == str(hour)  # seen, and can be taken back
        shown = page.locator("tr[data-row] td.num a").all_inner_texts()
        total = Money.total(Money.parse(one.split("C")[0].replace(",", "")) for one in shown)
        assert total == Money.parse(amount.replace(",", ""))
        page.goto(page.url.replace(f"hour={hour}", f"hour={(hour + 5) % 24}"))
        assert page.locator("tr[data-row]").count() == 0
        house.open(page, "/m/shop/overview")
        page.locator("#by-hour canvas").wait_for()
        page.locator("#by-hour").scroll_into_view_if_needed()
        page.wait_for_timeout(1500)  # the lines are drawn before they stand
        page.locator("#by-hour").click(position=page.evaluate(LAST_POINT_OF_TODAY))
        page.wait_for_url(f"**/orders?**hour={hour}")
        house.open(page, "/overview?environment=emulator&days=30")
        page.click("[data-row=tile-received] .tile-value a")
        page.wait_for_url("**/overview?environment=emulator&days=1#by-merchant")


def test_money_is_spoken_of_once_and_only_as_it_arrives(house: House, number: str) -> None:
    world = house.world
    with house.visitor() as page:
        page.add_init_script(STUB)
        house.sign_in(page, house.owner("zh"))
        page.wait_for_url("**/m/shop/overview")
        page.wait_for_selector("[data-live-state=on]")

        def pay(amount: str) -> str:
            order = world.order(amount, subject="茶")
            world.pay(order)
            world.settle()
            arrives(page, order)
            return order

        pay("1.11")
        assert spoken(page) == []  # off unless somebody turns it on
        page.click("#speak")
        assert page.get_attribute("#speak", "aria-pressed") == "true"
        first = pay("88.88")
        becomes_spoken(page, 1)
        assert spoken(page) == [["支付宝到账 88.88 元", "zh-CN"]]
        # A refund, and one more refresh of the same rows: nothing is said.
        world.advance(10)
        world.refund(first, "8.00", "R-1")
        world.advance(10)
        page.locator("#ticker .ticker-back").first.wait_for(timeout=20_000)
        page.reload()
        page.wait_for_selector("[data-live-state=on]")
        assert page.get_attribute("#speak", "aria-pressed") == "true"  # kept in this browser
        assert spoken(page) == []
        # What came while the page was away is shown, and not said.
        page.context.set_offline(True)  # or it may be back before the payment
        world.service.context.signals.wake(SHUTDOWN)  # every stream ends
        page.wait_for_selector("[data-live-state=off]", timeout=20_000)
        missed = world.order("2.22", subject="茶")
        world.pay(missed)
        world.settle()
        page.context.set_offline(False)
        page.wait_for_selector("[data-live-state=on]", timeout=30_000)
        arrives(page, missed)
        page.wait_for_timeout(600)
        assert spoken(page) == []
        # Two windows of one browser: one of them says it.
        second = page.context.new_page()
        second.add_init_script(STUB)
        house.open(second, "/m/shop/overview")
        second.wait_for_selector("[data-live-state=on]")
        order = pay("3.33")
        arrives(second, order)
        second.wait_for_timeout(1000)
        assert spoken(page) + spoken(second) == [["支付宝到账 3.33 元", "zh-CN"]]


def test_what_was_paid_long_ago_is_not_spoken_of(house: House, number: str) -> None:
    world = house.world
    with house.visitor() as page:
        page.add_init_script(STUB)
        house.sign_in(page, house.owner("en"))
        page.wait_for_url("**/m/shop/overview")
        page.wait_for_selector("[data-live-state=on]")
        page.click("#speak")
        late = world.order("4.44", subject="tea")
        world.open_page(late)
        world.postman.holding = True
        world.emulator.pay(late)
        world.emulator.settle()
        world.clock.advance(timedelta(minutes=5).total_seconds())
        world.postman.holding = False
        world.settle()
        arrives(page, late)
        prompt = world.order("5.55", subject="tea")
        world.pay(prompt)
        world.settle()
        arrives(page, prompt)
        becomes_spoken(page, 1)
        assert spoken(page) == [["Alipay received 5.55 yuan", "en-US"]]


ALLOWED = {Role.VIEWER, Role.FINANCE, Role.DEVELOPER, Role.OWNER}


@pytest.mark.parametrize("role", list(Role))
def test_who_sees_it(house: House, role: Role) -> None:
    context = house.world.service.context
    person = add_person(context, f"sees{role.value}", role)
    with context.database.begin() as tx:
        signed_in = begin_session(
            tx,
            person,
            SignInStep.SIGNED_IN,
            address="127.0.0.1",
            agent="test",
            now=context.clock.now(),
        )
    cookies = {"daozhang_session": signed_in.token}
    with httpx2.Client(cookies=cookies, trust_env=False, verify=False, timeout=60) as client:
        for path in ("/overview", "/m/shop/overview", "/m/shop/overview/at_risk"):
            answer = client.get(house.base + path)
            assert answer.status_code == (200 if role in ALLOWED else 403), (role, path)
        start = client.get(f"{house.base}/")
        wanted = "/m/shop/overview" if role in ALLOWED else "/m/shop/orders"
        assert start.headers["location"].endswith(wanted)
        assert client.get(f"{house.base}/m/nobody/overview").status_code == 404
