"""A run passes, misses or proves nothing, as its figures and slo.toml say."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import msgspec
import pytest

from loadtests.record.figures import figures, percentile, recovery_s
from loadtests.record.happened import Happened
from loadtests.record.objectives import Bounds, Objectives, judge, read_objectives
from loadtests.record.record import Record, read_record
from loadtests.record.resources import Usage, cpu_between, write_resources
from loadtests.record.run import Books, Rest, Run, write_run
from loadtests.record.sample import Sample, read_samples, write_samples
from loadtests.record.summary import stage_rows
from loadtests.traffic.arrivals import drawn_arrivals
from loadtests.traffic.shape import Shape
from loadtests.traffic.shapes import SHAPES
from loadtests.traffic.stage import Mix, Stage

QUESTIONS = Mix(abuse_share=0, edit_share=0, stream_share=0)
SHAPE = Shape(
    name="test", story="", people=5,
    stages=(
        Stage(name="warm-up", seconds=5, rate=20, judged=False, mix=QUESTIONS),
        Stage(name="steady", seconds=20, rate=20, mix=QUESTIONS),
    ),
)  # fmt: skip
REST = Rest(rss_bytes=1_000, fds=40, threads=5, connections=0)
BOOKS = Books(billed_calls=10, billed_usd=2.0, booked_calls=10, booked_usd=1.9)


def run(**changes: object) -> Run:
    whole = {
        "shape": SHAPE, "seed": 0, "began": "2026-11-22T00:00:00+00:00", "commit": "", "cpu": "",
        "cores": 2, "generators": 1, "notes": 15, "warmed": 0, "rest_before": REST,
        "rest_after": REST, "books": BOOKS, "series": 200,
    }  # fmt: skip
    return Run(**whole | changes)  # type: ignore[arg-type]


def samples(*, latency_ms: float = 10.0, outcome: str = "CACHED") -> list[Sample]:
    return [
        Sample(
            serial=each.serial, at_s=each.at_s, stage=each.stage, name="ask again", person=0,
            lag_ms=1.0, latency_ms=latency_ms, status=200, outcome=outcome, right=True,
            in_time=True, pipeline_ms=2.0,
        )
        for each in drawn_arrivals(SHAPE)
    ]  # fmt: skip


def usage(at_s: float, *, cpu_s: float = 0.0, part: str = "app", rss_bytes: int = 100) -> Usage:
    return Usage(
        at_s=at_s, part=part, cpu_s=cpu_s, rss_bytes=rss_bytes, fds=1, threads=1, processes=1,
        busiest_cpu_s=cpu_s,
    )  # fmt: skip


def figure(name: str, record: Record) -> float | None:
    return figures(record)[name]


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_every_objective_is_about_a_figure_that_the_shape_has(name: str) -> None:
    shape = SHAPES[name]
    troubles = [Happened(victim=t.victim, begun_s=t.at_s, back_s=t.at_s) for t in shape.troubles]
    found = figures(Record(run(shape=shape, troubles=troubles), [], []))
    assert judge(read_objectives(name), found).exit_code == 3  # nothing was sent


def test_an_objective_about_no_figure_is_refused(tmp_path: Path) -> None:
    slo = tmp_path / "slo.toml"
    slo.write_text("[all]\nlatency_p98_s = { at_most = 1 }\n")
    with pytest.raises(ValueError, match="latency_p98_s; figures are"):
        judge(read_objectives("smoke", slo), {"latency_p99_s": 1.0})


def test_a_shapes_own_objectives_win_over_those_of_all(tmp_path: Path) -> None:
    slo = tmp_path / "slo.toml"
    slo.write_text("[all]\na = { at_most = 1 }\nb = { at_most = 1 }\n[chaos]\na = { at_most = 5 }")
    assert read_objectives("chaos", slo).good == {"a": Bounds(at_most=5), "b": Bounds(at_most=1)}


def test_what_only_its_starter_sees_is_no_objective_of_an_application_elsewhere() -> None:
    inside, outside = read_objectives("smoke"), read_objectives("smoke", outside=True)
    assert set(inside.good) - set(outside.good) == {
        *("unbooked_share", "connections_left", "fds_left"),
    }
    assert Record(run(rest_before=None), [], []).outside
    assert not Record(run(), [], []).outside


@pytest.mark.parametrize(
    ("cpu", "latency", "code", "says"),
    [
        (0.2, 1.0, 0, "PASSED"),
        (0.2, 9.0, 1, "MISSED: latency_p99_s 9, wanted at most 5"),
        (0.95, 1.0, 3, "INVALID"),
        (0.95, 9.0, 3, "INVALID"),
        (0.2, None, 1, "latency_p99_s was not measured"),
        (None, 1.0, 3, "generator_cpu_share was not measured"),
    ],
)
def test_the_exit_code_follows_the_objectives(
    cpu: float | None, latency: float | None, code: int, says: str
) -> None:
    """A saturated generator proves nothing, and what was not measured is not met."""
    objectives = Objectives(
        {"generator_cpu_share": Bounds(at_most=0.9)}, {"latency_p99_s": Bounds(at_most=5)}
    )
    verdict = judge(objectives, {"generator_cpu_share": cpu, "latency_p99_s": latency})
    assert verdict.exit_code == code
    assert says in verdict.words


def test_asked_before_is_what_the_same_person_had_an_answer_to_when_it_was_sent() -> None:
    """Whatever the cache then made of it: so much can be hit, and no more."""
    first, again = next(
        (one, other)
        for one, other in combinations(drawn_arrivals(SHAPE), 2)
        if one.rank == other.rank and one.stage == other.stage == "steady"
    )
    sent = {each.serial: each for each in samples(outcome="FRESH")}
    pair = [sent[first.serial], sent[again.serial]]
    slow = [_changed(pair[0], latency_ms=(again.at_s - first.at_s + 1) * 1000), pair[1]]
    failed = [_changed(pair[0], status=503, right=False), pair[1]]
    another = [pair[0], _changed(pair[1], person=1)]
    warm = run(shape=replace(SHAPE, warm_ranks=150))
    for seen, of, expected in (
        (pair, run(), 0.5), (slow, run(), 0.0), (failed, run(), 0.0), (another, run(), 0.0),
        (another, warm, 1.0),
    ):  # fmt: skip
        assert figure("asked_before_share", Record(of, seen, [])) == expected
    assert figure("hit_share", Record(run(), pair, [])) == 0.0


def test_warming_up_is_not_judged() -> None:
    slow = [s if s.stage == "steady" else _changed(s, latency_ms=60_000.0) for s in samples()]
    assert figure("latency_p99_s", Record(run(), slow, [])) == 0.01


def test_a_question_that_was_never_sent_has_failed() -> None:
    sent = samples()
    half = [each for each in sent if each.at_s < 15]
    steady = sum(each.stage == "steady" for each in sent)
    missing = steady - sum(each.stage == "steady" for each in half)
    assert figure("error_share", Record(run(), half, [])) == missing / steady


def test_hits_misses_and_errors_are_told_apart() -> None:
    changed = samples()
    steady = [n for n, each in enumerate(changed) if each.stage == "steady"]
    for number in steady[: len(steady) // 2]:
        changed[number] = _changed(changed[number], outcome="FRESH", latency_ms=3_500.0)
    changed[steady[-1]] = _changed(changed[steady[-1]], status=503, outcome="x", right=False)
    found = figures(Record(run(), changed, []))
    assert found["hit_share"] == pytest.approx(0.5, abs=0.01)
    assert (found["hit_p99_s"], found["miss_p99_s"]) == (0.01, 3.5)
    assert found["error_share"] == 1 / len(steady)


def test_abuse_is_let_in_only_where_it_succeeds() -> None:
    turned_away = _changed(samples()[-1], name="abuse: forged", status=503, right=False)
    let_in = _changed(turned_away, status=200, outcome="FRESH")
    assert figure("abuse_let_in", Record(run(), [turned_away], [])) == 0
    assert figure("abuse_let_in", Record(run(), [turned_away, let_in], [])) == 1


def test_lag_of_what_had_no_free_caller_is_the_applications_fault() -> None:
    late = [_changed(each, in_time=False, lag_ms=9_000.0) for each in samples()]
    found = figures(Record(run(), late, []))
    assert found["starved_share"] == 1.0
    assert found["send_lag_p99_ms"] is None


def test_money_files_and_memory_are_compared_with_before() -> None:
    left = Rest(rss_bytes=1_000, fds=47, threads=5, connections=2)
    usages = [usage(float(t), rss_bytes=100 if t < 15 else 110) for t in range(25)]
    found = figures(Record(run(rest_after=left), samples(), usages))
    assert found["unbooked_share"] == pytest.approx(0.05)
    assert (found["fds_left"], found["connections_left"]) == (7, 2)
    assert found["rss_growth_share"] == pytest.approx(0.1)


def test_the_generators_busiest_seconds_count() -> None:
    cpu = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 5.6]
    usages = [usage(float(t), cpu_s=c, part="generator") for t, c in enumerate(cpu)]
    share = figure("generator_cpu_share", Record(run(), samples(), usages))
    assert share == pytest.approx(1.0)


def test_what_others_used_of_the_machine_is_told() -> None:
    """Half a core is ours, one and a half of two are used: one is others'."""
    ours = [usage(float(t), cpu_s=0.5 * t) for t in range(26)]
    whole = [usage(float(t), cpu_s=1.5 * t, part="machine") for t in range(26)]
    record = Record(run(), samples(), [*ours, *whole])
    assert figure("others_cpu_share", record) == pytest.approx(0.5)


def test_recovery_ends_with_the_last_spoilt_question() -> None:
    trouble = Happened(victim="redis", begun_s=10.0, back_s=10.5)
    fine, *rest = samples()
    failed = _changed(rest[0], at_s=11.0, latency_ms=500.0, right=False, outcome="unavailable")
    lower = _changed(rest[1], at_s=12.0, latency_ms=1_000.0, outcome="DEGRADED")
    assert recovery_s([fine, failed], trouble) == 1.5
    assert recovery_s([fine, failed, lower], trouble) == 3.0
    assert recovery_s([fine], trouble) == 0.0
    assert recovery_s([fine], Happened(victim="redis", begun_s=1.0, back_s=None)) is None


def test_a_p99_needs_a_hundred_values() -> None:
    assert percentile(range(99), 99) is None
    assert percentile(range(1, 101), 99) == 99
    assert percentile([3.0, None, 1.0], 50) == 1.0
    assert percentile([], 50) is None


def test_cpu_is_that_of_the_seconds_asked_for() -> None:
    usages = [usage(float(t), cpu_s=0.5 * t) for t in range(11)]
    assert cpu_between(usages, "app", 2.0, 6.0) == pytest.approx(2.0)
    assert cpu_between(usages, "redis", 2.0, 6.0) is None


def test_a_run_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    sent, used = samples(), [usage(1.0, cpu_s=0.25)]
    sent[0] = _changed(sent[0], first_ms=12.5, cost_usd=0.000123, note='n, "1"', etag='"a"')
    write_samples(reversed(sent), tmp_path)
    write_resources(used, tmp_path)
    write_run(run(), tmp_path)
    record = read_record(tmp_path)
    assert record.shape == replace(SHAPE, stages=list(SHAPE.stages), troubles=[], settings={})
    assert record.usages == used
    assert read_samples(tmp_path)[0].note == sent[0].note
    assert [s.serial for s in record.samples] == [s.serial for s in sent]
    before, after = figures(Record(run(), sent, used)), figures(record)
    assert {k: v or 0 for k, v in after.items()} == pytest.approx(
        {k: v or 0 for k, v in before.items()}, rel=1e-4
    )


def test_a_stages_row_says_what_each_part_used() -> None:
    usages = [usage(float(t), cpu_s=0.5 * t) for t in range(26)]
    rows = {row["stage"]: row for row in stage_rows(Record(run(), samples(), usages))}
    assert rows["steady"]["app_cores"] == pytest.approx(0.5)
    assert rows["steady"]["postgres_cores"] is None
    assert rows["steady"]["hit_share"] == 1.0


def _changed(sample: Sample, **changes: object) -> Sample:
    return msgspec.structs.replace(sample, **changes)
