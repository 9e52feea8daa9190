"""When which question is asked: drawn before the drill begins, so that nothing slows it down."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass

from evals.datasets.golden import GoldenQuestion, GoldenSet, Scenario
from evals.drills.drill import Phase, Scale

ASKED = (Scenario.SINGLE_NOTE, Scenario.SEVERAL_NOTES, Scenario.SCOPED, Scenario.NEGATION)
"""Questions that the user's own notes answer."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A question that is sent `at_s` seconds after the drill began, whatever became of others."""

    at_s: float
    question: GoldenQuestion


def drawn_arrivals(golden: GoldenSet, scale: Scale, seed: int) -> list[Arrival]:
    """Questions of split dev at random moments, and in the trouble those of split test as well.

    The number in a phase is its length times the rate, and their moments are independent: a Poisson
    process, given its number. Questions come in a random order, each before any
    comes again; after the trouble those that were asked in it come again, so that what was kept of
    their answers is seen.
    """
    draw = random.Random(seed)
    dev = _shuffled(questions_of(golden, "dev"), draw)
    calm, trouble, recovery = (_moments(*scale.span(phase), scale.rate, draw) for phase in Phase)
    asked = itertools.cycle(dev)
    before = [Arrival(at_s, next(asked)) for at_s in calm]
    during = [Arrival(at_s, next(asked)) for at_s in trouble]
    again = itertools.cycle([each.question for each in during] or dev)
    after = [Arrival(at_s, next(again)) for at_s in recovery]
    span = scale.span(Phase.TROUBLE)
    test = [
        Arrival(draw.uniform(*span), question) for question in probes(golden, scale.probes, seed)
    ]
    return sorted([*before, *during, *test, *after], key=lambda each: each.at_s)


def probes(golden: GoldenSet, number: int, seed: int) -> list[GoldenQuestion]:
    """So many questions of split test, the same ones in every drill of a `seed`."""
    return _shuffled(questions_of(golden, "test"), random.Random(seed))[:number]


def questions_of(golden: GoldenSet, split: str) -> list[GoldenQuestion]:
    """Those of a split that the user's own notes answer; others where it has none."""
    fair = [q for q in golden.questions if q.scenario in ASKED and q.answerable]
    return [q for q in fair if q.split == split] or fair or list(golden.questions)


def _shuffled(questions: Sequence[GoldenQuestion], draw: random.Random) -> list[GoldenQuestion]:
    return draw.sample(questions, len(questions))


def _moments(begin_s: float, end_s: float, rate: float, draw: random.Random) -> list[float]:
    number = round(rate * (end_s - begin_s))
    return sorted(draw.uniform(begin_s, end_s) for _ in range(number))
