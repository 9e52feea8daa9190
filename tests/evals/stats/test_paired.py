from __future__ import annotations

import numpy as np
import pytest

from evals.stats.paired import PairedDifference, paired_difference
from evals.stats.score import Score, Scored, Unscored


def run(values: list[float]) -> dict[str, Score]:
    return {f"q{place}": Scored(float(value)) for place, value in enumerate(values)}


def change(differences: list[float], **more: str) -> PairedDifference:
    return paired_difference("recall", run([0.0] * len(differences)), run(differences), **more)  # type: ignore[arg-type]


def test_a_paired_difference_sees_what_the_spread_between_questions_hides() -> None:
    rng = np.random.default_rng(2)
    levels, changes = rng.random(50), rng.normal(-0.02, 0.01, 50)
    found = paired_difference("recall", run(list(levels)), run(list(levels + changes)))
    assert found.mean == pytest.approx(changes.mean())
    assert found.high is not None
    assert found.high < 0
    assert found.verdict == "worse"


@pytest.mark.parametrize(
    ("differences", "verdict"),
    [
        ([], "too few"),
        ([1.0] * 5, "too few"),
        ([1.0] * 6, "better"),
        ([0.0] * 60, "no difference seen"),
        ([1.0] * 4 + [0.0] * 56, "no difference seen"),
        ([1.0] * 9 + [0.0] * 51, "better"),
        ([-1.0] * 9 + [0.0] * 51, "worse"),
        ([1.0, -1.0] * 30, "no difference seen"),
    ],
)
def test_the_verdict_says_no_more_than_the_pairs_do(differences: list[float], verdict: str) -> None:
    """Four questions of 60 that change for the better are still luck once in eight times."""
    assert change(differences).verdict == verdict


def test_where_lower_is_better_a_fall_is() -> None:
    found = change([-1.0] * 9 + [2.0], direction="lower")
    assert (found.better, found.worse) == (9, 1)
    assert change([-1.0] * 9 + [0.0] * 9, direction="lower").verdict == "better"


def test_the_verdict_is_wary_of_questions_that_hang_together() -> None:
    """Nine questions on one note are one reason to believe a change, not nine."""
    baseline, candidate = run([0.0] * 60), run([1.0] * 9 + [0.0] * 51)
    notes = {f"q{place}": "one note" for place in range(9)}
    found = paired_difference("recall", baseline, candidate, clusters=notes)
    assert (found.n, found.clusters, found.better) == (60, 52, 9)
    assert found.verdict == "no difference seen"


def test_a_question_missing_from_one_run_is_counted_with_which() -> None:
    baseline: dict[str, Score] = {"a": Scored(1.0), "b": Scored(1.0), "c": Unscored("timeout")}
    candidate: dict[str, Score] = {"a": Scored(0.0), "b": Unscored("refused"), "c": Scored(1.0)}
    candidate["d"] = Unscored("odd")
    found = paired_difference("recall", baseline, candidate)
    assert (found.mean, found.n, found.unscored) == (-1.0, 1, 3)
    assert found.reasons == {
        "candidate: refused": 1,
        "baseline: timeout": 1,
        "both: not asked": 1,
    }


def test_nothing_scored_by_both_is_no_difference_of_zero() -> None:
    found = paired_difference("recall", {"a": Scored(1.0)}, {})
    assert (found.mean, found.low, found.high, found.p) == (None, None, None, None)
    assert (found.verdict, found.reasons) == ("too few", {"candidate: not asked": 1})
