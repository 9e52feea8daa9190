"""The study of budgets over a few golden questions: from values to try to a file of settings."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from evals.__main__ import main
from evals.budgets.choice import Objective
from evals.budgets.command import RESULT
from evals.budgets.env_file import ENV_FILE
from evals.budgets.grid import BudgetSetting
from evals.budgets.outcomes import FACTS_IN_CONTEXT
from evals.budgets.pictures import draw_curves, draw_front, draw_tokens
from evals.budgets.result import budgets_result
from evals.budgets.sliders import budget_sliders
from evals.budgets.study import Asked, BudgetStudy, study
from evals.budgets.wording import verdict, worst_sentence
from evals.project import NOTEBOOKS
from evals.results.result import read_result, write_result
from evals.run.notebooks import Value, discover
from evals.run.runner import run_notebook
from rag_core.settings import load_settings

WORSE = "chunks of 32/0 tokens"


@pytest.fixture
def done(sample: Path) -> BudgetStudy:
    """Every second user's questions are test, with a chunking that is worse on purpose."""
    rows = [json.loads(line) for line in (sample / "questions.jsonl").read_text().splitlines()]
    users = sorted({row["user"] for row in rows})
    splits = {user: ("dev", "test")[place % 2] for place, user in enumerate(users)}
    alone = {"twin": None, "hash": ""}
    both = [
        {**row, **alone, "split": splits[row["user"]]}
        for row in rows
        if row["scenario"] != "scoped"
    ]
    (sample / "questions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in both))
    few = {"context_tokens": "600,1200", "top_k": "5", "chunking": "worse"}
    return asyncio.run(
        study(Asked(profile="smoke", golden=sample, axes=few, objective=Objective()))
    )


def test_a_study_sweeps_chooses_confirms_and_hands_over(
    done: BudgetStudy, sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(done.dev.settings) == 2 * 2
    assert done.test is not None
    assert {question.split for question in done.test.questions} == {"test"}
    assert {question.split for question in done.dev.questions} == {"dev"}

    worse = next(each for each in done.dev.settings if WORSE in each.beside(done.dev.current))
    assert done.dev.difference(FACTS_IN_CONTEXT, worse).value < 0
    assert WORSE in worst_sentence(done.dev)

    out = tmp_path / "05_budgets.json"
    pictures = [draw(done, out) for draw in (draw_front, draw_tokens, draw_curves)]
    result = read_result(write_result(budgets_result(done, pictures), out))
    assert result.n == len(done.dev.questions)
    assert result.verdict == verdict(done)
    assert [len(row["means"]) for row in result.data["settings"]] == [7] * 4

    assert result.recommendation is not None
    spoken_of = {*result.recommendation.settings, *result.recommendation.kept}
    assert spoken_of == {"RAG_CONTEXT_TOKENS", "RAG_CHUNK_TOKENS", "RAG_CHUNK_OVERLAP_TOKENS"}

    sliders = budget_sliders(done, out)
    sliders.redraw()
    shown = {bytes(sliders.image.value)}
    sliders.controls["context_tokens"].value = 0
    shown.add(bytes(sliders.image.value))
    assert len(shown) == 2
    assert not (tmp_path / ENV_FILE).exists()
    sliders.controls["write"].value = True
    written = load_settings(tmp_path / ENV_FILE)
    assert BudgetSetting.of(written) == done.recommended.with_value("context_tokens", 600)
    text = (tmp_path / ENV_FILE).read_text()
    assert done.golden.digest in text
    assert done.pipeline_digest in text

    the_command_says_the_same(sample, tmp_path / "swept", capsys)
    the_notebook_hands_it_over(sample, tmp_path)


def the_command_says_the_same(sample: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Prints the front and the sentence, and writes what the notebook writes."""
    given = ["sweep", "--profile", "smoke", "--golden", str(sample), "--top-k", "5"]
    assert main([*given, "--context-tokens", "600", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    result = read_result(out / RESULT)
    assert result.verdict in printed
    assert len(result.pictures) == 3
    assert BudgetSetting.of(load_settings(out / ENV_FILE)).context_tokens in (600, 1200)
    assert main([*given, "--context-tokens", "600", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sentence"] == result.verdict


def the_notebook_hands_it_over(sample: Path, folder: Path) -> None:
    (notebook,) = discover(NOTEBOOKS, "budgets")
    given: dict[str, Value] = {
        "profile": "smoke",
        "golden": str(sample),
        "context_tokens": "600",
        "top_k": "5",
    }
    ran = run_notebook(notebook, given, folder)
    assert ran.problem == ""
    assert ran.result is not None
    assert {table.title for table in ran.result.tables} >= {"One budget changed"}
    assert len(ran.result.pictures) == 3
