"""What the app records of a traffic is that traffic, but for the names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evals.commands.runs import run
from evals.simulation.simulator import Setting, simulate
from evals.simulation.timeline import EvidenceModel, prepare
from evals.simulation.trace_file import read_trace
from evals.simulation.traffic import Assumptions, Traffic, generate
from rag_core.adapters.telemetry import open_trace_file
from rag_core.clock import ManualClock
from rag_core.domain import UserId
from rag_core.errors import InvalidInput

ASSUMED = Assumptions(users=12, days=10, questions_per_user=20, edits_per_user_day=1.0)


async def recorded(traffic: Traffic, path: Path) -> Traffic:
    """The traffic as the app takes it down while it happens."""
    clock, start_s = ManualClock(), ManualClock().now()
    requests = zip(
        traffic.time_s.tolist(), traffic.user.tolist(), traffic.question.tolist(), strict=True
    )
    edits = zip(
        traffic.edit_time_s.tolist(),
        traffic.edit_user.tolist(),
        traffic.edit_note.tolist(),
        strict=True,
    )
    happens = [(time_s, user, f"Question {number}?") for time_s, user, number in requests]
    happens += [(time_s, user, note) for time_s, user, note in edits]
    async with open_trace_file(path, b"sixteen bytes or more", clock) as trace:
        for time_s, user, what in sorted(happens, key=lambda each: each[0]):
            clock.advance(start_s + time_s - clock.now())
            if isinstance(what, str):
                trace.asked(UserId(f"user-{user}"), what)
            else:
                trace.edited(UserId(f"user-{user}"), f"note {what}")
    return read_trace(path)


async def test_a_recorded_traffic_hits_the_caches_as_the_traffic_itself(tmp_path: Path) -> None:
    traffic = generate(ASSUMED)
    again = await recorded(traffic, tmp_path / "trace.jsonl")
    assert (len(again), len(again.edit_time_s)) == (len(traffic), len(traffic.edit_time_s))
    assert again.time_s - again.time_s[0] == pytest.approx(
        traffic.time_s - traffic.time_s[0], abs=0.01
    )
    assert same_groups(again.user, traffic.user)
    whose = traffic.user * 1_000_000 + traffic.question  # a question's number is its user's own
    assert same_groups(again.question, whose)
    # No edit changes any evidence: the draws of those that do go by the numbers of users.
    model = EvidenceModel(
        notes_per_user=10, evidence_notes=3, touch_probability=0, enter_probability=0
    )
    reports = [simulate(prepare(each, model), Setting(jitter=0.0)) for each in (traffic, again)]
    assert reports[0].hit_rate == reports[1].hit_rate > 0.3


def same_groups(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether both number the same things, each in its way."""
    pairs = set(zip(one.tolist(), other.tolist(), strict=True))
    return len(pairs) == len(set(one.tolist())) == len(set(other.tolist()))


def test_a_trace_that_cannot_be_read_is_refused_before_anything_starts(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    path.write_text('{"time": 1, "user": "a"}\n')
    with pytest.raises(InvalidInput, match="line 1, field question"):
        run("smoke", trace=path)
