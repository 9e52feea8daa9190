"""The studies of quality and retrieval, from a few golden questions to what the report shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from evals.cost.golden_tokens import golden_tokens
from evals.datasets.golden import load
from evals.datasets.golden_checks import validate
from evals.quality import pictures as quality_pictures
from evals.quality import study as quality
from evals.quality.cases import case, rightness, worst
from evals.quality.result import quality_result
from evals.results.result import read_result, write_result
from evals.retrieval import pictures as retrieval_pictures
from evals.retrieval import study as retrieval
from evals.retrieval.result import plan_text, retrieval_result
from rag_core.adapters.postgres import HNSW_INDEX
from rag_core.domain import SearchMethod
from rag_core.errors import InvalidInput


async def test_every_question_is_asked_and_measured_and_shown_with_its_gold(
    sample: Path, tmp_path: Path
) -> None:
    assert validate(load(sample)) == []
    run = await quality.study()
    out = tmp_path / "01_quality.json"
    draws = ("draw_answers", "draw_safety", "draw_scores", "draw_latency")
    pictures = [getattr(quality_pictures, draw)(run, out) for draw in draws]
    result = await quality_result(run, pictures)
    assert result.n == len(run.observations) == len(run.golden.questions)
    assert [seen.failure for seen in run.observations if seen.answer is None] == []
    headlines = {each.name: each.value for each in result.headlines}
    assert headlines["Isolation leaks"] == 0
    assert headlines["Attacks refused"] == 1
    calls = {each.source: each.p50.n for each in run.latencies}
    assert calls["FRESH"] == calls["CACHED, memory"] == calls["CACHED, Valkey"] > 0
    assert calls["REFUSED"] > 0
    assert all(each.p95.value is None for each in run.latencies)
    least = min(run.observations, key=lambda seen: (rightness(run, seen), seen.question.id))
    assert worst(run, 1) in ([], [least])
    shown = await case(run, least)
    assert least.question.question == shown.summary
    assert {title for title, blocks in shown.columns if blocks} == {"Answer", "Hits", "Gold"}

    tokens = await golden_tokens(write_result(result, out))
    measured = await golden_tokens(tmp_path / "absent.json")
    assert read_result(out).n == tokens.asked == measured.asked
    # A canary of its own may take another token or two.
    assert tokens.tokens.means() == pytest.approx(measured.tokens.means(), rel=0.01)
    assert tokens.extractive


async def test_both_searches_find_the_passages_and_the_plan_says_how(
    sample: Path, tmp_path: Path
) -> None:
    run = await retrieval.study(profile="smoke")
    out = tmp_path / "02_retrieval.json"
    draws = (retrieval_pictures.draw_measures, retrieval_pictures.draw_trade)
    result = retrieval_result(run, [draw(run, out) for draw in draws])
    (golden,) = run.collections
    assert result.n == golden.queries > 0
    assert golden.runs[SearchMethod.HNSW].index == HNSW_INDEX
    assert golden.runs[SearchMethod.EXACT].index != HNSW_INDEX
    assert HNSW_INDEX in plan_text(run)
    assert golden.overlap[5].value == 1
    with pytest.raises(InvalidInput, match="profile"):
        await retrieval.study(profile="fast")
