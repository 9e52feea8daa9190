"""What TTLs and staleness do to one trace: sweeps, a replay, theory, and a recommendation."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from evals.cache.staleness_study import StalenessAssumptions, StalenessStudy
from evals.project import project_settings
from evals.simulation.agreement import POISSON_EVIDENCE, closed_form_agreement
from evals.simulation.choice import Choice, Scale, best_choice, choose, deployed_setting
from evals.simulation.recommendation import Objective
from evals.simulation.replay import replay, replay_server, sample
from evals.simulation.replay_result import Replay
from evals.simulation.simulator import Policy, Setting, sweep
from evals.simulation.timeline import EvidenceModel, Timeline, prepare
from evals.simulation.trace_file import read_trace
from evals.simulation.traffic import DAY_S, Assumptions, Traffic, generate

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
    """The traffic, what each setting does to it, and how well the simulation holds."""

    source: str
    timeline: Timeline
    deployed: Choice
    recommended: Choice
    objective: Objective
    longest_ttl_s: float
    """The longest answer TTL that was tried."""
    policies: pd.DataFrame
    """Columns of a `sweep`, a row per policy and answer TTL."""
    replay: Replay
    agreement: pd.DataFrame
    """As `closed_form_agreement`, with the column `replayed`."""
    replays: tuple[Replay, ...]
    """Of the Poisson trace, one per TTL of the agreement."""
    staleness: StalenessStudy
    seconds: float

    @property
    def traffic(self) -> Traffic:
        """The trace under study."""
        return self.timeline.traffic

    def of_policy(self, policy: Policy) -> pd.Series[float]:
        """The row of `policies` for the deployed TTL, or the one nearest to it."""
        rows = self.policies[self.policies["policy"] == policy]
        times = rows["answer_soft_ttl_s"] / self.deployed.setting.answer_soft_ttl_s
        nearest: pd.Series[float] = rows.loc[np.log(times).abs().idxmin()]
        return nearest


async def study(
    assumptions: Assumptions,
    *,
    how: Scale,
    trace: Path | None = None,
    evidence_notes: int = 5,
    objective: Objective | None = None,
    deployed: Setting | None = None,
    staleness: StalenessAssumptions | None = None,
) -> CacheStudy:
    """Simulate TTLs on generated traffic, or on the recorded `trace`, and replay some of it.

    `deployed` is what the environment's settings say, unless given; the permitted staleness in
    force always is.

    Raises:
        InvalidInput: an assumption, the trace or the objective cannot be used.
    """
    began, seed = time.perf_counter(), assumptions.seed
    objective = objective or Objective()
    model = EvidenceModel(
        notes_per_user=assumptions.notes_per_user, evidence_notes=evidence_notes, seed=seed
    )
    traffic = read_trace(trace) if trace else generate(_scaled(assumptions, how))
    timeline = prepare(traffic, model)
    now = deployed or deployed_setting(project_settings())
    sampled = prepare(sample(traffic, how.replayed_requests, seed=seed), model)
    async with replay_server() as url:
        replayed = await replay(sampled, replace(now, jitter=0.0), url)
        now = replayed.entry_bytes.applied_to(now)
        replays = await _poisson_replays(how, url)
    return CacheStudy(
        source=f"recorded: {trace.name}" if trace else "generated from the assumptions",
        timeline=timeline,
        deployed=choose(timeline, now),
        recommended=best_choice(timeline, how, model, now, objective),
        objective=objective,
        longest_ttl_s=max(how.answer_ttls_s),
        policies=_policies(traffic, how, model, now),
        replay=replayed,
        agreement=_agreement(how, replays),
        replays=replays,
        staleness=_staleness(timeline, now, staleness or StalenessAssumptions()),
        seconds=time.perf_counter() - began,
    )


def _policies(traffic: Traffic, how: Scale, model: EvidenceModel, now: Setting) -> pd.DataFrame:
    grid = {"policy": list(Policy), "answer_soft_ttl_s": how.answer_ttls_s}
    return sweep(traffic, grid, model=model, base=now)


def _staleness(timeline: Timeline, now: Setting, assumed: StalenessAssumptions) -> StalenessStudy:
    deployed_s, flat = project_settings().max_staleness_s, generate(POISSON)
    return StalenessStudy.of(timeline, now, assumed, deployed_s=deployed_s, flat=flat)


def _scaled(assumptions: Assumptions, how: Scale) -> Assumptions:
    return replace(assumptions, users=max(1, round(assumptions.users * how.users_share)))


async def _poisson_replays(how: Scale, url: str) -> tuple[Replay, ...]:
    """The real caches on some users of the Poisson trace, once per TTL."""
    some = generate(POISSON).of_users(list(range(how.agreement_users)))
    timeline = prepare(some, POISSON_EVIDENCE)
    return tuple([await replay(timeline, _with_ttl(ttl_s), url) for ttl_s in how.agreement_ttls_s])


def _with_ttl(ttl_s: float) -> Setting:
    return Setting(answer_soft_ttl_s=ttl_s, answer_hard_ttl_s=max(ttl_s, 7 * DAY_S))


def _agreement(how: Scale, replays: tuple[Replay, ...]) -> pd.DataFrame:
    """Closed forms and the simulator on the whole Poisson trace, the real caches on a part."""
    table = closed_form_agreement(how.agreement_ttls_s, assumptions=POISSON)
    rates = {each.setting.answer_soft_ttl_s: each.hit_rate for each in replays}
    real = table["figure"].eq("hit rate, evidence revalidation")
    return table.assign(replayed=table["ttl_s"].map(rates).where(real))
