"""Limits as operators write them."""

from __future__ import annotations

import pytest

from rag_core.errors import ConfigurationError
from rag_core.throttle import Count, RateLimit, Standing, rate_limits


def test_texts_become_limits_with_the_shortest_window_first() -> None:
    limits = rate_limits("user", ["500/day", "10/minute", "2/second", "100/hour"])
    assert [str(each) for each in limits] == ["2/second", "10/minute", "100/hour", "500/day"]
    assert [each.seconds for each in limits] == [1, 60, 3_600, 86_400]
    assert limits[0].name == "user-second"


def test_of_two_limits_for_one_window_the_lower_one_holds() -> None:
    assert [str(each) for each in rate_limits("all", ["9/hour", "7/hour", "8/hour"])] == ["7/hour"]


@pytest.mark.parametrize("text", ["", "10", "10/week", "0/minute", "-1/hour", "10/minutes"])
def test_what_is_no_limit_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="like 10/minute"):
        rate_limits("user", [text])


def test_half_of_a_limit_is_at_least_one_request() -> None:
    assert [RateLimit("user", n, "hour").halved.amount for n in (100, 3, 1)] == [50, 1, 1]


def test_a_refusal_names_the_limit_that_takes_longest_to_have_room() -> None:
    minute, hour, day = (RateLimit("user", 2, window) for window in ("minute", "hour", "day"))
    standings = Standing(minute, 2, 40), Standing(hour, 2, 900), Standing(day, 1, 80_000)
    assert Count(False, standings).refusal == standings[1]
    assert Count(True, standings).refusal is None
