"""A run that goes on asks what is not finished, and whoever must have asked before it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from evals.datasets.golden import GoldenQuestion, GoldenSet, Passage, Scenario
from evals.measures.asking import ask_golden
from evals.measures.kept_answers import UNFINISHED
from rag_core.domain import Answer, Context, Provenance, Ranking


class Stopping:
    """A pipeline that notes who asks what, and stops at a question as a kill would."""

    digest = "a pipeline"

    def __init__(self, stop_at: str = "") -> None:
        self.asked: list[tuple[str, str]] = []
        self._stop_at = stop_at

    async def answer(self, question: str, user: str) -> Answer:
        if question == self._stop_at:
            raise KeyboardInterrupt
        self.asked.append((user, question))
        return Answer(f"Of {question}", Provenance.FRESH, evidence="e")

    async def retrieve(self, question: str, user: str) -> Any:
        return SimpleNamespace(evidence="e", ranking=Ranking(), context=Context())


def golden() -> GoldenSet:
    def row(name: str, **more: Any) -> GoldenQuestion:
        given = {"user": "ann", "scenario": Scenario.SINGLE_NOTE, **more}
        return GoldenQuestion(id=name, question=f"{name}?", **given)

    foreign = {"scenario": Scenario.OTHER_USERS_NOTES, "foreign_gold": ("p",)}
    passage = Passage(id="p", user="ben", note="n", ref="r", title="", start=0, end=1)
    questions = (row("one"), row("two", **foreign), row("three"), row("four", **foreign))
    return GoldenSet(questions, {"p": passage}, {}, {}, digest="")


@pytest.fixture(autouse=True)
def _under_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(UNFINISHED, str(tmp_path / "run.sqlite"))


async def ask(pipeline: Stopping) -> list[str]:
    seen = await ask_golden(SimpleNamespace(pipeline=pipeline), golden())  # type: ignore[arg-type]
    return [each.answer.text for each in seen if each.answer]


def test_finished_questions_are_not_asked_again() -> None:
    """Run by hand, as a KeyboardInterrupt ends pytest's own loop."""
    import asyncio

    first, second = Stopping(stop_at="three?"), Stopping()
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(ask(first))
    texts = asyncio.run(ask(second))
    assert texts == ["Of one?", "Of two?", "Of three?", "Of four?"]
    assert ("ann", "two?") in first.asked
    assert second.asked == [("ben", "four?"), ("ann", "three?"), ("ann", "four?")]


async def test_another_pipeline_is_asked_anew() -> None:
    await ask(Stopping())
    other = Stopping()
    other.digest = "another"
    await ask(other)
    assert len(other.asked) == 6
