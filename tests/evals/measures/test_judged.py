"""What a judge says of an answer and of declining, once and repeatedly."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.responses import Response

from evals.datasets.golden import Scenario
from evals.measures.catalogue import JUDGED_DECLINING, Instruments
from evals.measures.judge import Judge
from evals.measures.judge_cache import JudgeBudget, JudgeCache
from evals.measures.judged import agreement
from evals.measures.observations import Observation
from evals.measures.scores import Scored, Unscored
from evals.measures.summary import Summary, summarise
from evals.measures.vectors import Vectors
from rag_core.adapters.embedders import HashingEmbedder
from rag_core.domain import Context, Prices, Ranking, Source
from tests.evals.light_checks import light_checker
from tests.evals.measures.judge_server import JudgeServer, judge_server, says
from tests.evals.measures.observed import (
    ABEL,
    CAIN,
    GOLDEN,
    NOTHING_FOUND,
    REFUSED,
    answer,
    cite,
    failed,
    hit,
    question,
    seen,
    unanswerable,
    value,
)

Judging = Callable[..., Judge]


@pytest.fixture
async def server() -> AsyncIterator[JudgeServer]:
    async with judge_server() as running:
        running.reply = answerable_where_cain_is
        yield running


@pytest.fixture
async def judging(server: JudgeServer, tmp_path: Path) -> AsyncIterator[Judging]:
    made: list[Judge] = []

    def judge(repeats: int = 1) -> Judge:
        budget = JudgeBudget(10.0, Prices(0.0001, 0.0001))
        cache = JudgeCache(tmp_path)
        made.append(
            Judge(
                base_url=server.base_url,
                model="m",
                cache=cache,
                budget=budget,
                max_retries=0,
                repeats=repeats,
            )
        )
        return made[-1]

    yield judge
    for each in made:
        await each.close()


def answerable_where_cain_is(prompt: str) -> Response:
    if '"answerable"' in prompt:
        return says(json.dumps({"reason": "r", "answerable": CAIN in prompt}))
    return says("no idea")


def best_hit_alone(ranking: Ranking) -> Context:
    """A context in which the first hit takes all the room."""
    return Context(tuple(Source(1, hit, hit.text) for hit in ranking.hits[:1]))


async def judged(judge: Judge, *observed: Observation) -> Summary:
    vectors = Vectors(HashingEmbedder())
    return await summarise(observed, Instruments(GOLDEN, vectors, light_checker(vectors), judge))


async def test_declining_is_right_where_the_notes_found_hold_no_answer(judging: Judging) -> None:
    summary = await judged(
        judging(),
        seen(NOTHING_FOUND, unanswerable("nowhere"), hit(ABEL)),
        seen(NOTHING_FOUND, question("overlooked"), hit(CAIN)),
        seen("It was Ramses.", unanswerable("invented"), hit(ABEL)),
        seen(answer("Cain was [1].", cite(1, CAIN)), question("answered"), hit(CAIN)),
    )
    assert summary.rows[JUDGED_DECLINING] == {
        "nowhere": Scored(1.0),
        "overlooked": Scored(0.0),
        "invented": Scored(0.0),
        "answered": Scored(1.0),
    }


async def test_what_cannot_be_judged_is_said_and_not_asked(
    server: JudgeServer, judging: Judging
) -> None:
    summary = await judged(
        judging(),
        failed(question("down")),
        seen(REFUSED, unanswerable("refused", Scenario.OTHER_USERS_NOTES)),
        seen(NOTHING_FOUND, unanswerable("empty")),
    )
    assert summary.rows[JUDGED_DECLINING] == {
        "down": Unscored("call failed: ProviderTimeout"),
        "refused": Unscored("refused: nothing was searched for"),
        "empty": Unscored("nothing was found"),
    }
    assert server.prompts == []


async def test_the_context_is_judged_cited_or_not_and_what_found_no_room_is_not(
    server: JudgeServer, judging: Judging
) -> None:
    observed = seen(answer("Abel did [1].", cite(1, ABEL)), question(), hit(CAIN), hit(ABEL))
    assert observed.ranking is not None
    await judged(judging(), replace(observed, context=best_hit_alone(observed.ranking)))
    [prompt] = [each for each in server.prompts if '"answerable"' in each]
    assert CAIN in prompt
    assert ABEL not in prompt


async def test_a_judge_asked_twice_shows_how_far_it_agrees_with_itself(
    server: JudgeServer, judging: Judging
) -> None:
    replies = iter([True, False, True, True])
    server.reply = lambda prompt: says(json.dumps({"reason": "", "answerable": next(replies)}))
    torn = await judged(judging(2), seen(NOTHING_FOUND, unanswerable("torn"), hit(ABEL)))
    assert torn.rows[JUDGED_DECLINING] == {"torn": Scored(0.5)}
    assert torn.rows[f"{JUDGED_DECLINING}_agreement"] == {"torn": Scored(0.0)}
    sure = await judged(judging(2), seen(NOTHING_FOUND, unanswerable("sure"), hit(CAIN)))
    assert sure.rows[f"{JUDGED_DECLINING}_agreement"] == {"sure": Scored(1.0)}


def test_agreement_is_that_of_all_pairs_and_wants_every_repeat() -> None:
    torn = agreement([Scored(1.0), Scored(1.0), Scored(0.0)])
    assert value(torn) == pytest.approx(1 / 3)
    assert agreement([Scored(0.5), Scored(0.75)]) == Scored(0.75)
    assert agreement([Scored(1.0), Unscored("down")]) == Unscored("down")
    assert agreement([Scored(1.0)]) == Unscored("judged once")
