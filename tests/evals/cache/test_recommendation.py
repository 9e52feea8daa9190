"""What the cache study recommends, and that it recommends nothing where its ways disagree."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from evals.cache.decisions import decision_table, reason, recommendation
from evals.cache.edited_notes import Edit
from evals.cache.edits import EditOutcome, EditStudy
from evals.cache.result import cache_result, headlines
from evals.cache.study import CacheStudy, study
from evals.cache.trust import disagreements
from evals.results.recommendation import Origin, write_recommended
from evals.simulation.scale import SCALES
from evals.simulation.simulator import Setting
from evals.simulation.traffic import DAY_S, Assumptions

TINY = replace(
    SCALES["smoke"],
    corner_requests=100,
    answer_ttls_s=(3_600.0, 4 * DAY_S, 10 * DAY_S),
    replayed_requests=20,
    agreement_ttls_s=(DAY_S,),
)
ORIGIN = Origin(run="r", commit="c", date="d", pipeline="p")


def edits() -> EditStudy:
    return EditStudy(
        tuple(
            EditOutcome(
                user="u", question="q", note=str(n), kind=Edit.CITED, rested_on=3,
                touched=n % 2 == 0, changed=n % 4 == 0,
            )
            for n in range(40)
        )
    )  # fmt: skip


@pytest.fixture
async def found() -> CacheStudy:
    return await study(
        Assumptions(users=4, days=14), edits(), how=TINY, deployed=Setting(), evidence_notes=3
    )


async def test_a_recommendation_is_withheld_where_the_three_ways_disagree(
    found: CacheStudy, tmp_path: Path
) -> None:
    assert disagreements(found) == []
    assert not recommendation(found).withheld
    gap = found.agreement.assign(gap=0.5)
    apart = replace(found, agreement=gap)
    told = recommendation(apart)
    assert "closed form" in told.withheld
    assert write_recommended({"03_cache": told}, ORIGIN, tmp_path) is None
    assert "DO NOT AGREE" in cache_result(apart, []).verdict


async def test_each_ttl_is_recommended_or_kept_for_a_reason_that_is_said(
    found: CacheStudy,
) -> None:
    edge = replace(found.decisions[0], best=10 * DAY_S, why="edge")
    better = replace(found.decisions[0], best=4 * DAY_S, why="cheaper")
    assert "longest tried" in reason(edge)
    kept = recommendation(replace(found, decisions=(edge,)))
    assert "RAG_ANSWER_SOFT_TTL_S" not in kept.settings
    assert kept.kept["RAG_ANSWER_SOFT_TTL_S"] == reason(edge)
    setting = Setting().with_values(answer_soft_ttl_s=4 * DAY_S)
    chosen = replace(
        found, decisions=(better,), recommended=replace(found.recommended, setting=setting)
    )
    settings = recommendation(chosen).settings
    assert float(settings["RAG_ANSWER_SOFT_TTL_S"]) == 4 * DAY_S
    assert float(settings["RAG_ANSWER_HARD_TTL_S"]) == 10 * DAY_S
    assert list(decision_table(found).index) == [
        "RAG_ANSWER_SOFT_TTL_S", "RAG_EMBEDDING_TTL_S", "RAG_CONTEXT_TTL_S"
    ]  # fmt: skip
    assert {each.n for each in headlines(found) if each.simulated} == {len(found.timelines)}
