"""What the library's tests share."""

from __future__ import annotations

import pytest

from alipay.shells import Caller


@pytest.fixture(params=["sync", "async"])
def caller(request: pytest.FixtureRequest) -> Caller:
    """Calls through `Alipay`, and again through `AsyncAlipay`."""
    return Caller(request.param)
