"""What breaks first: every bound of a deployment, as requests a second that it lets through."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from evals.load.capacity import Capacity
from rag_core.settings import Settings

_PERIODS_S = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400}
DAY_S = 86_400
"""24 hours."""
REQUESTS_PER_USER_DAY, PEAK_TO_MEAN_RATIO = 10.0, 1.6
"""Of the simulator's default trace: what a person asks, and its daily cycle's amplitude of 0.6."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A bound; `rate` is how many requests a second it lets through."""

    name: str
    rate: float
    setting: str
    """What raises it."""


def limits(model: Capacity, settings: Settings, *, hit_share: float, cores: int) -> list[Limit]:
    """All bounds of one process with these settings, the one that breaks first standing first."""
    miss_share = 1 - hit_share
    found = [
        Limit("CPU of one process", model.core_rate(hit_share), "RAG_WORKERS, more machines"),
        Limit(
            "CPU of the machine, servers included",
            model.machine_rate(hit_share, cores), "servers of their own, more machines",
        ),
        Limit(
            "calls of a provider at once",
            _rate(settings.provider_concurrency, miss_share * model.miss_latency_s),
            "RAG_PROVIDER_CONCURRENCY",
        ),
        Limit(
            "questions at once that no cache answers",
            _rate(settings.concurrent_queries or inf, miss_share * model.miss_latency_s),
            "RAG_CONCURRENT_QUERIES",
        ),
        Limit(
            "money of a day",
            _rate((settings.budget_all_usd or inf) / DAY_S, model.request_usd(hit_share)),
            "RAG_BUDGET_ALL_USD",
        ),
        *(
            Limit(f"{limit} of all users", _per_second(limit), "RAG_RATE_LIMITS_ALL")
            for limit in settings.rate_limits_all
        ),
    ]  # fmt: skip
    return sorted(found, key=lambda each: each.rate)


def users(rate: float) -> float:
    """How many people's peak hour a rate serves, if each asks as in the default trace."""
    return rate * DAY_S / (REQUESTS_PER_USER_DAY * PEAK_TO_MEAN_RATIO)


def users_usd_per_day(model: Capacity, people: float, hit_share: float) -> float:
    """US dollars that so many people cost a day."""
    return people * REQUESTS_PER_USER_DAY * model.request_usd(hit_share)


def _per_second(limit: str) -> float:
    count, _, period = limit.partition("/")
    return int(count) / _PERIODS_S[period]


def _rate(places: float, seconds: float) -> float:
    """Little's law: so many places, each taken for so long, pass so many a second."""
    return places / seconds if seconds > 0 else inf
