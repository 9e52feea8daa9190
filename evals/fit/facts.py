"""How near to a fact a sentence must be to be about it: answers that state it, and that do not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evals.datasets.golden import Fact, GoldenQuestion, GoldenSet
from evals.measures.citations import ABOUT, states
from evals.measures.claims import sentences
from evals.measures.support import SupportChecker
from evals.measures.validity.faults import Material, Sentence, negated
from evals.measures.vectors import Vectors
from evals.results.table import text_table
from rag_core.domain import Context

TRIED = (0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7)
"""Least cosines that are compared."""

Case = tuple[list[str], Fact]
"""The sentences of an answer, and a fact that they state or do not."""


@dataclass(frozen=True, slots=True)
class StatedFacts:
    """At the least cosine `about`: the shares, 0 to 1, of facts that are found to be stated.

    `right` by the reference answer, `others` by the question's other facts, `elsewhere` by the
    reference of another question, `negated` by the reference with the first verb of each sentence
    negated, which leaves some of its facts as they were.
    """

    about: float
    right: float
    others: float
    elsewhere: float
    negated: float


async def stated_facts(
    golden: GoldenSet, checker: SupportChecker, vectors: Vectors
) -> list[StatedFacts]:
    """One row for each of `TRIED`, on the facts of dev questions."""
    asked = [each for each in golden.questions if each.split == "dev" and each.facts]
    kinds = (_right(asked), _others(asked), _elsewhere(asked), _negated(asked))
    return [
        StatedFacts(about, *[await _share(cases, checker, vectors, about) for cases in kinds])
        for about in TRIED
    ]


def as_text(rows: Sequence[StatedFacts]) -> str:
    """A table, the deployed value marked."""
    cells = [
        [f"{row.about:.2f}{' *' if row.about == ABOUT else ''}"]
        + [f"{share:.0%}" for share in (row.right, row.others, row.elsewhere, row.negated)]
        for row in rows
    ]
    columns = ("cosine", "reference", "other facts", "another's", "negated")
    return f"dev facts found stated, by least cosine (* ABOUT)\n{text_table(columns, cells)}"


async def _share(
    cases: Sequence[Case], checker: SupportChecker, vectors: Vectors, about: float
) -> float:
    return float(np.mean([await states(*case, checker, vectors, about=about) for case in cases]))


def _right(asked: Sequence[GoldenQuestion]) -> list[Case]:
    return [(sentences(each.reference), fact) for each in asked for fact in each.facts]


def _others(asked: Sequence[GoldenQuestion]) -> list[Case]:
    return [
        ([other.fact for other in each.facts if other != fact], fact)
        for each in asked
        for fact in each.facts
        if len(each.facts) > 1
    ]


def _elsewhere(asked: Sequence[GoldenQuestion]) -> list[Case]:
    following = [*asked[1:], asked[0]]
    return [
        (sentences(other.reference), fact)
        for each, other in zip(asked, following, strict=True)
        for fact in each.facts
    ]


def _negated(asked: Sequence[GoldenQuestion]) -> list[Case]:
    nothing = Material(Context(()))
    return [
        ([each.text for each in negated([Sentence(text) for text in said], nothing)], fact)
        for said, fact in _right(asked)
    ]
