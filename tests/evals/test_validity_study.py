"""The study of validity over a few planted questions, through the pipeline that is deployed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evals.datasets.golden import FRESH, load
from evals.datasets.golden_checks import validate
from evals.measures.scores import Scored
from evals.measures.validity.faults import FAULTS
from evals.measures.validity.validity import PlantedRun, averages, meets_targets
from evals.results.result import read_result, write_result
from evals.validity.pictures import draw_noticed, draw_scoreboard
from evals.validity.result import frame, validity_result
from evals.validity.study import ValidityRun, study
from rag_core.errors import InvalidInput
from tests.evals.golden_sample import add_planted

PLANTED = 12
FRESH_CLAIMS = (
    ("The ark was built by Noah.", True, "paraphrase"),
    ("Noah made the ark.", True, "reordered"),
    ("Noah never built the ark.", False, "negated"),
    ("Solomon built the temple at Jerusalem.", False, "off_source"),
)


@pytest.fixture
async def run(sample: Path) -> ValidityRun:
    add_planted(sample, PLANTED)
    (sample / FRESH).parent.mkdir()
    rows = [
        {"claim": claim, "evidence": "Noah built the ark.", "supported": supported, "kind": kind}
        for claim, supported, kind in FRESH_CLAIMS
    ]
    (sample / FRESH).write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert validate(load(sample)) == []
    return await study(sample, profile="full")


async def test_planted_answers_are_asked_measured_and_shown(
    run: ValidityRun, tmp_path: Path
) -> None:
    assert run.questions == PLANTED
    kinds = {each.kind: each for each in run.planted}
    assert set(FAULTS) < set(kinds)
    assert not kinds["paraphrase"].faulty
    assert kinds["contradicted"].faulty

    assert [each.kind for each in run.planted if each.faulty and _passes(each)] == []
    declined = averages(kinds["declined"])
    assert declined["declined"].value == 1
    assert declined["fact_recall"].value == declined["citation_recall"].value == 0
    foreign, real = (_mean(each, "fact_recall") for each in (kinds["foreign_words"], run.real))
    assert foreign <= 0.1 < real, "someone else's words seldom pass for a fact of one's own"
    assert min(_scores(kinds["another_note"], "groundedness")) == 0
    assert min(_scores(run.real, "groundedness")) == 1
    assert _scores(kinds["reordered"], "citation_precision") == {1.0}
    assert averages(run.real)["quoted"].value == 1

    out = tmp_path / "07_validity.json"
    pictures = [draw_noticed(run, out), draw_scoreboard(run, out)]
    result = validity_result(run, pictures)
    assert read_result(write_result(result, out)).n == result.n
    headlines = {each.name: each.value for each in result.headlines}
    assert headlines["Faulty generators that pass"] == 0
    assert set(result.data["validity"]) == {each.measure for each in run.validity}
    assert len(frame(run)) == len(run.planted) + 1

    assert run.fresh is not None
    assert run.fresh.n == len(FRESH_CLAIMS)
    assert headlines["Negations noticed, fresh claims"] == 1
    keys = {each.name for each in result.headlines if each.key}
    assert "Validity of groundedness, fresh claims" in keys
    assert "Validity of groundedness" not in keys, "of the two the larger is the one to go by"
    (fresh,) = (each for each in result.tables if each.title == "Fresh claims, light check")
    assert [row[:2] for row in fresh.rows] == [
        ("wrong: negated", 1),
        ("wrong: off_source", 1),
        ("wrong: all", 2),
        ("right: paraphrase", 1),
        ("right: reordered", 1),
        ("right: all", 2),
    ]


async def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(InvalidInput, match="profile"):
        await study(profile="fast")


def _passes(run: PlantedRun) -> bool:
    return meets_targets(averages(run))


def _mean(run: PlantedRun, measure: str) -> float:
    value = averages(run)[measure].value
    assert value is not None
    return value


def _scores(run: PlantedRun, measure: str) -> set[float]:
    """The values of a measure where the plant shows."""
    rows = run.rows[measure]
    shown = run.planted or rows.keys()
    return {row.value for q, row in rows.items() if q in shown and isinstance(row, Scored)}
