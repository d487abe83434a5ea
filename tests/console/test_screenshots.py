"""Every page as a picture: in both languages and themes, on a desk and on a phone, if
``--screenshots`` says where they are kept; else in one look."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from console.furnishing import furnish
from console.houses import PAGES, House

LOCALES = {"zh": "zh-CN", "en": "en-US"}
ONE_LOOK = [("zh", "light", "phone")]
SIZES = {"desk": {"width": 1280, "height": 820}, "phone": {"width": 390, "height": 844}}


def test_every_page_can_be_pictured(
    house: House, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """A page that is nearly empty is a page whose style or content has not come."""
    kept: str | None = request.config.getoption("--screenshots")
    looks = itertools.product(LOCALES, ("light", "dark"), SIZES) if kept else ONE_LOOK
    folder = Path(kept or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    number = house.fill()
    # What needs rows of its own is pictured for those who keep the pictures.
    furnished = furnish(house) if kept else []
    made: list[Path] = []
    for language, theme, size in looks:
        shown = {"color_scheme": theme, "viewport": SIZES[size]}
        look = f"{language}.{theme}.{size}.png"
        with house.visitor(locale=LOCALES[language], **shown) as page:
            house.open(page, "/sign_in")
            made.append(folder / f"sign-in.{look}")
            page.screenshot(path=made[-1], full_page=True)
        with house.signed_in(language, **shown) as page:
            for path in (*PAGES, f"/m/shop/orders/{number}", *furnished):
                house.open(page, path)
                name = path.removeprefix("/m/shop").strip("/").replace(number, "order")
                plain = "".join(c if c.isalnum() else "-" for c in name)
                if folder / f"{plain}.{look}" in made:
                    plain += "-furnished"
                made.append(folder / f"{plain}.{look}")
                page.screenshot(path=made[-1], full_page=True)
    assert len({each.name for each in made}) == len(made)
    assert min(each.stat().st_size for each in made) > 10_000
