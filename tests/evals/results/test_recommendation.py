"""Recommended settings become one file that says where it comes from, or none."""

from __future__ import annotations

from pathlib import Path

import pytest

from evals.results.recommendation import (
    FILE,
    Origin,
    Recommendation,
    why_withheld,
    write_recommended,
)
from rag_core.errors import InvalidInput
from rag_core.settings import load_settings

ORIGIN = Origin(run="20260102T030405Z-abc", commit="abcdef", date="2026-01-02", pipeline="d1g357")
TTLS = Recommendation(
    objective="least dollars",
    settings={"RAG_ANSWER_SOFT_TTL_S": "7200", "RAG_ANSWER_HARD_TTL_S": "9000"},
    kept={"RAG_CONTEXT_TTL_S": "it does not matter:\nRAG_TOP_K=99 saves nothing"},
)
TOKENS = Recommendation(objective="best answers", settings={"RAG_CONTEXT_TOKENS": "900"})


def test_several_notebooks_join_one_file_that_loads_and_says_where_it_comes_from(
    tmp_path: Path,
) -> None:
    path = write_recommended({"03_cache": TTLS, "05_budgets": TOKENS}, ORIGIN, tmp_path)
    assert path == tmp_path / FILE
    settings = load_settings(path)
    assert (settings.answer_soft_ttl_s, settings.answer_hard_ttl_s) == (7_200, 9_000)
    assert settings.context_tokens == 900
    assert settings.top_k == 5
    comments = [line for line in path.read_text().splitlines() if line.startswith("#")]
    for said in ("20260102T030405Z-abc", "abcdef", "2026-01-02", "d1g357", "least dollars",
                 "best answers", "RAG_CONTEXT_TTL_S keeps its default"):  # fmt: skip
        assert any(said in comment for comment in comments), said


def test_one_that_is_withheld_leaves_no_file_and_says_why(tmp_path: Path) -> None:
    offered = {
        "03_cache": Recommendation(objective="x", withheld="the three ways disagree"),
        "05_budgets": TOKENS,
    }
    assert write_recommended(offered, ORIGIN, tmp_path) is None
    assert list(tmp_path.iterdir()) == []
    assert why_withheld(offered) == "03_cache: the three ways disagree"
    assert why_withheld({})


def test_two_notebooks_must_not_speak_of_one_setting(tmp_path: Path) -> None:
    offered = {"a": TOKENS, "b": TOKENS}
    assert "RAG_CONTEXT_TOKENS" in why_withheld(offered)
    assert write_recommended(offered, ORIGIN, tmp_path) is None


def test_a_name_that_the_app_does_not_read_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no variable"):
        Recommendation(objective="x", settings={"context_tokens": "900"})
    with pytest.raises(InvalidInput, match="both"):
        Recommendation(objective="x", settings={"RAG_A": "1"}, kept={"RAG_A": "why"})
