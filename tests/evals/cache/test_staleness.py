"""Reads saved and answers late are those of a plain simulation, and of the closed forms."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

import numpy as np
import pytest

from evals.cache.staleness import (
    Copies,
    copies,
    flat_outdated_share,
    flat_reads_per_request,
    lateness_s,
    outdated,
    spread_over,
    staleness_sweep,
)
from evals.cache.staleness_result import staleness_headlines, staleness_table, staleness_verdict
from evals.cache.staleness_study import StalenessAssumptions, StalenessStudy, flat_agreement
from evals.simulation.simulator import Setting
from evals.simulation.timeline import EvidenceModel, Timeline, prepare
from evals.simulation.traffic import Assumptions, Traffic, generate
from rag_core.errors import InvalidInput
from tests.evals.simulation.rate_interval import rate_interval

BUSY = generate(
    Assumptions(
        users=4,
        days=3,
        requests_per_user_day=600,
        questions_per_user=8,
        new_question_rate=0.05,
        notes_per_user=12,
        edits_per_user_day=40,
        seed=3,
    )
)
EVIDENCE = EvidenceModel(notes_per_user=12, evidence_notes=3, enter_probability=0.1)
TIMELINE = prepare(BUSY, EVIDENCE)
QUIET = prepare(generate(Assumptions(users=3, days=3)), EVIDENCE)
FLAT = generate(
    Assumptions(
        users=60,
        days=60,
        requests_per_user_day=40,
        questions_per_user=10,
        daily_amplitude=0.0,
        edits_per_user_day=3,
    )
)


@dataclass
class PlainFleet:
    """Processes that answer one request after another, as the rules of freshness say."""

    max_staleness_s: float
    setting: Setting
    edits: dict[int, list[float]]
    held: dict[tuple[int, int], tuple[float, int]] = field(default_factory=dict)
    answers: dict[tuple[int, int], tuple[float, int, int]] = field(default_factory=dict)
    contexts: dict[tuple[int, int, int, int], tuple[float, int]] = field(default_factory=dict)
    reads: int = 0
    late: list[bool] = field(default_factory=list)

    def ask(self, now: float, process: int, user: int, question: int, version: int) -> None:
        epoch = self._epoch(now, process, user)
        served = self._answer(now, process, user, question, epoch, version)
        self.late.append(served != version)

    def _epoch(self, now: float, process: int, user: int) -> int:
        read_at, epoch = self.held.get((process, user), (-np.inf, 0))
        if now - read_at < self.max_staleness_s:
            return epoch
        self.reads += 1
        epoch = bisect_right(self.edits.get(user, []), now)
        self.held[process, user] = (now, epoch)
        return epoch

    def _answer(
        self, now: float, process: int, user: int, question: int, epoch: int, version: int
    ) -> int:
        made, seen, rests_on = self.answers.get((user, question), (-np.inf, -1, -1))
        fresh = now - made < self.setting.answer_soft_ttl_s
        if fresh and seen == epoch:
            return rests_on
        found = self._context(now, process, user, question, epoch, version)
        self.answers[user, question] = (made if fresh and found == rests_on else now, epoch, found)
        return found

    def _context(
        self, now: float, process: int, user: int, question: int, epoch: int, version: int
    ) -> int:
        key = (process, user, question, epoch)
        stored, found = self.contexts.get(key, (-np.inf, -1))
        if now - stored < self.setting.context_ttl_s:
            return found
        self.contexts[key] = (now, version)
        return version


def play(timeline: Timeline, setting: Setting, staleness_s: float, held: Copies) -> PlainFleet:
    traffic = timeline.traffic
    version = np.empty_like(timeline.version)
    version[timeline.order] = timeline.version
    edits = {
        int(user): traffic.edit_time_s[traffic.edit_user == user].tolist()
        for user in set(traffic.edit_user)
    }
    fleet = PlainFleet(staleness_s, setting, edits)
    for request in zip(
        traffic.time_s.tolist(), held.process.tolist(), traffic.user.tolist(),
        traffic.question.tolist(), version.tolist(), strict=True,
    ):  # fmt: skip
        fleet.ask(*request)
    return fleet


def test_reads_and_late_answers_equal_those_of_a_plain_simulation(
    subtests: pytest.Subtests,
) -> None:
    for ttl_s in [1_800.0, 86_400.0]:
        for staleness_s in [0.0, 60.0, 900.0, 3_600.0]:
            for workers in [1, 3]:
                with subtests.test(workers=workers, staleness_s=staleness_s, ttl_s=ttl_s):
                    setting = Setting(answer_soft_ttl_s=ttl_s, context_ttl_s=1_200.0)
                    held = copies(spread_over(BUSY, workers, seed=7), staleness_s)
                    expected = play(TIMELINE, setting, staleness_s, held)
                    assert held.read.sum() == expected.reads
                    assert (
                        ~np.isnan(lateness_s(TIMELINE, setting, held))
                    ).tolist() == expected.late
                    assert (sum(expected.late) > 20) == (staleness_s > 60)


def test_no_answer_is_later_than_permitted() -> None:
    for staleness_s in [300.0, 900.0, 3_600.0]:
        for workers in [1, 4, 16]:
            held = copies(spread_over(BUSY, workers, seed=7), staleness_s)
            late_s = lateness_s(TIMELINE, Setting(jitter=0.1), held)
            assert 0 < np.nanmax(late_s) < staleness_s
            assert np.nanmin(late_s) >= 0


def test_strictly_every_request_reads_and_no_answer_is_late() -> None:
    table = staleness_sweep(TIMELINE, Setting(), max_staleness_s=[0.0], workers=[1, 4])
    assert table["reads_per_request"].tolist() == [1.0, 1.0]
    assert table[["outdated", "late"]].sum().tolist() == [0, 0]
    assert table["late_max_s"].isna().all()


def _one_note(
    times: list[float], edits: list[float], questions: list[int] | None = None
) -> Timeline:
    """One user who asks one question, unless told otherwise, resting on the only note."""
    zeros = np.zeros(len(times), dtype=np.int64)
    edited = np.zeros(len(edits), dtype=np.int64)
    asked = np.array(questions, dtype=np.int64) if questions else zeros
    traffic = Traffic(np.array(times), zeros, asked, np.array(edits), edited, edited)
    return prepare(traffic, EvidenceModel(notes_per_user=1, evidence_notes=1, enter_probability=0))


def test_a_copy_is_believed_from_its_reading_until_just_before_its_end() -> None:
    """An answer is late since the edit, and right again once the epoch is read anew."""
    timeline = _one_note([0, 4, 9, 10, 12, 21], [3.0])
    held = copies(spread_over(timeline.traffic, 1, seed=7), 10.0)
    assert held.read.tolist() == [True, False, False, True, False, True]
    no = np.nan
    late_s = lateness_s(timeline, Setting(), held)
    np.testing.assert_array_equal(late_s, [no, 1, 6, no, no, no])


def test_an_edit_at_the_time_of_a_request_came_before_it() -> None:
    timeline = _one_note([0, 4], [4.0])
    held = copies(spread_over(timeline.traffic, 1, seed=7), 10.0)
    np.testing.assert_array_equal(lateness_s(timeline, Setting(), held), [np.nan, 0])


def test_an_answer_found_after_an_edit_is_late_since_the_next_one_only() -> None:
    """The copy is of before both edits; the second question's evidence of between them."""
    timeline = _one_note([0, 2, 4], [1.0, 3.0], questions=[1, 0, 0])
    held = copies(spread_over(timeline.traffic, 1, seed=7), 10.0)
    late_s = lateness_s(timeline, Setting(), held)
    np.testing.assert_array_equal(late_s, [np.nan, np.nan, 1])


def test_an_edit_before_the_copy_was_read_makes_nothing_late() -> None:
    timeline = _one_note([0, 5, 6], [5.0])
    held = copies(spread_over(timeline.traffic, 1, seed=7), 5.0)
    assert not outdated(timeline.traffic, held).any()
    assert np.isnan(lateness_s(timeline, Setting(), held)).all()


def test_flat_traffic_reads_and_errs_as_often_as_the_closed_forms_say() -> None:
    """Within twice the 95 % interval over users: nine settings and two figures are compared."""
    for staleness_s in [60.0, 600.0, 3_600.0]:
        for workers in [1, 4, 16]:
            held = copies(spread_over(FLAT, workers, seed=7), staleness_s)
            compared = (
                (held.read, flat_reads_per_request(FLAT, staleness_s, workers)),
                (outdated(FLAT, held), flat_outdated_share(FLAT, staleness_s, workers)),
            )
            for happened, expected in compared:
                found = rate_interval(FLAT, happened)
                assert abs(found.value - expected) <= max(found.high - found.low, 1e-4)


def test_the_closed_form_is_that_of_a_poisson_stream_in_each_process() -> None:
    """At 40 requests a day, 4 processes and an hour, a user's rate in a process is 1 / 2.4 h."""
    assert flat_reads_per_request(FLAT, 3_600.0, 4) == pytest.approx(2.4 / 3.4, abs=0.01)
    assert flat_agreement(FLAT)["gap"].abs().max() < 0.01


def study(weighed: StalenessAssumptions, deployed_s: float = 0.0) -> StalenessStudy:
    return StalenessStudy.of(
        [TIMELINE, QUIET], Setting(), weighed, deployed_s=deployed_s, flat=FLAT
    )


def test_the_verdict_says_what_is_saved_and_what_is_late_and_that_it_is_simulated() -> None:
    found = study(StalenessAssumptions(max_staleness_s=900.0, workers=2, epoch_read_us=1_000.0))
    said = staleness_verdict(found)
    row = found.weighed
    assert said.startswith("Simulated")
    assert f"{row['late']:.0f} of {len(BUSY):,} answers late" in said
    assert row["late"] > 0
    assert f"{100 * (1 - row['reads_per_request']):.3g} % of the reads of Postgres" in said
    assert row["cpu_s_saved_a_day"] == pytest.approx(row["reads_saved_a_day"] * 0.001)
    assert found.strict_cpu_s_a_day == pytest.approx(len(BUSY) / BUSY.span_s * 86_400 * 0.001)
    assert "Deployed is 0" in said
    saved, late = staleness_headlines(found)
    assert saved.simulated
    assert late.simulated
    assert saved.n == late.n == 2
    assert saved.low is not None
    assert saved.value is not None
    assert saved.low < saved.value == saved.high


def test_the_deployed_setting_has_a_row_of_its_own_and_is_said() -> None:
    found = study(StalenessAssumptions(max_staleness_s=0.0, workers=1), deployed_s=42.0)
    assert "42 s" in set(staleness_table(found)["permitted staleness"])
    assert "Deployed is 42 s" in staleness_verdict(found)
    assert "saves 0 %" in staleness_verdict(found)
    assert found.deployed["reads_per_request"] < found.weighed["reads_per_request"] == 1


def test_an_impossible_assumption_is_refused_by_name(subtests: pytest.Subtests) -> None:
    for name, value in [
        ("max_staleness_s", -1.0),
        ("max_staleness_s", 3_601.0),
        ("workers", 0),
        ("epoch_read_us", float("nan")),
    ]:
        with subtests.test(name=name, value=value):
            with pytest.raises(InvalidInput) as refused:
                StalenessAssumptions(**{name: value})  # type: ignore[arg-type]
            assert refused.value.field == name
