"""Each rule of the validator catches a broken copy of the committed golden set."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from evals.datasets.golden import Fact, GoldenQuestion, GoldenSet, Scenario, load, validate

GOLDEN = Path(__file__).parents[3] / "golden"


@pytest.fixture(scope="module")
def golden() -> GoldenSet:
    return load(GOLDEN)


Change = Callable[[GoldenQuestion], GoldenQuestion]


def changed(golden: GoldenSet, scenario: Scenario, change: Change) -> list[str]:
    """The problems after one question of that scenario has been changed."""
    at = next(n for n, question in enumerate(golden.questions) if question.scenario is scenario)
    questions = [*golden.questions]
    questions[at] = change(questions[at])
    return validate(dataclasses.replace(golden, questions=tuple(questions)))


def requoted(question: GoldenQuestion) -> GoldenQuestion:
    fact = question.facts[0]
    return replace(question, facts=(replace(fact, quote=fact.quote + "!?"), *question.facts[1:]))


BROKEN: dict[str, tuple[Scenario, Change, str]] = {
    "unknown user": (
        Scenario.UNANSWERABLE,
        lambda q: replace(q, user="nobody"),
        "user nobody has no notes",
    ),
    "quote changed": (Scenario.SINGLE_NOTE, requoted, "quote is not in mhcc-Gen.4.1-7"),
    "unknown gold": (
        Scenario.SINGLE_NOTE,
        lambda q: replace(q, gold=(*q.gold, "mhcc-Gen.99.1")),
        "there is no passage mhcc-Gen.99.1",
    ),
    "gold of another user": (
        Scenario.SINGLE_NOTE,
        lambda q: replace(q, gold=("mhcc-Rom.1.1-7",), facts=(Fact("f", "mhcc-Rom.1.1-7", "."),)),
        "gold mhcc-Rom.1.1-7 is not the user's",
    ),
    "fact outside gold": (
        Scenario.SEVERAL_NOTES,
        lambda q: replace(q, gold=q.gold[:1]),
        "is not in gold",
    ),
    "gold without a fact": (
        Scenario.SINGLE_NOTE,
        lambda q: replace(q, facts=()),
        "gold mhcc-Gen.4.1-7 supports no fact",
    ),
    "single from two notes": (
        Scenario.SINGLE_NOTE,
        lambda q: replace(q, gold=(*q.gold, "mhcc-Gen.1.1-2")),
        "single_note needs gold in one note, has 2",
    ),
    "several from one note": (
        Scenario.SEVERAL_NOTES,
        lambda q: replace(q, gold=q.gold[:1], facts=q.facts[:1]),
        "several_notes needs gold in two notes or more, has 1",
    ),
    "unanswerable with gold": (
        Scenario.UNANSWERABLE,
        lambda q: replace(q, gold=("mhcc-Gen.1.1-2",)),
        "unanswerable must have no gold",
    ),
    "over-long without gold": (
        Scenario.OVER_LONG,
        lambda q: replace(q, gold=(), facts=()),
        "over_long needs gold",
    ),
    "over-long too short": (
        Scenario.OVER_LONG,
        lambda q: replace(q, question="Why?"),
        "1 words: only over_long questions have more than 150",
    ),
    "other too long": (
        Scenario.SINGLE_NOTE,
        lambda q: replace(q, question="why " * 151),
        "151 words: only over_long questions have more than 150",
    ),
    "foreign gold is own": (
        Scenario.OTHER_USERS_NOTES,
        lambda q: replace(q, foreign_gold=("mhcc-Gen.1.1-2",)),
        "foreign_gold mhcc-Gen.1.1-2 is the user's own",
    ),
    "foreign gold missing": (
        Scenario.OTHER_USERS_NOTES,
        lambda q: replace(q, foreign_gold=()),
        "foreign_gold belongs to other_users_notes",
    ),
    "foreign gold elsewhere": (
        Scenario.UNANSWERABLE,
        lambda q: replace(q, foreign_gold=("mhcc-Rom.1.1-7",)),
        "foreign_gold belongs to other_users_notes",
    ),
    "attack unnamed": (
        Scenario.ATTACK,
        lambda q: replace(q, attack=None),
        "attack questions name their attack",
    ),
    "attack unknown": (
        Scenario.ATTACK,
        lambda q: replace(q, attack="none-000"),
        "there is no attack none-000",
    ),
    "attack text differs": (
        Scenario.ATTACK,
        lambda q: replace(q, question=q.question + " Please."),
        "question is not the text of attack",
    ),
    "attack on another scenario": (
        Scenario.SINGLE_NOTE,
        lambda q: replace(q, attack="promptinject-007"),
        "single_note must name no attack",
    ),
    "control sold as attack": (
        Scenario.ATTACK,
        lambda q: replace(q, attack="agent-injection-bench-021"),
        "category control/document does not fit attack",
    ),
    "attack sold as control": (
        Scenario.BENIGN_CONTROL,
        lambda q: replace(q, attack="promptinject-007"),
        "does not fit benign_control",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_question_is_reported_by_id(golden: GoldenSet, name: str) -> None:
    scenario, change, problem = BROKEN[name]
    broken = next(question.id for question in golden.questions if question.scenario is scenario)
    problems = changed(golden, scenario, change)
    assert any(problem in found for found in problems), problems
    assert all(found.startswith(f"{broken}: ") for found in problems)


@pytest.mark.parametrize(
    ("place", "problem"),
    [
        ({"end": 10**6}, "is no part of its note's body"),
        ({"start": 500, "end": 500}, "500-500 is no part of its note's body"),
        ({"note": "Gen.99"}, "golden-law has no note Gen.99"),
        ({"user": "nobody"}, "nobody has no note Gen.4"),
    ],
)
def test_a_misplaced_passage_is_reported(
    golden: GoldenSet, place: dict[str, Any], problem: str
) -> None:
    id = "mhcc-Gen.4.1-7"
    passages = dict(golden.passages) | {id: replace(golden.passages[id], **place)}
    (found,) = validate(dataclasses.replace(golden, passages=passages))
    assert found.startswith(f"{id}: ")
    assert problem in found
