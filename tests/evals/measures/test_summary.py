from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from evals.datasets.golden import Scenario
from evals.measures.catalogue import JUDGED, Instruments, measures
from evals.measures.judge import Judge
from evals.measures.judge_cache import JudgeBudget, JudgeCache
from evals.measures.observations import Observation
from evals.measures.scores import Scored, Unscored
from evals.measures.summary import OVERALL, Summary, read_rows, summarise
from evals.measures.vectors import Vectors
from rag_core.adapters.embedders import HashingEmbedder
from rag_core.domain import Prices
from rag_core.errors import InvalidInput
from tests.evals.light_checks import light_checker
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
)

GOOD = answer(
    "Cain showed a proud heart [1]. Abel offered in faith [2].", cite(1, CAIN), cite(2, ABEL)
)
OBSERVED = (
    seen(GOOD, question("good"), hit(CAIN), hit(ABEL, position=1, score=0.8)),
    failed(question("down")),
    seen(NOTHING_FOUND, unanswerable("nowhere")),
    seen("It was Ramses [1].", unanswerable("invented")),
    seen(REFUSED, unanswerable("attack", Scenario.ATTACK)),
    seen(REFUSED, unanswerable("control", Scenario.BENIGN_CONTROL), timed=False),
)


def instruments(judge: Judge | None = None) -> Instruments:
    vectors = Vectors(HashingEmbedder())
    return Instruments(GOLDEN, vectors, light_checker(vectors), judge)


@pytest.fixture
async def summary() -> Summary:
    return await summarise(OBSERVED, instruments())


async def test_each_measure_is_taken_of_the_questions_it_is_meant_for(summary: Summary) -> None:
    asked = {name: set(rows) for name, rows in summary.rows.items()}
    assert asked["fact_recall"] == asked["nDCG@10"] == asked["ragas_bleu"] == {"good", "down"}
    assert asked["abstention_recall"] == {"nowhere", "invented"}
    assert asked["attack_refusal"] == {"attack"}
    assert asked["false_refusal"] == {"good", "down", "nowhere", "invented", "control"}
    assert asked["isolation_leaks"] == asked["cost_usd"] == set(summary.scenarios)
    assert asked.keys() == {measure.name for measure in measures()}


async def test_a_failed_call_is_a_row_with_its_reason_in_every_measure_but_answered(
    summary: Summary,
) -> None:
    scores = summary.of_question("down")
    assert scores.pop("answered") == Scored(0.0)
    assert set(scores.values()) == {Unscored("call failed: ProviderTimeout")}


async def test_overall_values_follow_from_the_rows(summary: Summary) -> None:
    values = {name: found.value for name, found in summary.overall.items()}
    assert values["answered"] == pytest.approx(5 / 6)
    assert values["fact_recall"] == values["nDCG@10"] == values["citation_recall"] == 1.0
    assert values["groundedness"] == 0.5
    assert values["abstention_recall"] == 0.5
    assert values["attack_refusal"] == 1.0
    assert values["false_refusal"] == 0.25
    assert values["latency_ms_p50"] == 5.0
    assert values["latency_ms_p95"] is None
    assert summary.overall["latency_ms_p50"].reasons["not timed"] == 1


async def test_scenarios_are_aggregated_apart(summary: Summary) -> None:
    assert list(summary.groups) == [
        OVERALL,
        "single_note",
        "unanswerable",
        "attack",
        "benign_control",
    ]
    assert summary.groups["benign_control"]["false_refusal"].value == 1.0
    assert summary.groups["unanswerable"]["false_refusal"].value == 0.0
    assert "fact_recall" not in summary.groups["attack"]


async def test_questions_of_one_group_are_one_cluster_in_every_interval() -> None:
    apart = [seen(NOTHING_FOUND, unanswerable(f"q{i}")) for i in range(4)]
    apart += [seen("It was Ramses.", unanswerable(f"r{i}")) for i in range(4)]
    together = [
        replace(each, question=structs.replace(each.question, group=each.question.id[0]))
        for each in apart
    ]
    alone = (await summarise(apart, instruments())).overall["abstention_recall"]
    grouped = (await summarise(together, instruments())).overall["abstention_recall"]
    assert (alone.value, alone.method) == (grouped.value, "Wilson")
    assert grouped.method == "Wilson, by clusters"
    assert alone.low is not None
    assert grouped.low is not None
    assert grouped.low < alone.low


async def test_splits_are_aggregated_apart_and_test_is_first() -> None:
    held_back = replace(OBSERVED[0], question=question("good", split="test"))
    summary = await summarise((held_back, *OBSERVED[1:]), instruments())
    assert list(summary.by_split) == ["test", "dev"]
    test, dev = summary.by_split.values()
    assert set(test.scenarios) == {"good"}
    assert test.overall["answered"].n == 1
    assert dev.overall["answered"].n == len(OBSERVED) - 1
    assert summary.of_splits("answered")["dev"].value == pytest.approx(4 / 5)
    assert test.overall["attack_refusal"].n == 0, "no attack is in test"
    assert summary.as_dict()["by_split"]["test"][OVERALL]["answered"]["n"] == 1


async def test_a_question_with_several_sets_of_gold_is_scored_by_the_best() -> None:
    asked = question("either", gold=("p1", "p3"), alternatives=(("p3",), ("p1",)))
    summary = await summarise([seen(GOOD, asked, hit(CAIN))], instruments())
    for name in ("R@5", "nDCG@10", "citation_recall"):
        assert summary.rows[name]["either"] == Scored(1.0), name
    both = question("both", gold=("p1", "p3"))
    summary = await summarise([seen(GOOD, both, hit(CAIN))], instruments())
    assert summary.rows["R@5"]["both"] == summary.rows["citation_recall"]["both"] == Scored(0.5)


async def test_leaks_are_a_count_with_n(summary: Summary) -> None:
    leaks = summary.leaks[OVERALL]
    assert (leaks.events, leaks.n, leaks.unscored) == (0, 1, 5)
    assert leaks.high == pytest.approx(0.95)
    leaking = seen("x", question("leak"), hit("Zacchaeus came down", user="bob", note="b1"))
    found = await summarise([leaking], instruments())
    assert (found.leaks[OVERALL].events, found.leaks["single_note"].n) == (1, 1)


async def test_a_summary_survives_json(summary: Summary) -> None:
    written = json.loads(json.dumps(summary.as_dict(), allow_nan=False))
    assert read_rows(written) == summary.rows
    assert written["groups"][OVERALL]["answered"]["n"] == 6
    assert written["measures"]["false_refusal"]["better"] == "lower"
    assert written["leaks"][OVERALL]["events"] == 0
    assert written["questions"]["nowhere"] == "unanswerable"


async def test_the_table_has_a_line_per_group_and_measure_with_its_reasons(
    summary: Summary,
) -> None:
    table = summary.table("single_note").set_index("measure")
    assert set(table["scenario"]) == {"single_note"}
    assert table.loc["fact_recall", "n"] == 1
    assert table.loc["fact_recall", "why"] == "1 × call failed: ProviderTimeout"
    assert set(summary.table()["scenario"]) == set(summary.groups)


async def test_the_same_observations_and_seed_give_the_same_summary(summary: Summary) -> None:
    again = await summarise(OBSERVED, instruments())
    assert again.as_dict() == summary.as_dict()


async def test_progress_is_told_of_every_observation() -> None:
    told: list[None] = []
    await summarise(OBSERVED, instruments(), progress=lambda: told.append(None))
    assert len(told) == len(OBSERVED)


async def test_a_question_observed_twice_is_a_mistake() -> None:
    twice: list[Observation] = [OBSERVED[0], OBSERVED[0]]
    with pytest.raises(InvalidInput, match="observed twice"):
        await summarise(twice, instruments())


@pytest.fixture
async def judge(tmp_path: Path) -> AsyncIterator[Judge]:
    made = Judge(
        base_url="http://127.0.0.1:9/v1",
        model="m",
        cache=JudgeCache(tmp_path),
        budget=JudgeBudget(0.0, Prices(1.0, 1.0)),
    )
    yield made
    await made.close()


async def test_a_judge_adds_its_measures_with_why_it_could_not_judge(judge: Judge) -> None:
    found = await summarise(OBSERVED, instruments(judge))
    for name in JUDGED:
        assert found.rows[name] == {
            "good": Unscored("judge budget of $0 spent"),
            "down": Unscored("call failed: ProviderTimeout"),
        }


async def test_hits_that_were_not_observed_leave_retrieval_unscored() -> None:
    cached = Observation(question("cached"), GOOD)
    found = await summarise([cached], instruments())
    assert found.rows["R@5"]["cached"] == Unscored("the hits were not observed")
    assert found.rows["ragas_id_context_recall"]["cached"] == Unscored("the hits were not observed")
