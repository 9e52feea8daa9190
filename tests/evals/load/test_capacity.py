"""The capacity model finds what each kind of request was made to cost, and says when it cannot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evals.load.capacity import HITS, MISSES, MIXED, SERVERS, capacity
from evals.load.limits import limits, users, users_usd_per_day
from evals.load.pictures import cores_used, draw_cpu, draw_limits, draw_timeline
from evals.load.result import load_result
from evals.load.study import LoadRun, read
from evals.load.timeline import timeline
from evals.results.outcomes import ERROR
from evals.results.result import read_result, write_result
from loadtests.record.figures import figures
from loadtests.record.objectives import judge, read_objectives
from loadtests.record.record import Record
from loadtests.record.resources import Usage, write_resources
from loadtests.record.run import Run, write_run
from loadtests.record.sample import Sample, write_samples
from loadtests.traffic.shape import Shape
from loadtests.traffic.stage import Stage
from rag_core.errors import InvalidInput
from rag_core.settings import Settings

SHAPE = Shape(
    name="capacity", story="", people=1,
    stages=[Stage(name=name, seconds=20, rate=50) for name in (HITS, MISSES, MIXED)],
)  # fmt: skip
RUN = Run(
    shape=SHAPE, seed=0, began="2026-11-22T00:00:00+00:00", commit="abc", cpu="", cores=2,
    generators=1, notes=3, warmed=0,
)  # fmt: skip
HIT_S, MISS_S, IDLE_S = 0.002, 0.02, 0.01
"""CPU seconds that the made-up application takes; Postgres takes half, Redis a tenth of it."""
PARTS = dict(zip(SERVERS, (1.0, 0.5, 0.1), strict=True))


def samples() -> list[Sample]:
    """40 hits/s, then 10 misses/s, then 20 and 5 of them."""
    moments = [
        *((at_s, HITS, "CACHED") for at_s in np.arange(0, 20, 1 / 40)),
        *((at_s, MISSES, "FRESH") for at_s in np.arange(20, 40, 1 / 10)),
        *((at_s, MIXED, "CACHED") for at_s in np.arange(40, 60, 1 / 20)),
        *((at_s, MIXED, "FRESH") for at_s in np.arange(40, 60, 1 / 5)),
    ]
    return [sample(n, float(at_s), stage, what) for n, (at_s, stage, what) in enumerate(moments)]


def sample(serial: int, at_s: float, stage: str, outcome: str) -> Sample:
    fresh = outcome == "FRESH"
    return Sample(
        serial=serial, at_s=at_s, stage=stage, name="ask again", person=0, lag_ms=0.5,
        latency_ms=3_500.0 if fresh else 4.0, status=200, outcome=outcome, right=True,
        in_time=True, cost_usd=0.0003 if fresh else 0.0,
    )  # fmt: skip


def usages(sent: list[Sample], *, mixed_ratio: float = 1.0) -> list[Usage]:
    """What the parts used by each second, the mixed stage dearer by `mixed_ratio`."""
    found = []
    for second in range(-10, 61):
        cpu_s = IDLE_S * (second + 10)
        for each in sent:
            if each.at_s < second:
                dearer = mixed_ratio if each.stage == MIXED else 1.0
                cpu_s += dearer * (MISS_S if each.outcome == "FRESH" else HIT_S)
        found += [usage(float(second), part, cpu_s * of) for part, of in PARTS.items()]
        found.append(usage(float(second), "generator", 0.1 * second))
    return found


def usage(at_s: float, part: str, cpu_s: float) -> Usage:
    return Usage(
        at_s=at_s, part=part, cpu_s=cpu_s, rss_bytes=1, fds=1, threads=1, processes=1,
        busiest_cpu_s=cpu_s,
    )  # fmt: skip


@pytest.fixture(scope="module")
def record() -> Record:
    sent = samples()
    return Record(RUN, sent, usages(sent))


def loaded(record: Record) -> LoadRun:
    found = figures(record)
    return LoadRun(record, found, judge(read_objectives("capacity"), found), Path("reports/load-1"))


def test_it_finds_what_a_hit_and_a_miss_cost(record: Record) -> None:
    model = capacity(record)
    assert model
    for part, of in PARTS.items():
        cost = model.costs[part]
        assert cost.hit_s == pytest.approx(HIT_S * of, rel=0.05)
        assert cost.miss_s == pytest.approx(MISS_S * of, rel=0.05)
        assert cost.idle_s == pytest.approx(IDLE_S * of, rel=0.05)
    assert model.prediction_ratio == pytest.approx(1.0, abs=0.05)
    assert model.hit_share == 0.8
    assert (model.miss_latency_s, model.miss_usd) == (3.5, pytest.approx(0.0003))
    assert model.core_rate(1.0) == pytest.approx(1 / HIT_S, rel=0.05)
    assert model.machine_rate(0.0, cores=2) == pytest.approx(2 / (1.6 * MISS_S), rel=0.05)


def test_a_mix_that_costs_more_than_its_parts_shows(record: Record) -> None:
    dearer = capacity(Record(RUN, record.samples, usages(list(record.samples), mixed_ratio=2.0)))
    assert dearer
    assert dearer.prediction_ratio < 0.6


def test_without_its_stages_or_without_a_watch_there_is_no_model(record: Record) -> None:
    assert capacity(Record(RUN, record.samples, [])) is None
    alone = Shape(name="smoke", story="", people=1, stages=SHAPE.stages[:1])
    other = Run(**{f: getattr(RUN, f) for f in RUN.__struct_fields__} | {"shape": alone})
    assert capacity(Record(other, record.samples, record.usages)) is None


def test_what_breaks_first_stands_first(record: Record) -> None:
    model = capacity(record)
    assert model
    settings = Settings(rate_limits_all=("36000/hour",), provider_concurrency=35)
    found = {each.name: each.rate for each in limits(model, settings, hit_share=0.5, cores=2)}
    assert list(found.values()) == sorted(found.values())
    assert found["36000/hour of all users"] == 10.0
    # 35 places, each taken for 3.5 s by half of the requests.
    assert found["calls of a provider at once"] == pytest.approx(20.0)
    # $100 a day buy 666,667 requests of which half cost $0.0003.
    assert found["money of a day"] == pytest.approx(666_667 / 86_400, rel=1e-3)


def test_people_ask_as_in_the_default_trace(record: Record) -> None:
    model = capacity(record)
    assert model
    assert users(1.0) == pytest.approx(86_400 / 16)
    assert users_usd_per_day(model, 1_000, hit_share=0.5) == pytest.approx(1_000 * 10 * 0.00015)


def test_the_timeline_counts_every_question_once(record: Record) -> None:
    failed = sample(9_999, 59.9, MIXED, "overloaded")
    frame = timeline(Record(RUN, [*record.samples, failed], []))
    assert frame["sent"].sum() == len(record.samples) + 1
    assert frame["CACHED"].iloc[0] == frame["sent"].iloc[0] == 80
    assert frame["p50_s"].iloc[12] == pytest.approx(3.5)
    assert frame["cost_usd"].sum() == pytest.approx(300 * 0.0003)
    assert frame[ERROR].sum() == 1 - int(failed.answered)


def test_cores_used_are_those_since_the_last_look(record: Record) -> None:
    _, used = cores_used(record, "generator")
    assert used == pytest.approx([0.1] * len(used))


def test_the_result_and_its_pictures_are_written_and_read_back(
    record: Record, tmp_path: Path
) -> None:
    out, run, model = tmp_path / "09_load.json", loaded(record), capacity(record)
    assert model
    found = limits(model, Settings(), hit_share=0.5, cores=2)
    pictures = [draw_timeline(run, out), draw_cpu(run, out), draw_limits(found, 0.5, out)]
    write_result(load_result(run, model, found, pictures), out)
    result = read_result(out)
    assert result.n == len(record.samples)
    assert "1000/hour of all users" in result.verdict
    assert [each.title for each in result.tables][-1] == "What breaks first"
    assert "1,200 CACHED" in result.pictures[0].alt


def test_a_run_without_a_model_still_has_its_result(record: Record) -> None:
    result = load_result(loaded(record), None, [], [])
    assert result.verdict.startswith(("INVALID", "MISSED", "PASSED"))
    assert {each.name for each in result.headlines} == {
        "Questions that failed under load", "p99 under load",
    }  # fmt: skip


def test_a_folder_without_a_load_test_is_refused_and_one_with_it_is_read(
    record: Record, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInput, match="holds no load test"):
        read(tmp_path)
    write_run(RUN, tmp_path)
    write_samples(record.samples, tmp_path)
    write_resources(record.usages, tmp_path)
    assert read(tmp_path).figures["hit_share"] == pytest.approx(0.8)
