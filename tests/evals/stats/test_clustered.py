from __future__ import annotations

import random
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from evals.stats.clustered import (
    Clustered,
    Interval,
    mean_interval,
    quantile_interval,
    share_interval,
)
from rag_core.domain import wilson_interval

ANY = st.one_of(st.floats(-1e6, 1e6, allow_nan=False), st.sampled_from([0.0, 0.1, 0.3, 0.5, 1.0]))
YES_NO = st.sampled_from([0.0, 1.0])
NOTES = st.sampled_from(["", "a", "b", "c"])


def clustered(rows: list[tuple[float, str]], order: list[int] | None = None) -> Clustered:
    """A question a row, given in another `order`."""
    places = order or list(range(len(rows)))
    values = {f"q{place}": rows[place][0] for place in places}
    return Clustered.of(values, {f"q{place}": rows[place][1] for place in places})


def intervals(rows: Clustered) -> tuple[Interval, ...]:
    yes_no = (share_interval(rows),) if np.isin(rows.values, (0, 1)).all() else ()
    return mean_interval(rows), quantile_interval(rows, 0.5), *yes_no


def shuffled(count: int, seed: int) -> list[int]:
    order = list(range(count))
    random.Random(seed).shuffle(order)
    return order


@settings(max_examples=40)
@given(
    st.lists(st.tuples(ANY, NOTES), min_size=1, max_size=25)
    | st.lists(st.tuples(YES_NO, NOTES), min_size=1, max_size=25),
    st.integers(),
)
def test_the_order_of_the_rows_does_not_matter_to_the_last_digit(
    rows: list[tuple[float, str]], seed: int
) -> None:
    mixed = clustered(rows, shuffled(len(rows), seed))
    assert intervals(clustered(rows)) == intervals(mixed)
    assert clustered(rows).mean == mixed.mean


@settings(max_examples=40)
@given(
    st.lists(st.tuples(ANY, NOTES), min_size=1, max_size=25)
    | st.lists(st.tuples(YES_NO, NOTES), min_size=1, max_size=25)
)
def test_an_interval_holds_its_value_or_says_why_there_is_none(
    rows: list[tuple[float, str]],
) -> None:
    data = clustered(rows)
    values = (data.mean, data.quantile(0.5), data.mean)
    for value, found in zip(values, intervals(data), strict=False):
        if found.low is None or found.high is None:
            assert found.method.startswith("none: ")
        else:
            assert found.low <= value <= found.high


def singles(values: Mapping[int, float] | list[float]) -> Clustered:
    return Clustered.of({str(place): value for place, value in enumerate(values)})


def test_wilson_is_scipys() -> None:
    for events, n in ((0, 7), (3, 10), (59, 60), (60, 60)):
        expected = binomtest(events, n).proportion_ci(method="wilson")
        found = share_interval(singles([1.0] * events + [0.0] * (n - events)))
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_a_share_in_clusters_that_agree_is_that_of_the_clusters() -> None:
    """Ten notes, each all yes or all no: as ten values, with the degrees of freedom of ten."""
    rows = [(float(i < 24), f"note {i // 4}") for i in range(40)]
    found = share_interval(clustered(rows))
    assert found.method == "Wilson, by clusters"
    low, high = wilson_interval(0.6, 10)
    assert found.low is not None
    assert found.high is not None
    assert found.low < low < high < found.high
    assert found.high - found.low == pytest.approx(high - low, rel=0.15)


def test_clusters_never_make_a_share_surer_than_its_values() -> None:
    """One yes and one no in each note: less spread between notes than by chance."""
    rows = [(float(i % 2), f"note {i // 2}") for i in range(40)]
    found = share_interval(clustered(rows))
    assert (found.low, found.high) == pytest.approx(wilson_interval(0.5, 40))


@pytest.mark.parametrize(
    ("values", "method"),
    [
        ([0.4], "none: one value or cluster has no spread"),
        ([0.4] * 30, "none: all values are equal"),
        ([0.1 + 0.2, 0.3], "none: all values are equal"),
        ([0.2, 0.4], "Student's t"),
        ([0.1 * i for i in range(9)], "Student's t"),
        ([0.1 * i for i in range(10)], "BCa bootstrap"),
        ([0.0] * 59 + [1.0], "BCa bootstrap"),
    ],
)
def test_what_stands_where_the_bootstrap_would_say_too_much(
    values: list[float], method: str
) -> None:
    assert mean_interval(singles(values)).method == method


def test_two_values_give_students_interval() -> None:
    """Of 0 and 2: 1 ± 12.706 standard errors of 1."""
    found = mean_interval(singles([0.0, 2.0]))
    assert (found.low, found.high) == pytest.approx((1 - 12.706, 1 + 12.706), abs=1e-3)


def test_19_of_20_intervals_hold_the_truth_and_so_do_those_of_clusters() -> None:
    """Of skewed values, of yes and no, and of notes whose questions agree."""
    rng = np.random.default_rng(11)
    means = [mean_interval(singles(list(rng.exponential(1.0, 40)))) for _ in range(60)]
    assert 0.87 <= np.mean([_holds(found, 1.0) for found in means]) <= 1
    wilson = [share_interval(singles(list(1.0 * (rng.random(30) < 0.8)))) for _ in range(300)]
    assert 0.92 <= np.mean([_holds(found, 0.8) for found in wilson]) <= 0.99
    notes = [_agreeing_notes(rng) for _ in range(300)]
    assert 0.92 <= np.mean([_holds(share_interval(found), 0.7) for found in notes]) <= 1
    apart = [share_interval(singles(list(found.values))) for found in notes]
    assert np.mean([_holds(found, 0.7) for found in apart]) < 0.9


def _agreeing_notes(rng: np.random.Generator) -> Clustered:
    """Twenty notes with three questions, of which all have the note's answer, 70 % of them yes."""
    said = rng.random(20) < 0.7
    return clustered([(float(said[i // 3]), f"note {i // 3}") for i in range(60)])


def _holds(found: Interval, truth: float) -> bool:
    assert found.low is not None
    assert found.high is not None
    return found.low <= truth <= found.high
