"""The catalogue: its data, and what a wrong name is told."""

from __future__ import annotations

import re

import pytest

from daozhang.alipay.catalogue import (
    TOP_LEVEL_METHODS,
    UnknownMethod,
    method_named,
    methods,
)
from daozhang.alipay.hints import hint_for


def test_every_method_is_well_formed():
    assert len(methods()) > 90
    for name, method in methods().items():
        assert re.fullmatch(r"alipay(\.[a-z0-9]+)+", name)
        assert method.v3 is None or re.fullmatch(
            r"(GET|POST|PUT|PATCH|DELETE) /v3/[a-z0-9/_{}]+", method.v3
        )
        assert len(set(method.request)) == len(method.request)


def test_methods_with_top_level_parameters_are_in_it():
    assert methods().keys() >= TOP_LEVEL_METHODS


def test_a_path_that_does_not_follow_from_the_name():
    feedback = method_named("alipay.merchant.tradecomplain.feedback.submit")
    assert feedback.v3 == "POST /v3/alipay/merchant/tradecomplain/feedback"


def test_a_wrong_name_is_told_the_close_ones():
    with pytest.raises(UnknownMethod, match=r"Did you mean alipay\.trade\.refund"):
        method_named("alipay.trade.refnud")
    with pytest.raises(UnknownMethod, match="unlisted=True") as unknown:
        method_named("something else")
    assert unknown.value.close == ()


def test_a_hint_is_in_both_languages_and_found_without_its_prefix():
    hint = hint_for("ACQ.SELLER_BALANCE_NOT_ENOUGH")
    assert hint is not None
    assert "top up" in hint
    assert "充值" in hint
    assert hint_for("invalid-signature") == hint_for("isv.invalid-signature") is not None
    assert hint_for("ACQ.NEVER_HEARD_OF") is None
