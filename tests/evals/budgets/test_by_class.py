"""Budgets of a class are shown by its own test questions, or not at all."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from evals.__main__ import main
from evals.budgets.by_class import ClassBudgetsStudy, study_classes, wanted_settings
from evals.budgets.choice import Choice, Objective
from evals.budgets.class_result import class_budgets_part
from evals.budgets.class_verdicts import (
    DeployedClasses,
    as_record,
    as_text,
    class_table,
    sentence,
    verdict,
)
from evals.budgets.outcomes import FACTS_STATED, Outcomes
from evals.datasets.corpus import held_open, ingest_golden
from evals.datasets.golden import load
from evals.project import project_settings
from evals.results.part import shown, with_parts
from evals.results.result import NotebookResult, read_result, write_result
from evals.stats.clustered import FEW
from rag_core.bootstrap import assemble
from rag_core.domain import QuestionClass
from rag_core.settings import load_settings
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
    assert "not measured: n 0" in as_text({QuestionClass.SUMMARY: nothing})


def test_nine_questions_show_nothing_whatever_they_say() -> None:
    rows = {CURRENT: {}, CHEAPER: {"facts in context": LITTLE, FACTS_STATED: LITTLE}}
    nine = of_class(outcomes(rows).where(lambda each: int(each.id[1:]) < FEW - 1))
    assert not nine.shown
    (row,) = class_table({QuestionClass.LIST: nine}).rows
    assert "not shown: n 9" in row
    assert "[" not in "".join(map(str, row)), "an interval of so few is too narrow to be told"


def test_what_the_settings_give_a_class_is_what_test_is_asked_about(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RAG_CLASS_LIST_CONTEXT_TOKENS", "600")
    wanted = wanted_settings(load_settings(), CURRENT)
    assert wanted == {QuestionClass.LIST: CHEAPER}
    rows = {CURRENT: {}, CHEAPER: {"facts in context": LITTLE, FACTS_STATED: LITTLE}}
    lists = replace(of_class(outcomes(rows), chosen=False), wanted=wanted[QuestionClass.LIST])
    assert verdict(lists) == f"shown: n {QUESTIONS}"
    (row,) = class_table({QuestionClass.LIST: lists}).rows
    assert "600 context tokens, as set" in row


def test_a_class_whose_choice_is_the_current_setting_has_nothing_cheaper() -> None:
    swept = outcomes({CURRENT: {}})
    choice = Choice(objective=Objective(), setting=CURRENT, current=CURRENT, candidates=1)
    same = ClassBudgetsStudy(dev=swept, test=swept, choice=choice)
    assert verdict(same) == f"nothing cheaper: n {QUESTIONS} on dev"
    assert not same.shown


def test_the_sentence_says_which_classes_the_settings_use_and_which_they_name_in_vain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = of_class(outcomes({CURRENT: {}, CHEAPER: {}}).where(lambda each: each.id == "q1"))
    studies = {QuestionClass.LIST: few}
    none = sentence(studies, DeployedClasses.of(load_settings()))
    assert "list not shown: n 1" in none
    assert "use no class: they give none budgets" in none

    monkeypatch.setenv("RAG_CLASS_LIST_CONTEXT_TOKENS", "600")
    monkeypatch.setenv("RAG_CLASS_SUMMARY_CONTEXT_TOKENS", "900")
    refused = sentence(studies, DeployedClasses.of(load_settings()))
    assert "Refused for want of evidence: list, summary." in refused

    usual = {"context_tokens": 1200, "output_tokens": 400, "providers": ["extractive"]}
    row = {"class": "list", "budgets": {"context_tokens": 600}, "instead_of": usual, "n": 80}
    file = tmp_path / "mine.json"
    file.write_text(json.dumps({"shown": [row]}))
    monkeypatch.setenv("RAG_CLASS_EVIDENCE", str(file))
    used = sentence(studies, DeployedClasses.of(load_settings()))
    assert "The settings use list. Refused for want of evidence: summary." in used
    assert "Used by mine.json and not shown here: list." in used


async def test_smoke_asks_no_llm(sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_HF_BASE_URL", "http://127.0.0.1:9/v1")
    assert await study_classes(sample, profile="smoke") == {}


async def test_the_store_and_the_notes_cut_anew_say_the_same_and_the_report_shows_it(
    sample: Path, tmp_path: Path
) -> None:
    golden = load(sample)
    async with held_open(project_settings()) as ready, assemble(ready) as application:
        await ingest_golden(application, golden)
    deployed = await study_classes(sample, profile="smoke", stored=True)
    anew = await study_classes(sample, profile="smoke")
    lookups = (deployed[QuestionClass.LOOK_UP].dev, anew[QuestionClass.LOOK_UP].dev)
    for measure in ("facts in context", FACTS_STATED, "tokens in", "tokens out"):
        assert lookups[0].values[measure] == pytest.approx(lookups[1].values[measure], nan_ok=True)
    assert len(lookups[0].questions) > 0

    part = class_budgets_part(deployed, tmp_path / "01.json")
    usual = NotebookResult(title="Answers", verdict="Good.", n=3)
    result = read_result(write_result(with_parts(usual, part), tmp_path / "01.json"))
    assert result.verdict.startswith("Good. Cheaper budgets by class: look-up ")
    assert [each.title for each in result.pictures] == [each.title for each in result.tables]
    assert set(result.data["budgets by class"]["classes"]) == set(QuestionClass)
    assert len(shown(part, tmp_path / "01.json")) == 3


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
        **{"n_dev": 0, "n_test": 0, "n": 0, "chosen": None, "set": None, "differences": {}},
        **{"shown": False, "verdict": "not measured: n 0"},
    }
    assert main(ask) == 0
    assert "not measured: n 0" in capsys.readouterr().out
