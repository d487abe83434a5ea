"""A buyer pays in the cashier in one tab; what the merchant has open in others turns by itself."""

from __future__ import annotations

from console.houses import House


def test_a_payment_in_the_cashier_turns_what_is_open_elsewhere(house: House) -> None:
    house.problems.clear()
    number = house.world.order("88.88", subject="明前龙井 250g")
    with house.signed_in() as overview, house.visitor() as buyer:
        overview.wait_for_url("**/m/shop/overview")
        orders, order = overview.context.new_page(), overview.context.new_page()
        house.open(orders, "/m/shop/orders")
        house.open(order, f"/m/shop/orders/{number}")
        tabs = (overview, orders, order)
        for tab in tabs:
            tab.wait_for_selector("[data-live-state=on]")
            tab.evaluate("window.neverLoadedAgain = true")
        row = orders.locator(f"tr[data-row='{number}']")
        assert "Not opened yet" in row.inner_text()
        assert overview.locator("#ticker .row-link").count() == 0

        buyer.goto(house.world.read(number)["pay_url"])
        buyer.fill("#password", "888888")
        buyer.click("#confirm")

        overview.locator(f"#ticker a[href$='/{number}']").wait_for(timeout=20_000)
        received = overview.locator("[data-row=tile-received].fresh .tile-value")
        received.wait_for(timeout=20_000)
        assert received.inner_text().replace("\n", "") == "88.88CNY"
        row.locator(".state-good").wait_for(timeout=20_000)
        told = order.locator(".story strong", has_text="The order is paid.")
        told.wait_for(timeout=20_000)
        assert all(tab.evaluate("window.neverLoadedAgain") for tab in tabs)
    assert house.problems == []
