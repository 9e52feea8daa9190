"""The committed baseline: a recording cut to what gates, and nothing of uncommitted code."""

from __future__ import annotations

from pathlib import Path

import pytest

from evals.gate.baseline import write_baseline
from evals.gate.command import COMMITTED
from evals.gate.finding import Status
from evals.gate.policy import read_policy
from evals.gate.recording import Unusable
from evals.gate.runs import read_recording
from evals.gate.verdict import judge, judge_folders
from tests.evals.gate.recorded_runs import POLICY, RecordedRun, write_probe

MOST_BYTES = 2_000_000
"""Of the baseline: it is in every clone."""


def test_a_run_against_the_baseline_made_of_it_passes(tmp_path: Path) -> None:
    run = write_probe(RecordedRun().write(tmp_path / "run"))
    write_baseline(read_recording(run), run, tmp_path / "baseline", POLICY)
    judgement = judge_folders(tmp_path / "baseline", run, POLICY)
    assert judgement.status is Status.PASS
    assert judgement.flips == []


def test_only_what_gates_is_kept(tmp_path: Path) -> None:
    run = RecordedRun()
    run.rows["latency_ms"] = {"q1": {"value": 3.0}}
    folder = run.write(tmp_path / "run")
    write_baseline(read_recording(folder), folder, tmp_path / "baseline", POLICY)
    kept = read_recording(tmp_path / "baseline").suites["golden"].scores
    assert set(kept) == {"R@5", "fact_recall", "groundedness", "isolation_leaks"}


@pytest.mark.parametrize("change", ["dirty", "without a notebook"])
def test_what_cannot_be_made_again_is_no_baseline(tmp_path: Path, change: str) -> None:
    run = RecordedRun()
    if change == "dirty":
        run.manifest["revision"]["dirty"] = True
    else:
        run.absent.add("04_cost")
    folder = run.write(tmp_path / "run")
    with pytest.raises(Unusable):
        write_baseline(read_recording(folder), folder, tmp_path / "baseline", POLICY)
    assert not (tmp_path / "baseline").exists()


def test_the_committed_baseline_is_of_what_the_policy_gates() -> None:
    recording, policy = read_recording(COMMITTED), read_policy()
    judgement = judge(recording, recording, policy, without=["speed"])
    assert judgement.status is Status.PASS
    assert recording.judge
    assert sum(path.stat().st_size for path in COMMITTED.rglob("*.json")) < MOST_BYTES
