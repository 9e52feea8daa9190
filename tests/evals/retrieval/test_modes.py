"""The modes of search beside each other: the deployed pipeline's own, and paired."""

from __future__ import annotations

from pathlib import Path

import pytest

from evals.__main__ import main
from evals.measures.retrieval import RetrievalScores
from evals.measures.scores import Scored
from evals.retrieval.modes import ModesRun
from evals.retrieval.modes_result import GAIN, mode_headlines, mode_verdict
from rag_core.domain import SearchMode

QUERIES = [f"q{n}" for n in range(20)]


def searched(name: str, *, grouped: bool, hybrid: float) -> ModesRun:
    """Dense and lexical search find half; hybrid search `hybrid` of each question."""
    values = {SearchMode.DENSE: 0.5, SearchMode.LEXICAL: 0.5, SearchMode.HYBRID: hybrid}
    scores = {
        mode: RetrievalScores(
            {name: dict.fromkeys(QUERIES, Scored(value)) for name in ("nDCG@10", "R@5", "RR@10")},
            {},
        )
        for mode, value in values.items()
    }
    groups = {query: query for query in QUERIES} if grouped else None
    ms = {mode: dict.fromkeys(QUERIES, 1.0) for mode in SearchMode}
    return ModesRun(name, scores, ms, groups, 0)


def test_a_gain_is_told_for_collections_and_the_reported_split_beside_what_is_asked_for() -> None:
    runs = [
        searched("henry-topics", grouped=False, hybrid=0.7),
        searched("golden questions, dev", grouped=True, hybrid=0.9),
        searched("golden questions, test", grouped=True, hybrid=0.52),
    ]
    topics, test = mode_headlines(runs)
    assert topics.value == pytest.approx(0.2)
    assert (topics.target, topics.status) == (0.0, "good")
    assert test.value == pytest.approx(0.02)
    assert (test.measure, test.target, test.status) == ("R@5", GAIN, "bad")
    said = mode_verdict(runs)
    assert "On henry-topics, hybrid search is +0.200 nDCG@10 from dense" in said
    assert said.count("(p < 0.001: better)") == 3, "and not p 0.000"


def test_the_command_takes_a_golden_folder_or_a_collection(
    sample: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["modes", str(sample)]) == 0
    said = capsys.readouterr().out
    for mode in SearchMode:
        assert f" {mode} " in said
    assert main(["modes", str(sample / "nowhere")]) == 2
    assert "error: " in capsys.readouterr().err
