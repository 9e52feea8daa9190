"""Generated traffic follows its assumptions; recorded traffic is read or refused by name."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from evals.simulation.trace_file import read_trace, write_trace
from evals.simulation.traffic import (
    DAY_S,
    UNKNOWN_NOTE,
    Assumptions,
    Traffic,
    generate,
    zipf_shares,
)
from rag_core.errors import InvalidInput

BUSY = Assumptions(users=50, days=30, requests_per_user_day=40, edits_per_user_day=2)


def test_an_impossible_assumption_is_refused_by_name_and_value(subtests: pytest.Subtests) -> None:
    for field, value in [
        ("users", 0),
        ("days", 0),
        ("requests_per_user_day", -1),
        ("daily_amplitude", 1.1),
        ("peak_hour", 25),
        ("new_question_rate", float("nan")),
        ("zipf_s", -0.1),
        ("burst_minutes", 0),
    ]:
        with subtests.test(field=field, value=value):
            with pytest.raises(InvalidInput) as refused:
                replace(BUSY, **cast("dict[str, Any]", {field: value}))
            assert refused.value.field == field
            assert repr(value) in refused.value.problem


def test_the_seed_decides_the_trace() -> None:
    same, again, other = generate(BUSY), generate(BUSY), generate(replace(BUSY, seed=8))
    assert np.array_equal(same.time_s, again.time_s)
    assert np.array_equal(same.question, again.question)
    assert np.array_equal(same.edit_note, again.edit_note)
    assert not np.array_equal(same.time_s[:10], other.time_s[:10])


def test_counts_match_the_assumed_rates() -> None:
    traffic = generate(BUSY)
    assert len(traffic) == pytest.approx(50 * 30 * 40, rel=0.02)
    assert len(traffic.edit_time_s) == pytest.approx(50 * 30 * 2, rel=0.06)
    assert np.bincount(traffic.user).min() == pytest.approx(30 * 40, rel=0.15)


def test_rows_are_in_time_order_within_the_days() -> None:
    traffic = generate(BUSY)
    for time_s in (traffic.time_s, traffic.edit_time_s):
        assert (np.diff(time_s) >= 0).all()
        assert time_s[0] >= 0
        assert time_s[-1] <= 30 * DAY_S


def test_questions_follow_zipf_and_new_ones_come_once() -> None:
    traffic = generate(replace(BUSY, new_question_rate=0.25))
    known = traffic.question[traffic.question < BUSY.questions_per_user]
    assert 1 - len(known) / len(traffic) == pytest.approx(0.25, abs=0.01)
    shares = np.bincount(known, minlength=BUSY.questions_per_user) / len(known)
    assert shares == pytest.approx(zipf_shares(BUSY.questions_per_user, BUSY.zipf_s), abs=0.01)
    new = traffic.question >= BUSY.questions_per_user
    asked = pd.DataFrame({"user": traffic.user[new], "question": traffic.question[new]})
    assert not asked.duplicated().any()


@pytest.mark.parametrize("days", [1.0, 10.5])
def test_the_daily_cycle_peaks_at_its_hour(days: float) -> None:
    assumptions = replace(
        BUSY, users=2_000, days=days, daily_amplitude=0.8, peak_hour=14.5, edits_per_user_day=0
    )
    whole_days = generate(assumptions).until(np.floor(days) * DAY_S)
    shares, _ = np.histogram(whole_days.time_s % DAY_S / 3_600, bins=24, range=(0, 24))
    hours = np.arange(24) + 0.5
    expected = 1 + 0.8 * np.cos(2 * np.pi * (hours - 14.5) / 24)
    assert shares / shares.mean() == pytest.approx(expected, abs=0.08)


def test_bursts_add_their_requests_within_their_minutes() -> None:
    calm = replace(BUSY, requests_per_user_day=0, edits_per_user_day=0)
    bursts = generate(replace(calm, bursts_per_day=0.5, burst_size=200, burst_minutes=5))
    assert len(bursts) > 0
    assert len(bursts) % 200 == 0
    gaps = np.diff(bursts.time_s)
    assert np.median(gaps) < 300 / 50


def test_a_part_of_the_users_keeps_their_whole_trace() -> None:
    traffic = generate(BUSY)
    part = traffic.of_users([3, 7])
    assert set(part.user) == {3, 7}
    assert len(part) == np.isin(traffic.user, [3, 7]).sum()
    assert len(part.edit_time_s) == np.isin(traffic.edit_user, [3, 7]).sum()


def test_a_log_out_of_order_is_refused() -> None:
    traffic = generate(BUSY)
    with pytest.raises(InvalidInput, match="ascending"):
        replace(traffic, time_s=traffic.time_s[::-1])


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_a_written_trace_reads_back_the_same(tmp_path: Path, suffix: str) -> None:
    traffic = generate(replace(BUSY, users=3, days=2))
    path = tmp_path / f"trace{suffix}"
    write_trace(traffic, path)
    back = read_trace(path)
    assert np.array_equal(back.time_s, traffic.time_s)
    assert np.array_equal(back.edit_time_s, traffic.edit_time_s)
    assert _named(back.user_names, back.user) == traffic.user.tolist()
    assert _named(back.question_names, back.question) == traffic.question.tolist()
    assert _named(back.user_names, back.edit_user) == traffic.edit_user.tolist()
    write_trace(back, path)
    assert np.array_equal(read_trace(path).question, back.question)


def _named(names: tuple[str, ...] | object, numbers: np.ndarray) -> list[int]:
    assert isinstance(names, tuple)
    return [int(names[number]) for number in numbers]


def test_a_recorded_trace_may_be_unordered_and_its_edits_unnamed(tmp_path: Path) -> None:
    path = _jsonl(
        tmp_path,
        {"time": 5, "user": "b", "question": "q2"},
        {"time": 3, "user": "b", "kind": "edit"},
        {"time": 1.5, "user": "a", "question": "q1", "kind": "request"},
    )
    traffic = read_trace(path)
    assert traffic.time_s.tolist() == [1.5, 5.0]
    assert [traffic.user_names[user] for user in traffic.user] == ["a", "b"]
    assert traffic.edit_note.tolist() == [UNKNOWN_NOTE]
    assert [traffic.user_names[user] for user in traffic.edit_user] == ["b"]


def test_edits_may_come_in_a_file_of_their_own(tmp_path: Path) -> None:
    requests = _jsonl(tmp_path, {"time": 1, "user": "a", "question": "q"})
    edits = _jsonl(tmp_path, {"time": 2, "user": "a", "note": "n"}, name="edits.jsonl")
    traffic = read_trace(requests, edits)
    assert (len(traffic), traffic.edit_time_s.tolist()) == (1, [2.0])


def test_a_broken_line_is_named(tmp_path: Path, subtests: pytest.Subtests) -> None:
    for row, field, problem in [
        ('{"time": 1, "user": "a"', "trace.jsonl line 2", "not valid JSON"),
        ("[1]", "trace.jsonl line 2", "Expected `object`"),
        ('{"user": "a", "question": "q"}', "line 2, field time", "missing"),
        ('{"time": "noon", "user": "a", "question": "q"}', "line 2, field time", "`float`"),
        ('{"time": NaN, "user": "a", "question": "q"}', "line 2", "not valid JSON"),
        ('{"time": 1, "question": "q"}', "line 2, field user", "missing"),
        ('{"time": 1, "user": "a"}', "line 2, field question", "missing"),
        ('{"time": 1, "user": "", "question": "q"}', "line 2, field user", "length >= 1"),
        ('{"time": 1, "user": "a", "question": "q", "kind": "x"}', "line 2, field kind", "'x'"),
    ]:
        with subtests.test(row=row, field=field, problem=problem):
            path = tmp_path / "trace.jsonl"
            path.write_text('{"time": 0, "user": "a", "question": "q"}\n' + row + "\n")
            with pytest.raises(InvalidInput) as refused:
                read_trace(path)
            assert field in refused.value.field
            assert problem in refused.value.problem


def test_a_broken_parquet_row_and_file_are_named(tmp_path: Path) -> None:
    rows = tmp_path / "rows.parquet"
    frame = pd.DataFrame({"time": [0.0, 1.0], "user": ["a", None], "question": ["q", "q"]})
    frame.to_parquet(rows)
    with pytest.raises(InvalidInput, match=r"rows\.parquet row 2, field user: Expected"):
        read_trace(rows)
    rows.write_bytes(b"no parquet")
    with pytest.raises(InvalidInput, match="not a Parquet file"):
        read_trace(rows)


def test_a_file_that_is_absent_unknown_or_without_requests_is_refused(tmp_path: Path) -> None:
    for name in ("none.jsonl", "none.parquet"):
        with pytest.raises(InvalidInput, match=f"{name}: cannot be read: No such file"):
            read_trace(tmp_path / name)
    with pytest.raises(InvalidInput, match="unknown trace format"):
        read_trace(tmp_path / "trace.csv")
    with pytest.raises(InvalidInput, match="unknown trace format"):
        write_trace(generate(BUSY), tmp_path / "trace.csv")
    with pytest.raises(InvalidInput, match="no requests"):
        read_trace(_jsonl(tmp_path, {"time": 1, "user": "a", "kind": "edit"}))


def test_an_empty_trace_has_no_span() -> None:
    empty = np.array([], dtype=np.float64)
    none = np.array([], dtype=np.int64)
    assert Traffic(empty, none, none, empty, none, none).span_s == 0.0


def _jsonl(folder: Path, *rows: dict[str, object], name: str = "trace.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path
