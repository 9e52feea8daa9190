"""A run that was killed goes on where it was, and an unchanged one is not made again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from evals.datasets.golden import GoldenQuestion, Scenario
from evals.measures.kept_answers import UNFINISHED, kept_answers
from evals.measures.observations import Observation
from evals.results.notebook_run import NotebookRun
from evals.results.result import NotebookResult, Picture, write_result
from evals.run.finished import Finished, code_digest
from evals.run.notebooks import Notebook
from rag_core.domain import (
    Answer,
    Citation,
    Context,
    Hit,
    Provenance,
    Ranking,
    Source,
    Usage,
    Verses,
)

VALUES = {"seed": 0}


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a run sets in the environment is gone after the test."""
    monkeypatch.setenv(UNFINISHED, ":memory:")


@pytest.fixture
def notebook(tmp_path: Path) -> Notebook:
    path = tmp_path / "01_quality.ipynb"
    path.write_text("{}")
    return Notebook(path, {})


def run_of(notebook: Notebook, folder: Path) -> NotebookRun:
    """A run that wrote a result with a picture."""
    folder.mkdir()
    executed = folder / f"{notebook.name}.ipynb"
    executed.write_text("executed")
    (folder / f"{notebook.name}-bars.png").write_bytes(b"bars")
    picture = Picture(f"{notebook.name}-bars.png", "Bars")
    result = NotebookResult(title="Answers", verdict="Good.", n=3, pictures=(picture,))
    write_result(result, folder / f"{notebook.name}.json")
    return NotebookRun(notebook.name, executed, 12.5, result)


def finished(tmp_path: Path, *, again: bool = False, **depends: str) -> Finished:
    made = Finished(tmp_path / "home", depends, again=again)
    made.begin()
    return made


def test_a_finished_notebook_is_taken_with_all_its_files(
    tmp_path: Path, notebook: Notebook
) -> None:
    run = run_of(notebook, tmp_path / "first")
    finished(tmp_path, data="a").keep(run, notebook, VALUES)
    (tmp_path / "second").mkdir()
    taken = finished(tmp_path, data="a").take(notebook, VALUES, tmp_path / "second")
    place = tmp_path / "second" / "01_quality.ipynb"
    assert taken == replace(run, executed=place, kept_from="first")
    names = {path.name for path in (tmp_path / "second").iterdir()}
    assert names == {"01_quality.ipynb", "01_quality.json", "01_quality-bars.png"}


def test_what_depends_on_a_change_is_run_again(tmp_path: Path, notebook: Notebook) -> None:
    finished(tmp_path, data="a").keep(run_of(notebook, tmp_path / "first"), notebook, VALUES)
    folder = tmp_path / "first"
    assert finished(tmp_path, data="b").take(notebook, VALUES, folder) is None
    assert finished(tmp_path, data="a").take(notebook, {"seed": 1}, folder) is None
    assert finished(tmp_path, data="a", again=True).take(notebook, VALUES, folder) is None
    notebook.path.write_text('{"cells": []}')
    assert finished(tmp_path, data="a").take(notebook, VALUES, folder) is None


def test_another_judge_is_a_change(
    tmp_path: Path, notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished(tmp_path).keep(run_of(notebook, tmp_path / "first"), notebook, VALUES)
    monkeypatch.setenv("RAG_JUDGE_MODEL", "another")
    assert finished(tmp_path).take(notebook, VALUES, tmp_path) is None


def test_a_notebook_that_failed_is_run_again(tmp_path: Path, notebook: Notebook) -> None:
    run = replace(run_of(notebook, tmp_path / "first"), problem="a cell failed")
    finished(tmp_path).keep(run, notebook, VALUES)
    assert finished(tmp_path).take(notebook, VALUES, tmp_path) is None


def test_code_is_all_that_runs(tmp_path: Path) -> None:
    for name in ("rag_core/a.py", "evals/b.json", "evals/__pycache__/b.pyc", "tests/c.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1")
    before = code_digest(tmp_path)
    for name in ("evals/__pycache__/b.pyc", "tests/c.py"):
        (tmp_path / name).write_text("2")
    assert code_digest(tmp_path) == before
    (tmp_path / "evals/b.json").write_text("2")
    assert code_digest(tmp_path) != before


QUESTION = GoldenQuestion(id="q", user="ann", question="What?", scenario=Scenario.SINGLE_NOTE)
FAILED = GoldenQuestion(id="f", user="ann", question="Who?", scenario=Scenario.SINGLE_NOTE)


def observation() -> Observation:
    hit = Hit(
        "n", 0, "T", "H", "Words.", 0, 6, "", None, ("t",), (Verses("Rom", 8, 1, 2),), 0.5, None
    )
    source = Source(1, hit, "Words.")
    citation = Citation(1, "n", "n#0", "T", None, ("Rom 8:1-2",), "Words.", 0, 6)
    answer = Answer("Words [1].", Provenance.FRESH, (citation,), Usage(3, 4), timings_ms={"a": 1.0})
    return Observation(
        QUESTION, answer, Ranking((hit,)), latency_ms=2.0, context=Context((source,), 9)
    )


def test_an_answer_is_kept_for_the_run_that_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = finished(tmp_path)
    with kept_answers("golden") as kept:
        kept.keep(observation())
        kept.keep(Observation(FAILED, None, error="timeout"))
    with kept_answers("golden") as kept:
        assert kept.get(QUESTION) == observation()
        assert kept.get(FAILED) is None
    with kept_answers("another pipeline") as kept:
        assert kept.get(QUESTION) is None
    run.end()
    assert list((tmp_path / "home").iterdir()) == []
    monkeypatch.delenv(UNFINISHED, raising=False)
    with kept_answers("golden") as kept:
        assert kept.get(QUESTION) is None


def test_a_run_that_is_made_again_forgets_the_one_that_was_killed(tmp_path: Path) -> None:
    finished(tmp_path)
    with kept_answers("golden") as kept:
        kept.keep(observation())
    finished(tmp_path, again=True)
    with kept_answers("golden") as kept:
        assert kept.get(QUESTION) is None
