"""Budgets of a class are shown by its own test questions, or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evals.__main__ import main
from evals.budgets.by_class import ClassBudgetsStudy, as_record, as_text
from evals.budgets.choice import Choice, Objective
from evals.budgets.outcomes import FACTS_STATED, Outcomes
from rag_core.domain import QuestionClass
from tests.evals.budgets.made_up import CURRENT, QUESTIONS, outcomes, setting

CHEAPER = setting(600)
LITTLE = [0.5 + 0.01 * (-1) ** number for number in range(QUESTIONS)]
"""A point more or less, and none on average."""


def of_class(test: Outcomes, *, chosen: bool = True) -> ClassBudgetsStudy:
    choice = Choice(objective=Objective(), setting=CHEAPER, current=CURRENT, candidates=2)
    return ClassBudgetsStudy(dev=test, test=test, choice=choice if chosen else None)


def test_the_questions_of_a_class_alone_are_what_is_compared() -> None:
    lost = [0.3 if number < 50 else 0.5 for number in range(QUESTIONS)]
    swept = outcomes({CURRENT: {}, CHEAPER: {FACTS_STATED: lost}})
    kept = swept.where(lambda question: int(question.id[1:]) >= 50)
    assert len(kept.questions) == 50
    assert kept.difference(FACTS_STATED, CHEAPER).changed == 0
    assert swept.difference(FACTS_STATED, CHEAPER).value == pytest.approx(-0.1)


def test_what_may_lose_two_points_is_not_shown() -> None:
    lost = [0.5 if number % 10 else 0.0 for number in range(QUESTIONS)]
    assert not of_class(outcomes({CURRENT: {}, CHEAPER: {FACTS_STATED: lost}})).shown


def test_few_questions_that_do_not_change_show_nothing() -> None:
    few = of_class(outcomes({CURRENT: {}, CHEAPER: {}}).where(lambda each: each.id in {"q1", "q2"}))
    assert few.differences[FACTS_STATED].low == 0
    assert not few.shown
    low = as_record({QuestionClass.LIST: few})["list"]["differences"][FACTS_STATED]["low"]
    assert low == pytest.approx(-(1 - 0.05**0.5))


def test_many_questions_that_hardly_change_show_it() -> None:
    rows = {CURRENT: {}, CHEAPER: {"facts in context": LITTLE, FACTS_STATED: LITTLE}}
    study = of_class(outcomes(rows))
    assert study.shown
    assert "loses less than 2 points" in as_text({QuestionClass.LIST: study})


def test_a_class_that_nobody_asked_is_no_evidence() -> None:
    nothing = of_class(outcomes({CURRENT: {}}).where(lambda _: False), chosen=False)
    assert not nothing.shown
    assert "no evidence, n = 0" in as_text({QuestionClass.SUMMARY: nothing})


def test_the_command_sweeps_every_class_of_a_golden_folder(
    sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "labelled.jsonl"
    file.write_text('{"id": "1", "class": "list", "question": "List my notes on grace"}\n')
    ask = ["classes", str(file), "--budgets", "--golden", str(sample)]
    assert main([*ask, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["budgets"]
    assert found.keys() == set(QuestionClass)
    assert found["look_up"]["n_dev"] > 0
    assert found["chit_chat"] == {
        **{"n_dev": 0, "n_test": 0, "chosen": None, "differences": {}, "shown": False},
    }
    assert main(ask) == 0
    assert "no evidence, n = 0" in capsys.readouterr().out
