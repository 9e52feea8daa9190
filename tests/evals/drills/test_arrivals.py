"""Arrivals: drawn beforehand, dev to load with, test to measure with, and again what was asked."""

from __future__ import annotations

from evals.datasets.golden import GoldenSet, load
from evals.drills.arrivals import Arrival, drawn_arrivals, probes
from evals.drills.drill import SCALES, Phase
from evals.project import GOLDEN

FULL = SCALES["full"]


def within(arrivals: list[Arrival], phase: Phase) -> list[Arrival]:
    begin_s, end_s = FULL.span(phase)
    return [each for each in arrivals if begin_s <= each.at_s < end_s]


def test_the_same_seed_draws_the_same_questions_at_the_same_moments() -> None:
    golden = load(GOLDEN)
    assert drawn_arrivals(golden, FULL, 3) == drawn_arrivals(golden, FULL, 3)
    assert drawn_arrivals(golden, FULL, 3) != drawn_arrivals(golden, FULL, 4)


def test_questions_of_test_are_asked_in_the_trouble_alone() -> None:
    arrivals = drawn_arrivals(load(GOLDEN), FULL, 0)
    asked = [each for each in arrivals if each.question.split == "test"]
    assert len(asked) == FULL.probes
    assert asked == [each for each in within(arrivals, Phase.TROUBLE) if each in asked]


def test_after_the_trouble_come_questions_that_were_asked_in_it() -> None:
    arrivals = drawn_arrivals(load(GOLDEN), FULL, 0)
    during = {each.question.id for each in within(arrivals, Phase.TROUBLE)}
    after = {each.question.id for each in within(arrivals, Phase.RECOVERY)}
    assert after
    assert after <= during


def test_every_drill_of_a_seed_probes_with_the_same_questions_first() -> None:
    golden = load(GOLDEN)
    assert probes(golden, 30, 0)[:6] == probes(golden, 6, 0)


def test_a_folder_without_splits_and_gold_is_asked_what_it_has() -> None:
    golden = load(GOLDEN)
    bare = [q for q in golden.questions if not q.answerable][:5]
    arrivals = drawn_arrivals(GoldenSet(**{**vars(golden), "questions": tuple(bare)}), FULL, 0)
    assert {each.question.id for each in arrivals} == {q.id for q in bare}
