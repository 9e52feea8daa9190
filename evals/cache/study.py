"""What TTLs and staleness do to plausible traffic: TTLs weighed, theory, and a replay."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from evals.cache.edits import EditStudy
from evals.cache.policies import policy_bands
from evals.cache.staleness_study import StalenessAssumptions, StalenessStudy
from evals.project import project_settings
from evals.simulation.agreement import POISSON_EVIDENCE, closed_form_agreement
from evals.simulation.choice import (
    Choice,
    Decision,
    choose,
    decide,
    deployed_setting,
    grids,
    recommended_setting,
)
from evals.simulation.plausible import MeasuredEvidence, plausible, recorded
from evals.simulation.prices import Objective
from evals.simulation.replay import replay, replay_server, sample
from evals.simulation.replay_result import Replay
from evals.simulation.scale import Scale
from evals.simulation.simulator import Policy, Setting
from evals.simulation.timeline import Timeline, prepare
from evals.simulation.trace_file import read_trace
from evals.simulation.traffic import Assumptions, Traffic, generate

POISSON = Assumptions(
    users=100,
    days=365,
    requests_per_user_day=3,
    questions_per_user=3,
    daily_amplitude=0.0,
    new_question_rate=0.0,
    notes_per_user=20,
    edits_per_user_day=2.0,
)
"""A trace that closed forms describe: flat, few questions, and so long that one user of it, about
1,100 requests, is enough to be held against them."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CacheStudy:
    """The traffics, what each setting does to them, and how well the simulation holds."""

    source: str
    users: int
    """People who share the Redis."""
    edits: EditStudy
    evidence: MeasuredEvidence
    """What an edit changes, as the simulator takes it."""
    timelines: tuple[Timeline, ...]
    """The traffic as assumed, or recorded, and then those that make the band."""
    deployed: Choice
    recommended: Choice
    decisions: tuple[Decision, ...]
    objective: Objective
    policies: pd.DataFrame
    """Columns of `policy_bands`."""
    replay: Replay
    agreement: pd.DataFrame
    """As `closed_form_agreement`, with the column `replayed`."""
    replays: tuple[Replay, ...]
    """Of the Poisson trace, one per TTL of the agreement."""
    staleness: StalenessStudy
    seconds: float

    @property
    def traffic(self) -> Traffic:
        """The trace as assumed or recorded."""
        return self.timelines[0].traffic

    def of_policy(self, policy: Policy) -> pd.Series[float]:
        """The row of `policies` for the deployed TTL, or the one nearest to it."""
        rows = self.policies[self.policies["policy"] == policy]
        times = rows["answer_soft_ttl_s"] / self.deployed.setting.answer_soft_ttl_s
        nearest: pd.Series[float] = rows.loc[np.log(times).abs().idxmin()]
        return nearest


async def study(
    assumptions: Assumptions,
    edits: EditStudy,
    *,
    how: Scale,
    trace: Path | None = None,
    evidence_notes: int = 0,
    objective: Objective | None = None,
    deployed: Setting | None = None,
    staleness: StalenessAssumptions | None = None,
) -> CacheStudy:
    """Weigh TTLs on plausible traffics, or on the recorded `trace`, and replay some of it.

    `deployed` is what the environment's settings say, unless given; the permitted staleness in
    force always is. An answer rests on as many notes as `edits` found, or on `evidence_notes`.
    A recorded trace has users of its own.

    Raises:
        InvalidInput: an assumption, the trace or a setting cannot be used.
    """
    began, objective = time.perf_counter(), objective or Objective()
    evidence = replace(edits.evidence, notes=evidence_notes or edits.evidence.notes)
    timelines = _timelines(assumptions, evidence, how, trace)
    users = len(np.unique(timelines[0].traffic.user)) if trace else assumptions.users
    now = deployed or deployed_setting(project_settings())
    sampled = _sampled(timelines[0], assumptions, evidence, how)
    async with replay_server() as url:
        replayed = await replay(sampled, replace(now, jitter=0.0), url)
        now = replayed.entry_bytes.applied_to(now)
        replays = await _poisson_replays(how, url)
    decisions = decide(timelines, grids(how), now, objective, users=users)
    return CacheStudy(
        source=f"recorded: {trace.name}" if trace else "supposed",
        users=users,
        edits=edits,
        evidence=evidence,
        timelines=timelines,
        deployed=choose(timelines, now, objective),
        recommended=choose(timelines, recommended_setting(now, decisions), objective),
        decisions=decisions,
        objective=objective,
        policies=policy_bands(timelines, how.answer_ttls_s, now),
        replay=replayed,
        agreement=_agreement(how, replays),
        replays=replays,
        staleness=_staleness(timelines, now, staleness or StalenessAssumptions()),
        seconds=time.perf_counter() - began,
    )


def _timelines(
    assumptions: Assumptions, evidence: MeasuredEvidence, how: Scale, trace: Path | None
) -> tuple[Timeline, ...]:
    if trace:
        return recorded(read_trace(trace), evidence.model(assumptions))
    few = replace(assumptions, users=min(assumptions.users, how.assumed_users))
    return plausible(few, evidence, requests=how.corner_requests)


def _sampled(
    timeline: Timeline, assumptions: Assumptions, evidence: MeasuredEvidence, how: Scale
) -> Timeline:
    some = sample(timeline.traffic, how.replayed_requests, seed=assumptions.seed)
    return prepare(some, evidence.model(assumptions))


def _staleness(
    timelines: Sequence[Timeline], now: Setting, assumed: StalenessAssumptions
) -> StalenessStudy:
    deployed_s, flat = project_settings().max_staleness_s, generate(POISSON)
    return StalenessStudy.of(timelines, now, assumed, deployed_s=deployed_s, flat=flat)


async def _poisson_replays(how: Scale, url: str) -> tuple[Replay, ...]:
    """The real caches on some users of the Poisson trace, once per TTL."""
    some = generate(POISSON).of_users(list(range(how.agreement_users)))
    timeline = prepare(some, POISSON_EVIDENCE)
    ttls_s = how.agreement_ttls_s
    settings = [Setting().with_values(answer_soft_ttl_s=ttl_s) for ttl_s in ttls_s]
    return tuple([await replay(timeline, setting, url) for setting in settings])


def _agreement(how: Scale, replays: tuple[Replay, ...]) -> pd.DataFrame:
    """Closed forms and the simulator on the whole Poisson trace, the real caches on a part."""
    table = closed_form_agreement(how.agreement_ttls_s, assumptions=POISSON)
    rates = {each.setting.answer_soft_ttl_s: each.hit_rate for each in replays}
    real = table["figure"].eq("hit rate, evidence revalidation")
    return table.assign(replayed=table["ttl_s"].map(rates).where(real))
