"""What tokens cost."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_core.domain import FREE, NO_USAGE, Prices, Usage
from rag_core.errors import ConfigurationError

USAGES = st.builds(Usage, st.integers(0, 10**6), st.integers(0, 10**6))


def test_a_typical_request_costs_what_the_reference_says() -> None:
    """1,000 tokens in and 100 out at the default prices: $0.00026."""
    assert Prices().cost_usd(Usage(1_000, 100)) == pytest.approx(0.00026)


def test_input_and_output_are_priced_apart() -> None:
    prices = Prices(input_usd=1.0, output_usd=10.0)
    assert prices.cost_usd(Usage(2, 3)) == 32.0


@given(USAGES, USAGES)
def test_the_cost_of_a_sum_is_the_sum_of_the_costs(one: Usage, other: Usage) -> None:
    prices = Prices()
    apart = prices.cost_usd(one) + prices.cost_usd(other)
    assert prices.cost_usd(one + other) == pytest.approx(apart)


@given(USAGES)
def test_no_usage_changes_nothing_and_free_is_free(usage: Usage) -> None:
    assert usage + NO_USAGE == usage
    assert FREE.cost_usd(usage) == 0.0


def test_a_price_must_be_a_finite_amount(subtests: pytest.Subtests) -> None:
    for name in ["input", "output"]:
        for wrong in [-1e-9, math.nan, math.inf]:
            with (
                subtests.test(wrong=wrong, name=name),
                pytest.raises(ConfigurationError, match=f"RAG_PRICE_{name.upper()}_USD"),
            ):
                Prices(**{f"{name}_usd": wrong})
