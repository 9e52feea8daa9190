"""A setting chosen from all that a profile sweeps, and what it does to a trace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from evals.simulation.recommendation import Objective, recommend
from evals.simulation.simulator import (
    CacheOutcome,
    CacheReport,
    Setting,
    outcomes,
    rate_interval,
    simulate,
    sweep,
)
from evals.simulation.timeline import EvidenceModel, Timeline
from evals.simulation.traffic import DAY_S
from evals.stats.intervals import Estimate
from rag_core.errors import InvalidInput
from rag_core.settings import Settings

_HOUR_S = 3_600.0


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
    served = outcomes(timeline, setting) != CacheOutcome.MISS
    return Choice(
        setting=setting,
        report=simulate(timeline, setting),
        hit_rate=rate_interval(timeline.traffic, served),
    )
