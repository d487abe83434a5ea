"""Every page as a picture, in both languages and themes; kept if ``--screenshots`` says where."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.houses import PAGES, House

LOCALES = {"zh": "zh-CN", "en": "en-US"}
SIZES = {"desk": {"width": 1280, "height": 820}, "phone": {"width": 390, "height": 844}}


def test_every_page_can_be_pictured(
    house: House, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """A page that is nearly empty is a page whose style or content has not come."""
    folder = Path(request.config.getoption("--screenshots") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    number = house.fill()
    made: list[Path] = []
    for language in ("zh", "en"):
        for theme in ("light", "dark"):
            for size, viewport in SIZES.items():
                with house.visitor(
                    locale=LOCALES[language], color_scheme=theme, viewport=viewport
                ) as page:
                    house.open(page, "/sign_in")
                    made.append(folder / f"sign-in.{language}.{theme}.{size}.png")
                    page.screenshot(path=made[-1], full_page=True)
                with house.signed_in(language, color_scheme=theme, viewport=viewport) as page:
                    for path in (*PAGES, f"/m/shop/orders/{number}"):
                        house.open(page, path)
                        name = path.removeprefix("/m/shop").strip("/").replace(number, "order")
                        plain = "".join(c if c.isalnum() else "-" for c in name)
                        made.append(folder / f"{plain}.{language}.{theme}.{size}.png")
                        page.screenshot(path=made[-1], full_page=True)
    assert len({each.name for each in made}) == len(made)
    assert min(each.stat().st_size for each in made) > 10_000
