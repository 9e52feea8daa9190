"""What TTLs and staleness do to one trace: sweeps, a replay, theory, and a recommendation."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from evals.cache.recommendation import Objective, recommend
from evals.cache.staleness_study import StalenessAssumptions, StalenessStudy
from evals.project import project_settings
from evals.simulation.agreement import POISSON_EVIDENCE, closed_form_agreement
from evals.simulation.replay import Replay, replay, replay_server, sample
from evals.simulation.simulator import (
    CacheReport,
    Outcome,
    Policy,
    Setting,
    outcomes,
    rate_interval,
    simulate,
    sweep,
)
from evals.simulation.timeline import EvidenceModel, Timeline, prepare
from evals.simulation.trace_file import read_trace
from evals.simulation.traffic import DAY_S, Assumptions, Traffic, generate
from evals.stats.intervals import Estimate
from rag_core.errors import InvalidInput
from rag_core.settings import Settings

_HOUR_S = 3_600.0

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How much is simulated and replayed."""

    users_share: float
    answer_ttls_s: tuple[float, ...]
    embedding_ttls_s: tuple[float, ...]
    context_ttls_s: tuple[float, ...]
    replayed_requests: int
    agreement_ttls_s: tuple[float, ...]
    agreement_users: int


SCALES = {
    "smoke": Scale(
        users_share=0.1,
        answer_ttls_s=(_HOUR_S, 6 * _HOUR_S, DAY_S, 7 * DAY_S, 28 * DAY_S),
        embedding_ttls_s=(DAY_S, 7 * DAY_S),
        context_ttls_s=(600.0, _HOUR_S),
        replayed_requests=500,
        agreement_ttls_s=(6 * _HOUR_S, DAY_S, 7 * DAY_S),
        agreement_users=1,
    ),
    "full": Scale(
        users_share=1.0,
        answer_ttls_s=tuple(d * DAY_S for d in (1 / 24, 0.25, 1, 3, 7, 14, 28)),
        embedding_ttls_s=(DAY_S, 7 * DAY_S, 28 * DAY_S),
        context_ttls_s=(600.0, _HOUR_S),
        replayed_requests=2_000,
        agreement_ttls_s=tuple(d * DAY_S for d in (1 / 24, 0.25, 1, 3, 7)),
        agreement_users=2,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Choice:
    """A setting, and what it does to the whole trace."""

    setting: Setting
    report: CacheReport
    hit_rate: Estimate
    """Share of requests served without an LLM call."""

    @property
    def redis_bytes(self) -> float:
        """Peak of answers and embeddings together."""
        return self.report.answer_bytes_peak + self.report.embedding_bytes_peak


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CacheStudy:
    """All that the notebook shows."""

    source: str
    timeline: Timeline
    deployed: Choice
    recommended: Choice
    objective: Objective
    longest_ttl_s: float
    """The longest answer TTL that was tried."""
    policies: pd.DataFrame
    """A `sweep` over policies and answer TTLs."""
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


def scale(profile: str) -> Scale:
    """How much `profile` measures.

    Raises:
        InvalidInput: no such profile.
    """
    if profile not in SCALES:
        raise InvalidInput("profile", f"must be one of {', '.join(SCALES)}, got {profile!r}")
    return SCALES[profile]


def deployed_setting(settings: Settings) -> Setting:
    """The simulator's setting for what the pipeline is told."""
    return Setting(
        answer_soft_ttl_s=settings.answer_soft_ttl_s,
        answer_hard_ttl_s=settings.answer_hard_ttl_s,
        embedding_ttl_s=settings.embedding_ttl_s,
        context_ttl_s=settings.context_ttl_s,
        context_capacity_bytes=settings.context_cache_bytes,
        jitter=settings.ttl_jitter,
    )


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
    began = time.perf_counter()
    objective = objective or Objective()
    model = EvidenceModel(
        notes_per_user=assumptions.notes_per_user,
        evidence_notes=evidence_notes,
        seed=assumptions.seed,
    )
    traffic = read_trace(trace) if trace else generate(_scaled(assumptions, how))
    timeline = prepare(traffic, model)
    now = deployed or deployed_setting(project_settings())
    sampled = prepare(sample(traffic, how.replayed_requests, seed=assumptions.seed), model)
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
        policies=sweep(
            traffic,
            {"policy": list(Policy), "answer_soft_ttl_s": how.answer_ttls_s},
            model=model,
            base=now,
        ),
        replay=replayed,
        agreement=_agreement(how, replays),
        replays=replays,
        staleness=StalenessStudy.of(
            timeline,
            now,
            staleness or StalenessAssumptions(),
            deployed_s=project_settings().max_staleness_s,
            flat=generate(POISSON),
        ),
        seconds=time.perf_counter() - began,
    )


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


def best_choice(
    timeline: Timeline, how: Scale, model: EvidenceModel, base: Setting, objective: Objective
) -> Choice:
    """Of every combination of TTLs, under the policy that the pipeline follows, the best."""
    table = sweep(
        timeline.traffic,
        {
            "answer_soft_ttl_s": how.answer_ttls_s,
            "embedding_ttl_s": how.embedding_ttls_s,
            "context_ttl_s": how.context_ttls_s,
        },
        model=model,
        base=base,
    )
    return choose(timeline, _setting_of(recommend(table, objective), base))


def _setting_of(row: Mapping[str, object], base: Setting) -> Setting:
    return replace(
        base,
        answer_soft_ttl_s=float(str(row["answer_soft_ttl_s"])),
        answer_hard_ttl_s=float(str(row["answer_hard_ttl_s"])),
        embedding_ttl_s=float(str(row["embedding_ttl_s"])),
        context_ttl_s=float(str(row["context_ttl_s"])),
    )


def choose(timeline: Timeline, setting: Setting) -> Choice:
    """What `setting` does to the whole trace."""
    served = outcomes(timeline, setting) != Outcome.MISS
    return Choice(
        setting=setting,
        report=simulate(timeline, setting),
        hit_rate=rate_interval(timeline.traffic, served),
    )
