"""Each rule of the validator catches a broken copy of the committed golden set."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from evals.datasets.golden import (
    Fact,
    GoldenQuestion,
    GoldenSet,
    PlantedSentence,
    Scenario,
    load,
)
from evals.datasets.golden_checks import validate

SPLITS = ("dev", "test")
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
        lambda q: replace(q, gold=(*q.gold, "mhcc-Gen.1.1-2")),
        "no fact rests on gold mhcc-Gen.1.1-2",
    ),
    "gold without a reference": (
        Scenario.SINGLE_NOTE,
        lambda q: replace(q, reference=" "),
        "is empty, though there is gold",
    ),
    "too long for the pipeline": (
        Scenario.OVER_LONG,
        lambda q: replace(q, question="why " * 2001),
        "has more than 8000 characters",
    ),
    "scoped without a twin": (
        Scenario.SCOPED,
        lambda q: replace(q, twin=None),
        "scoped needs a twin",
    ),
    "negation without gold": (
        Scenario.NEGATION,
        lambda q: replace(q, gold=(), facts=(), alternatives=()),
        "negation needs gold",
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
def test_a_broken_question_is_reported_by_line_and_id(golden: GoldenSet, name: str) -> None:
    scenario, change, problem = BROKEN[name]
    broken = next(question.id for question in golden.questions if question.scenario is scenario)
    problems = changed(golden, scenario, change)
    assert any(problem in found for found in problems), problems
    place = re.compile(
        rf".*questions\.jsonl:\d+, field [a-z_0-9.\[\]]+: {broken}: .+\. .+", re.DOTALL
    )
    assert all(place.fullmatch(found) for found in problems), problems


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
    found = validate(dataclasses.replace(golden, passages=passages))[0]
    assert f": {id}: " in found
    assert "passages.jsonl:" in found
    assert problem in found


@pytest.fixture(scope="module")
def second() -> GoldenSet:
    return load(GOLDEN)


def test_the_second_set_agrees_with_itself_and_with_the_notes_below_it(second: GoldenSet) -> None:
    assert validate(second) == []
    splits = {split: {q.user for q in second.questions if q.split == split} for split in SPLITS}
    assert splits["test"] - splits["dev"], "a user whom no tuning has seen"
    assert {claim.supported for claim in second.claims} == {True, False}
    assert {attack.place for attack in second.attacks.values()} == {"question", "note"}


def test_what_is_tuned_on_and_what_is_reported_share_no_note_and_no_group(
    second: GoldenSet,
) -> None:
    questions = [*second.questions]
    at = next(n for n, q in enumerate(questions) if q.split == "test" and q.kind == "paraphrase")
    questions[at] = replace(questions[at], split="dev")
    problems = validate(dataclasses.replace(second, questions=tuple(questions)))
    assert any(f"group {questions[at].group} is in both" in problem for problem in problems)
    note = second.passages[questions[at].gold[0]].note
    assert any(note in problem for problem in problems), problems


def test_of_several_sets_of_gold_one_must_be_quoted(second: GoldenSet) -> None:
    questions = [*second.questions]
    at = next(n for n, question in enumerate(questions) if question.alternatives)
    sets = tuple((*passages, "mhcc-Gen.1.1-2") for passages in questions[at].alternatives)
    questions[at] = replace(questions[at], alternatives=sets)
    problems = validate(dataclasses.replace(second, questions=tuple(questions)))
    assert any("no fact rests on gold mhcc-Gen.1.1-2" in problem for problem in problems)


def test_a_twin_that_is_not_there_is_named(second: GoldenSet) -> None:
    questions = [*second.questions]
    questions[0] = replace(questions[0], twin="nobody")
    (problem,) = validate(dataclasses.replace(second, questions=tuple(questions)))
    assert f"field twin: {questions[0].id}: there is no twin nobody" in problem


def test_a_claim_rests_on_words_of_its_passage_and_on_no_tested_note(second: GoldenSet) -> None:
    tested = next(q.gold[0] for q in second.questions if q.split == "test" and q.gold)
    good = second.claims[0]
    claims = (
        replace(good, evidence="never written"),
        replace(good, source="nowhere"),
        replace(good, source=tested, evidence=second.text(tested)),
    )
    problems = validate(dataclasses.replace(second, claims=claims))
    assert [problem.partition(", field ")[2].split(":")[0] for problem in problems] == [
        "evidence", "source", "split",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"question": "nobody"}, "there is no question nobody"),
        ({"kind": "summary"}, "stands there twice"),
        ({"sentences": (PlantedSentence("It is.", "mhcc-Rom.1.1-7"),)}, "is not in the question's"),
    ],
)
def test_a_planted_answer_must_fit_its_question(
    golden: GoldenSet, changes: dict[str, Any], problem: str
) -> None:
    first, *others = golden.planted
    assert first.kind == "paraphrase"
    broken = dataclasses.replace(golden, planted=(replace(first, **changes), *others))
    assert [each for each in validate(broken) if problem in each]
    assert validate(golden) == []
