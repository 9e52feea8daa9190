"""A card says what a checker notices and rejects, on claims whose scores are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from evals.measures.check_failure import CheckFailed
from evals.measures.scores import Aggregate
from evals.measures.validity.card import REJECTED, Card, Operation, card
from evals.measures.validity.checkers import FallibleChecker
from evals.measures.validity.labelled_claims import LabelledClaim


class Known:
    """Scores a claim by looking it up."""

    name, threshold = "known", 0.5

    def __init__(self, scores: Mapping[str, float]) -> None:
        self._scores = scores

    async def scores(self, pairs: Sequence[tuple[str, str]]) -> Sequence[float]:
        return [self._scores[claim] for claim, _ in pairs]


class Failing(FallibleChecker):
    """Has a score for what it knows, and fails on the rest."""

    name = "failing"

    async def score(self, claim: str, source: str) -> float:
        if claim == "a":
            raise CheckFailed("out of order")
        return 0.9 if claim == "b" else 0.1


def claim(name: str, kind: str, *, supported: bool) -> LabelledClaim:
    return LabelledClaim(name, "the source", supported, kind, name)


CLAIMS = [
    *(claim(name, "quoted", supported=True) for name in "ab"),
    *(claim(name, "paraphrase", supported=True) for name in "cd"),
    *(claim(name, "negated", supported=False) for name in "wx"),
    *(claim(name, "number", supported=False) for name in "yz"),
]
SCORES = {"a": 1.0, "b": 0.9, "c": 0.6, "d": 0.3, "w": 0.7, "x": 0.6, "y": 0.2, "z": 0.1}


async def known() -> tuple[Card, Operation]:
    found = await card(Known(SCORES), CLAIMS)
    assert found.own
    return found, found.own


def share(aggregate: Aggregate) -> float:
    assert aggregate.value is not None
    return aggregate.value


async def test_the_area_under_the_curve_of_a_handmade_table() -> None:
    found, _ = await known()
    # Of 16 pairs, a and b are above 4 wrong ones each, c above 2 and level with x, d above 2.
    assert found.auc
    assert found.auc.value == pytest.approx((4 + 4 + 2.5 + 2) / 16)
    assert found.n == len(CLAIMS)


async def test_what_is_noticed_and_rejected_at_the_checkers_own_threshold() -> None:
    _, own = await known()
    assert share(own.noticed) == 0.5
    assert share(own.rejected) == 0.25
    assert {kind: share(each) for kind, each in own.noticed_by_kind.items()} == {
        "negated": 0.0,
        "number": 1.0,
    }
    assert share(own.rejected_by_kind["paraphrase"]) == 0.5
    assert own.balanced_accuracy.value == pytest.approx((0.75 + 0.5) / 2)


async def test_what_is_rejected_no_more_surely_than_right_claims_is_out_of_reach() -> None:
    _, own = await known()
    assert own.out_of_reach == ("negated",)


async def test_the_strict_threshold_rejects_no_more_than_it_may() -> None:
    many = [claim(str(n), "right", supported=True) for n in range(100)]
    wrong = claim("wrong", "negated", supported=False)
    scores = {str(n): n / 100 for n in range(100)} | {"wrong": 0.1}
    strict = (await card(Known(scores), [*many, wrong])).strict
    assert strict
    assert share(strict.rejected) == REJECTED
    assert share(strict.noticed) == 1.0


async def test_what_failed_is_unscored_and_never_a_score() -> None:
    found = await card(Failing(), CLAIMS)
    assert found.n == len(CLAIMS) - 1
    assert found.unscored == {"out of order": 1}
    with pytest.raises(CheckFailed, match="out of order"):
        await Failing().scores([("a", "the source")])
