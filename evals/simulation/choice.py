"""TTLs weighed by stated prices over plausible traffics: each is changed for a reason, or kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from evals.simulation.answer_ages import answer_ages
from evals.simulation.plausible import band
from evals.simulation.prices import CostOfSetting, Objective
from evals.simulation.scale import Scale
from evals.simulation.simulator import CacheReport, Setting, simulate
from evals.simulation.timeline import Timeline
from evals.stats.intervals import Estimate
from rag_core.cli import progress_bar
from rag_core.errors import InvalidInput
from rag_core.settings import Settings

ENVIRONMENT_NAMES = {
    "answer_soft_ttl_s": "RAG_ANSWER_SOFT_TTL_S",
    "answer_hard_ttl_s": "RAG_ANSWER_HARD_TTL_S",
    "embedding_ttl_s": "RAG_EMBEDDING_TTL_S",
    "context_ttl_s": "RAG_CONTEXT_TTL_S",
}
"""The pipeline's variable for each setting of the simulator that it can be told."""

Why = Literal["cheaper", "edge", "unsure", "no matter", "default", "too large"]
"""What the best of the tried is: dearer than the default somewhere in the band (`unsure`), not
worth the change (`no matter`), the longest or shortest tried (`edge`), the default itself, or more
than the Redis may hold (`too large`)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Choice:
    """A setting, and what it does to plausible traffics; every band holds all of them."""

    setting: Setting
    report: CacheReport
    """On the traffic as assumed."""
    hit_rate: Estimate
    """Share of requests served without an LLM call."""
    context_hit_rate: Estimate
    redis_bytes_per_user: Estimate
    """Peak of answers and embeddings together."""
    usd_each: tuple[float, ...]
    """What 1,000 requests of each traffic cost, all weighed prices together."""
    cost: CostOfSetting
    """The same in parts, on the traffic as assumed."""

    @property
    def traffics(self) -> int:
        """How many traffics the bands hold."""
        return len(self.usd_each)

    @property
    def usd_per_1000(self) -> Estimate:
        """What 1,000 requests cost, with its band."""
        return band(self.usd_each)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One TTL, weighed with the others as deployed.

    `tried`, `default`, `best` and `chosen` are in seconds.
    """

    name: str
    tried: tuple[float, ...]
    default: float
    best: float
    """Cheapest of the tried, in seconds, on the traffic as assumed."""
    saving_usd: Estimate
    """Per 1,000 requests, of the best against the default; below 0 where it costs more."""
    default_usd: float
    why: Why

    @property
    def chosen(self) -> float:
        """Seconds that are recommended: the default wherever nothing better is shown."""
        return self.best if self.why == "cheaper" else self.default


def deployed_setting(settings: Settings) -> Setting:
    """The simulator's setting for what the pipeline is told.

    Raises:
        InvalidInput: the hard TTL is not above the soft one.
    """
    return Setting(
        answer_soft_ttl_s=settings.answer_soft_ttl_s,
        answer_hard_ttl_s=settings.answer_hard_ttl_s,
        embedding_ttl_s=settings.embedding_ttl_s,
        context_ttl_s=settings.context_ttl_s,
        context_capacity_bytes=settings.context_cache_bytes,
        jitter=settings.ttl_jitter,
    )


def choose(
    timelines: Sequence[Timeline], setting: Setting, objective: Objective | None = None
) -> Choice:
    """What `setting` does to each traffic; the first is the one assumed.

    Raises:
        InvalidInput: there is no traffic.
    """
    if not timelines:
        raise InvalidInput("traffics", "are none", "Give the traffic as assumed")
    weighed = objective or Objective()
    reports = [simulate(timeline, setting) for timeline in timelines]
    costs = [
        _cost(timeline, setting, report, weighed)
        for timeline, report in zip(timelines, reports, strict=True)
    ]
    return Choice(
        setting=setting,
        report=reports[0],
        hit_rate=band([report.hit_rate for report in reports]),
        context_hit_rate=band([report.context_hit_rate for report in reports]),
        redis_bytes_per_user=band(
            [
                (report.answer_bytes_peak + report.embedding_bytes_peak) / _users(timeline)
                for timeline, report in zip(timelines, reports, strict=True)
            ]
        ),
        usd_each=tuple(cost.total_usd for cost in costs),
        cost=costs[0],
    )


def _users(timeline: Timeline) -> int:
    return len(set(timeline.traffic.user.tolist()))


def _cost(
    timeline: Timeline, setting: Setting, report: CacheReport, objective: Objective
) -> CostOfSetting:
    ages = answer_ages(timeline, setting, old_after_s=objective.old_after_s)
    return objective.usd_per_1000(report, ages, timeline.traffic.span_s)


def decide(
    timelines: Sequence[Timeline],
    grids: Mapping[str, Sequence[float]],
    base: Setting,
    objective: Objective,
    *,
    users: int,
) -> tuple[Decision, ...]:
    """One decision for each TTL in `grids`, all others as in `base`; `users` share the Redis."""
    weighed: dict[Setting, Choice] = {}
    decisions = []
    with progress_bar(sum(map(len, grids.values())), "weigh TTLs", "setting") as bar:
        for name, values in grids.items():
            default = float(getattr(base, name))
            settings = {
                value: base.with_values(**{name: value}) for value in sorted({*values, default})
            }
            for setting in settings.values():
                if setting not in weighed:
                    weighed[setting] = choose(timelines, setting, objective)
                bar.update()
            tried = {value: weighed[setting] for value, setting in settings.items()}
            decisions.append(_decision(name, default, tried, objective, users))
    return tuple(decisions)


def _decision(
    name: str, default: float, tried: Mapping[float, Choice], objective: Objective, users: int
) -> Decision:
    """The default wins where another costs as much."""
    costs = {value: choice.usd_each for value, choice in tried.items()}
    best = min(tried, key=lambda value: (costs[value][0], value != default))
    saving = band([was - now for was, now in zip(costs[default], costs[best], strict=True)])
    worth = objective.worth * costs[default][0]
    fits = users * tried[best].redis_bytes_per_user.value <= objective.max_redis_bytes
    return Decision(
        name=name,
        tried=tuple(tried),
        default=default,
        best=best,
        saving_usd=saving,
        default_usd=costs[default][0],
        why=_why(tuple(tried), default, best, saving, worth, fits),
    )


def _why(
    tried: Sequence[float], default: float, best: float, saving: Estimate, worth: float, fits: bool
) -> Why:
    if best != default and saving.value < worth:
        return "no matter"
    if best in (tried[0], tried[-1]):
        return "edge"
    if best == default:
        return "default"
    if saving.low <= 0:
        return "unsure"
    return "cheaper" if fits else "too large"


def recommended_setting(base: Setting, decisions: Sequence[Decision]) -> Setting:
    """`base` with what was decided; the hard TTL of answers stays as far above the soft one."""
    return base.with_values(**{each.name: each.chosen for each in decisions})


def grids(how: Scale) -> dict[str, tuple[float, ...]]:
    """What is tried of each TTL."""
    return {
        "answer_soft_ttl_s": how.answer_ttls_s,
        "embedding_ttl_s": how.embedding_ttls_s,
        "context_ttl_s": how.context_ttls_s,
    }
