"""Two shares of the same cases: their intervals hold the truth as often as they say."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_core.domain import PairedShares, share_of

COUNTS = st.integers(0, 300)


@pytest.mark.parametrize("n", [30, 200])
@pytest.mark.parametrize("chances", [(70, 5, 15, 10), (10, 30, 5, 55), (94, 3, 1, 2)])
def test_19_of_20_intervals_hold_the_true_gain(chances: tuple[int, ...], n: int) -> None:
    draw = random.Random(0)
    truth, held = (chances[2] - chances[1]) / 100, 0
    for _ in range(1000):
        cells = Counter(draw.choices(range(4), chances, k=n))
        gain = PairedShares(*(cells[cell] for cell in range(4))).gain
        held += gain.low <= truth <= gain.high
    assert held >= 930


def test_nothing_that_differs_is_no_proof_that_nothing_does() -> None:
    gain = PairedShares(both=20, first_only=0, second_only=0, neither=0).gain
    assert gain.value == 0
    assert gain.low == pytest.approx(-0.16, abs=0.01)
    assert gain.high == pytest.approx(0.16, abs=0.01)


def test_a_share_of_all_or_none_has_an_interval_all_the_same() -> None:
    assert share_of(10, 10).low == pytest.approx(0.7225, abs=1e-4)
    assert share_of(0, 10).high == pytest.approx(0.2775, abs=1e-4)


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_a_gain_is_within_its_interval_and_turns_round_with_its_sides(
    both: int, first: int, second: int, neither: int
) -> None:
    shares = PairedShares(both, first, second, neither + 1)
    gain, turned = shares.gain, PairedShares(both, second, first, neither + 1).gain
    assert -1 <= gain.low <= gain.value <= gain.high <= 1
    assert (turned.low, turned.high) == (pytest.approx(-gain.high), pytest.approx(-gain.low))
