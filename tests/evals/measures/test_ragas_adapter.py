from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from starlette.responses import Response

from evals.measures.catalogue import JUDGED, RAGAS_ANSWER, RAGAS_CONTEXT
from evals.measures.judge import Judge
from evals.measures.judge_cache import JudgeBudget, JudgeCache
from evals.measures.ragas_adapter import answer_scores, context_scores, judge_scores
from evals.measures.scores import Scored, Unscored
from evals.measures.vectors import Vectors
from rag_core.adapters.embedders import HashingEmbedder
from rag_core.domain import Prices
from tests.evals.measures.judge_server import JudgeServer, judge_server, says
from tests.evals.measures.observed import (
    ABEL,
    BODIES,
    CAIN,
    GOLDEN,
    NOTHING_FOUND,
    answer,
    cite,
    failed,
    hit,
    question,
    seen,
    value,
)

WHY = Unscored("call failed: ProviderTimeout")


@pytest.fixture
def vectors() -> Vectors:
    return Vectors(HashingEmbedder())


@pytest.fixture
async def server() -> AsyncIterator[JudgeServer]:
    async with judge_server() as running:
        yield running


@pytest.fixture
async def judge(server: JudgeServer, tmp_path: Path) -> AsyncIterator[Judge]:
    made = Judge(
        base_url=server.base_url,
        model="m",
        cache=JudgeCache(tmp_path),
        budget=JudgeBudget(10.0, Prices(0.0001, 0.0001)),
        max_retries=0,
    )
    yield made
    await made.close()


async def test_the_reference_itself_scores_one_with_its_marks_left_out(vectors: Vectors) -> None:
    found = await answer_scores(seen("Cain showed a proud heart [1]."), vectors)
    assert tuple(found) == RAGAS_ANSWER
    assert [value(score) for score in found.values()] == pytest.approx([1.0] * 5)


async def test_every_sentence_of_an_answer_counts_in_bleu(vectors: Vectors) -> None:
    """Left alone, ragas compares the first sentence and finds this answer perfect."""
    padded = "Cain showed a proud heart. The weather was fine on that day and on the next."
    found = await answer_scores(seen(padded), vectors)
    assert 0 < value(found["ragas_bleu"]) < 0.5
    assert value(found["ragas_rouge_l"]) < 0.6


async def test_an_empty_answer_is_scored_low_not_failed(vectors: Vectors) -> None:
    found = await answer_scores(seen("[1]"), vectors)
    assert value(found["ragas_string_similarity"]) == 0.0
    assert value(found["ragas_bleu"]) == 0.0


async def test_context_scores_know_passages_by_id_and_by_text() -> None:
    found = await context_scores(
        seen("x", None, hit(CAIN), hit(BODIES["ann"]["n2"], note="n2")), GOLDEN
    )
    assert tuple(found) == RAGAS_CONTEXT
    assert value(found["ragas_id_context_recall"]) == 0.5
    assert value(found["ragas_id_context_precision"]) == 0.5
    assert value(found["ragas_text_context_recall"]) == 0.5
    assert value(found["ragas_text_context_precision"]) == pytest.approx(1.0)


async def test_nothing_retrieved_and_failed_calls_are_reasons(vectors: Vectors) -> None:
    nothing = await context_scores(seen("x"), GOLDEN)
    assert set(nothing.values()) == {Unscored("nothing was retrieved")}
    assert set((await context_scores(failed(), GOLDEN)).values()) == {WHY}
    assert set((await answer_scores(failed(), vectors)).values()) == {WHY}


def graded(prompt: str) -> Response:
    """Statements, verdicts (the second false), a question back, a useful context."""
    if '"noncommittal"' in prompt:
        return says(json.dumps({"question": "Why was Cain turned away?", "noncommittal": 0}))
    if "faithfulness of a series of statements" in prompt:
        verdicts = [{"statement": s, "reason": "r", "verdict": v} for s, v in (("a", 1), ("b", 0))]
        return says(json.dumps({"statements": verdicts}))
    if '"statements"' in prompt:
        return says(json.dumps({"statements": ["Cain was proud.", "Abel was not."]}))
    return says(json.dumps({"reason": "r", "verdict": int(CAIN in prompt)}))


OBSERVED = seen(answer("Cain was proud [1].", cite(1, CAIN)), None, hit(ABEL), hit(CAIN))
CONTEXT = (ABEL, CAIN)


async def test_a_judge_grades_faithfulness_relevancy_and_context_precision(
    server: JudgeServer, judge: Judge, vectors: Vectors
) -> None:
    server.reply = graded
    found = await judge_scores(OBSERVED, judge, vectors, CONTEXT)
    assert tuple(found) == JUDGED
    assert value(found["judge_faithfulness"]) == 0.5
    assert value(found["judge_answer_relevancy"]) == pytest.approx(1.0)
    assert value(found["judge_context_precision"]) == pytest.approx(0.5)
    asked = len(server.prompts)
    assert await judge_scores(OBSERVED, judge, vectors, CONTEXT) == found
    assert len(server.prompts) == asked


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (lambda prompt: Response("boom", 500), "the judge's server failed"),
        (lambda prompt: says("no idea"), "cannot be understood"),
        (lambda prompt: says('{"statements": []}'), "cannot be understood"),
        (
            lambda prompt: says(
                '{"question": "", "noncommittal": 0, "statements": [], "reason": "r", "verdict": 7}'
            ),
            "is empty|must be 0 or 1",
        ),
    ],
)
async def test_a_judge_that_fails_gives_reasons_never_numbers(
    server: JudgeServer,
    judge: Judge,
    vectors: Vectors,
    reply: Callable[[str], Response],
    why: str,
) -> None:
    server.reply = reply
    for score in (await judge_scores(OBSERVED, judge, vectors, CONTEXT)).values():
        assert isinstance(score, Unscored)
        assert re.search(why, score.reason)


async def test_fewer_verdicts_than_statements_are_no_faithfulness(
    server: JudgeServer, judge: Judge, vectors: Vectors
) -> None:
    def short(prompt: str) -> Response:
        if "faithfulness of a series of statements" in prompt:
            one = {"statement": "a", "reason": "r", "verdict": 1}
            return says(json.dumps({"statements": [one]}))
        return graded(prompt)

    server.reply = short
    found = await judge_scores(OBSERVED, judge, vectors, CONTEXT)
    assert found["judge_faithfulness"] == Unscored("the judge gave 1 verdicts on 2 statements")


async def test_a_spent_budget_is_the_reason(
    server: JudgeServer, tmp_path: Path, vectors: Vectors
) -> None:
    poor = Judge(
        base_url=server.base_url,
        model="m",
        cache=JudgeCache(tmp_path),
        budget=JudgeBudget(0.5, Prices(0.1, 0.1)),
    )
    found = await judge_scores(OBSERVED, poor, vectors, CONTEXT)
    assert set(found.values()) == {Unscored("judge budget of $0.5 spent")}
    assert server.prompts == []
    await poor.close()


async def test_what_there_is_nothing_to_judge_of_is_not_asked(
    server: JudgeServer, judge: Judge, vectors: Vectors
) -> None:
    declining = await judge_scores(seen(NOTHING_FOUND), judge, vectors, CONTEXT)
    assert set(declining.values()) == {Unscored("the answer declines")}
    assert set((await judge_scores(failed(), judge, vectors, CONTEXT)).values()) == {WHY}
    assert server.prompts == []
    server.reply = graded
    unseen = await judge_scores(seen("Cain was proud.", question()), judge, vectors, ())
    assert unseen["judge_faithfulness"] == Unscored("no context was observed")
    assert isinstance(unseen["judge_answer_relevancy"], Scored)


def test_scoring_leaves_nothing_in_the_home_folder(tmp_path: Path) -> None:
    """In a process of its own, as ragas remembers what it wrote."""
    script = (
        "import asyncio; from evals.measures.ragas_adapter import context_scores;"
        "from tests.evals.measures.observed import CAIN, GOLDEN, hit, seen;"
        "print(asyncio.run(context_scores(seen('x', None, hit(CAIN)), GOLDEN)))"
    )
    environment = os.environ | {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data")}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert "ragas_text_context_recall" in done.stdout
    assert [path.name for path in tmp_path.rglob("*") if "ragas" in path.name] == []
