"""Arrivals are drawn ahead: as many as the rates say, of the kinds that the mix says."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtests.traffic.arrivals import drawn_arrivals
from loadtests.traffic.order import Order, order_text, read_order
from loadtests.traffic.people import ASKED_AGAIN
from loadtests.traffic.shape import Shape
from loadtests.traffic.shapes import SHAPES
from loadtests.traffic.stage import Kind, Mix, Stage

CALM = Stage(name="calm", seconds=100, rate=20)
RISE = Stage(name="rise", seconds=100, rate=0, to_rate=40)
SHAPE = Shape(name="test", story="", people=10, stages=(CALM, RISE))


def test_the_same_seed_draws_the_same_and_another_seed_something_else() -> None:
    assert drawn_arrivals(SHAPE, seed=3) == drawn_arrivals(SHAPE, seed=3)
    assert drawn_arrivals(SHAPE, seed=3) != drawn_arrivals(SHAPE, seed=4)


def test_as_many_come_as_the_rates_say() -> None:
    """2,000 in each stage on average: 6 standard deviations are 268."""
    counts = Counter(each.stage for each in drawn_arrivals(SHAPE))
    assert counts == {"calm": pytest.approx(2_000, abs=268), "rise": pytest.approx(2_000, abs=268)}


def test_a_rate_that_rises_brings_three_quarters_in_the_second_half() -> None:
    late = [each.at_s >= 150 for each in drawn_arrivals(SHAPE) if each.stage == "rise"]
    assert sum(late) / len(late) == pytest.approx(0.75, abs=0.06)


def test_moments_ascend_and_lie_within_their_stage() -> None:
    arrivals = drawn_arrivals(SHAPE)
    assert [each.at_s for each in arrivals] == sorted(each.at_s for each in arrivals)
    assert all((each.at_s >= 100) == (each.stage == "rise") for each in arrivals)
    assert [each.serial for each in arrivals] == list(range(len(arrivals)))


def test_arrivals_do_not_wait_for_each_other() -> None:
    """The gaps of a Poisson process: a share of 1 - 1/e is shorter than their mean."""
    moments = [each.at_s for each in drawn_arrivals(SHAPE) if each.stage == "calm"]
    gaps = [after - before for before, after in itertools.pairwise(moments)]
    assert sum(gap < 1 / 20 for gap in gaps) / len(gaps) == pytest.approx(0.632, abs=0.07)


def test_kinds_come_in_the_shares_of_the_mix() -> None:
    mix = Mix(stream_share=0.3, edit_share=0.1, abuse_share=0.2)
    arrivals = drawn_arrivals(replace(SHAPE, stages=[replace(CALM, mix=mix)]))
    counts = Counter(each.kind for each in arrivals)
    shares = {kind: count / len(arrivals) for kind, count in counts.items()}
    wanted = {Kind.STREAM: 0.3, Kind.EDIT: 0.1, Kind.ABUSE: 0.2, Kind.QUESTION: 0.4}
    assert shares == pytest.approx(wanted, abs=0.07)


def test_questions_are_popular_by_rank_or_asked_only_once() -> None:
    arrivals = drawn_arrivals(SHAPE)
    ranks = Counter(each.rank for each in arrivals)
    new = [each.rank for each in arrivals if each.rank >= ASKED_AGAIN]
    assert len(new) == len(set(new))
    assert len(new) / len(arrivals) == pytest.approx(0.1, abs=0.03)
    # Zipf of exponent 1.1: the first is asked 2 ** 1.1 times as often as the second.
    assert ranks[0] / ranks[1] == pytest.approx(2**1.1, rel=0.25)


@given(st.floats(0, 1), st.integers(1, ASKED_AGAIN))
@settings(max_examples=20)
def test_no_rank_is_beyond_those_of_the_mix(new_share: float, ranks: int) -> None:
    mix = Mix(new_share=new_share, ranks=ranks)
    stage = Stage(name="calm", seconds=5, rate=20, mix=mix)
    drawn = drawn_arrivals(replace(SHAPE, stages=[stage]))
    assert all(each.rank < ranks or each.rank >= ASKED_AGAIN for each in drawn)


@pytest.mark.parametrize("wrong", [{"new_share": 1.2}, {"edit_share": -0.1}, {"ranks": 0},
                                   {"stream_share": 0.9, "abuse_share": 0.2}])  # fmt: skip
def test_a_mix_that_is_none_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be from"):
        Mix(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_generators_elsewhere_are_told_all_of_a_shape(name: str) -> None:
    shape = SHAPES[name]
    told = read_order(order_text(Order(shape=shape, seed=1, origin_s=2.0)))
    assert (told.seed, told.origin_s) == (1, 2.0)
    assert told.shape == replace(shape, stages=list(shape.stages), troubles=list(shape.troubles))


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_a_shapes_troubles_lie_within_it_and_can_be_made(name: str) -> None:
    shape = SHAPES[name]
    assert shape.name == name
    assert all(each.at_s + each.seconds < shape.seconds for each in shape.troubles)
    assert shape.workers > 1 or all(each.victim != "worker" for each in shape.troubles)
