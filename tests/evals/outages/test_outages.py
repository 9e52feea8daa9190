"""A day's trace before a failing provider: what its requests get, and what is paid for."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evals.outages.figures import columns, daily_usd, of_outage, rows, span, whole
from evals.outages.pictures import week_picture
from evals.outages.provider import Outage, Trouble
from evals.outages.replay import Served, Week, replay_week
from evals.outages.simulated_time import run_simulated
from evals.results.pictures import save
from evals.simulation.timeline import Timeline, prepare
from evals.simulation.traffic import Assumptions, generate
from rag_core.domain import Provenance
from rag_core.settings import Settings

BUSY = Assumptions(
    users=40,
    days=0.15,
    requests_per_user_day=600,
    daily_amplitude=0,
    questions_per_user=60,
    edits_per_user_day=2,
    seed=1,
)
DOWN = Outage(4_000, 8_000, (Trouble.DOWN,))
SETTINGS = Settings(answer_soft_ttl_s=2_400)
"""Answers grow stale within the trace."""


@pytest.fixture(scope="module")
def timeline() -> Timeline:
    return prepare(generate(BUSY))


@pytest.fixture(scope="module")
def week(timeline: Timeline) -> Week:
    return replay_week(timeline, [DOWN], SETTINGS)


def provenances(week: Week, start_s: float, end_s: float) -> set[Provenance | None]:
    return {each.provenance for each in week.served if start_s <= each.time_s < end_s}


def test_every_request_is_answered(week: Week, timeline: Timeline) -> None:
    assert len(week.served) == len(timeline.traffic)
    assert None not in provenances(week, 0, np.inf)


def test_during_the_outage_nothing_is_fresh_and_the_ladder_answers(week: Week) -> None:
    seen = provenances(week, DOWN.start_s, DOWN.end_s)
    assert Provenance.FRESH not in seen
    assert {Provenance.STALE, Provenance.DEGRADED, Provenance.CACHED} <= seen


def test_without_an_outage_nobody_goes_down_the_ladder(week: Week) -> None:
    before = provenances(week, 0, DOWN.start_s - 60)
    assert not before & {Provenance.STALE, Provenance.DEGRADED}
    after = provenances(week, DOWN.end_s + 300, np.inf)
    assert not after & {Provenance.STALE, Provenance.DEGRADED}
    assert Provenance.FRESH in after


def test_once_the_breaker_is_open_there_are_only_probes(week: Week) -> None:
    opened_s = next(time_s for time_s, state in week.breaker if state == "open")
    assert DOWN.start_s < opened_s < DOWN.end_s
    probed_s = [time_s for time_s in week.called_s if opened_s < time_s < DOWN.end_s]
    assert probed_s
    assert np.diff([opened_s, *probed_s]).min() >= SETTINGS.breaker_open_s
    seen = of_outage(week, DOWN)
    assert seen.calls < seen.wanted / 2


def test_the_breaker_closes_and_fresh_answers_come_back_by_themselves(week: Week) -> None:
    seen = of_outage(week, DOWN)
    assert week.breaker[-1][1] == "closed"
    assert seen.fresh_after_s is not None
    assert seen.closed_after_s is not None
    assert 0 < seen.fresh_after_s < seen.closed_after_s < 300


def test_only_calls_that_were_answered_are_paid_for_and_all_of_them(week: Week) -> None:
    fresh = [each for each in week.served if each.provenance is Provenance.FRESH]
    assert len(week.settled) == len(fresh)
    assert len(week.called_s) > len(week.settled)
    quiet = span(week, DOWN.start_s + 60, DOWN.end_s)
    assert quiet.calls > 0
    assert quiet.spent_usd == 0
    assert week.booked_usd == pytest.approx(whole(week).spent_usd)


def test_a_provider_that_hangs_may_charge_for_its_probes_one_that_says_429_does_not(
    timeline: Timeline,
) -> None:
    both = Outage(2_000, 8_000, (Trouble.RATE_LIMITED, Trouble.HANGING))
    week = replay_week(timeline, [both], SETTINGS)
    limited, hanging = span(week, 2_060, 5_000), span(week, 5_060, 8_000)
    assert min(limited.calls, hanging.calls) > 0
    assert limited.spent_usd == 0 < hanging.spent_usd
    assert whole(week).outcomes["error"] == 0


def test_no_day_costs_more_than_its_cap_and_its_requests_are_answered(timeline: Timeline) -> None:
    few = replace(timeline.traffic, time_s=timeline.traffic.time_s * 10)  # a day and a half
    thrifty = Settings(budget_all_usd=0.2, budget_user_usd=0.1, budget_allowance_usd=0)
    week = replay_week(prepare(few), [], thrifty)
    spent, _ = daily_usd(week)
    assert len(spent) == 2
    assert all(0.1 < usd <= 0.2 for usd in spent)  # and the second day begins anew
    assert whole(week).outcomes["DEGRADED"] > 0 == whole(week).outcomes["error"]


def test_the_same_seed_gives_the_same_week(timeline: Timeline, week: Week) -> None:
    again = replay_week(timeline, [DOWN], SETTINGS)
    assert again.served == week.served
    assert again.settled == week.settled


def test_a_request_without_an_answer_counts_as_an_error() -> None:
    served = [Served(1.0, 0.1, None, "Overloaded"), Served(2.0, 0.1, Provenance.CACHED)]
    seen = whole(Week([], 100.0, served=served))
    assert (seen.answered_share, seen.wanted, seen.p99_s) == (0.5, 1, None)


def test_table_and_picture_hold_every_outage_that_somebody_saw(week: Week, tmp_path: Path) -> None:
    later = Outage(1e6, 2e6, (Trouble.DOWN,))
    seen = replace(week, outages=[DOWN, later])
    assert len(columns(seen)) == 3
    assert {len(row) for row in rows(seen)} == {3}
    save(week_picture(seen), tmp_path / "week", "picture", "", "", alt="A week.")
    assert (tmp_path / "week-picture-narrow.png").stat().st_size > 10_000


def test_simulated_time_passes_at_once_and_in_order() -> None:
    async def two_naps() -> list[str]:
        woke: list[str] = []

        async def nap(days: float, name: str) -> None:
            await asyncio.sleep(days * 86_400)
            woke.append(name)

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(86_400 * 2):
                await asyncio.gather(nap(3, "late"), nap(1, "early"))
        assert asyncio.get_running_loop().time() == pytest.approx(86_400 * 2)
        return woke

    assert run_simulated(two_naps()) == ["early"]
