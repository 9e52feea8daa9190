"""The three caches of the pipeline, simulated over a whole trace in a few array operations.

Answer cache (Redis, soft and hard TTL, three policies on change), embedding cache (Redis, TTL) and
context cache (in one process, keyed by user and epoch, TTL and LRU by bytes). TTLs run from the
moment an entry is stored; reading it, or finding its evidence unchanged, does not renew it.
A lookup goes down the levels: only an answer that is generated or revalidated needs a context, and
only a context that is not cached needs an embedding. Every request, hit or miss, reads its user's
epoch in Postgres beside its first lookup; `cache.staleness` says what reading less often does.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from enum import IntEnum, StrEnum
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evals.simulation.level import Flags, Lookups, Residency, use_contexts
from evals.simulation.timeline import EvidenceModel, Timeline, prepare
from evals.simulation.traffic import DAY_S, Floats, Traffic
from rag_core.cli import progress_bar
from rag_core.errors import InvalidInput


class Policy(StrEnum):
    """What the answer cache does when a note of the user has changed."""

    TTL_ONLY = "ttl_only"
    """Nothing: answers are served until they expire, changed evidence or not."""
    FLUSH_ON_CHANGE = "flush_on_change"
    """All of the user's answers are dropped."""
    EVIDENCE_REVALIDATION = "evidence_revalidation"
    """An answer from another epoch is served if retrieval still finds the same evidence."""


class CacheOutcome(IntEnum):
    """What the answer cache did for one request."""

    MISS = 0
    """Generated, at the price of an LLM call (FRESH)."""
    HIT = 1
    """Served rightly, the epoch in Postgres being that of the answer (CACHED)."""
    REVALIDATED = 2
    """Served after retrieval found the evidence unchanged (REVALIDATED)."""
    STALE = 3
    """Served although its evidence had changed; only `ttl_only` does so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One choice of cache settings; the defaults are the pipeline's.

    Raises:
        InvalidInput: a value is out of range; names the field and the value.
    """

    policy: Policy = Policy.EVIDENCE_REVALIDATION
    answer_soft_ttl_s: float = DAY_S
    """Soft TTL: an older answer is generated anew."""
    answer_hard_ttl_s: float = 7 * DAY_S
    """Memory is held so long; between the two TTLs an answer serves only in an outage."""
    embedding_ttl_s: float = 7 * DAY_S
    context_ttl_s: float = 3_600.0
    context_capacity_bytes: int = 8_000_000
    jitter: float = 0.0
    """Each answer's TTLs are drawn from 1 - jitter to 1 + jitter times the setting."""
    answer_bytes: int = 3_600
    embedding_bytes: int = 1_670
    context_bytes: int = 13_300
    """Bytes one entry takes, key and overhead included; as `replay` measured them."""
    seed: int = 7

    def __post_init__(self) -> None:
        if self.policy not in set(Policy):
            raise InvalidInput("policy", f"must be one of {', '.join(Policy)}, got {self.policy!r}")
        for field in fields(self):
            if field.name.endswith(("_ttl_s", "_bytes")) and getattr(self, field.name) <= 0:
                raise InvalidInput(field.name, f"must be > 0, got {getattr(self, field.name)!r}")
        if not 0 <= self.jitter < 1:
            raise InvalidInput("jitter", f"must be in [0, 1), got {self.jitter!r}")
        if self.answer_hard_ttl_s <= self.answer_soft_ttl_s:
            raise InvalidInput(
                "answer_hard_ttl_s",
                f"must be > answer_soft_ttl_s = {self.answer_soft_ttl_s!r}, "
                f"got {self.answer_hard_ttl_s!r}",
            )

    def with_values(self, **values: object) -> Self:
        """The same with other values by name; a soft TTL takes its hard one along.

        So the time after the soft TTL in which an outage is served stale answers stays as long.

        Raises:
            InvalidInput: a value is out of range.
        """
        return type(self)(**(asdict(self) | values | self._hard_after(values)))

    def _hard_after(self, values: Mapping[str, object]) -> dict[str, float]:
        if "answer_hard_ttl_s" in values or "answer_soft_ttl_s" not in values:
            return {}
        window_s = self.answer_hard_ttl_s - self.answer_soft_ttl_s
        return {"answer_hard_ttl_s": float(str(values["answer_soft_ttl_s"])) + window_s}


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheReport:
    """What one setting did on one trace. Rates are shares of all requests unless said."""

    requests: int
    hit_rate: float
    """Served without an LLM call, rightly or not."""
    valid_hit_rate: float
    """Served without an LLM call, evidence unchanged: HIT and REVALIDATED."""
    revalidated_rate: float
    stale_share_of_hits: float
    """Share of what was served from the cache whose evidence had changed; 0 of none is 0."""
    llm_calls: int
    retrievals: int
    """Vector searches: requests that needed a context and did not find it cached."""
    embedding_calls: int
    embedding_hit_rate: float
    """Share of the lookups at this level, not of all requests."""
    context_hit_rate: float
    """Likewise."""
    answer_bytes_mean: float
    answer_bytes_peak: float
    embedding_bytes_peak: float
    context_bytes_peak: float
    context_bytes_mean: float
    embedding_bytes_mean: float


def simulate(timeline: Timeline, setting: Setting) -> CacheReport:
    """Run the three caches over a prepared trace."""
    requests = Lookups.of_all(timeline)
    jitter = ttl_factors(timeline, setting)
    generated = generated_answers(timeline, setting, jitter)
    served = _outcomes(timeline, setting.policy, generated)
    needy = (served == CacheOutcome.MISS) | (served == CacheOutcome.REVALIDATED)
    lookups = requests.only(needy)
    contexts = use_contexts(
        lookups, setting.context_ttl_s, setting.context_capacity_bytes // setting.context_bytes
    )
    searches = lookups.only(contexts.missed)
    embedded = searches.stored(np.full(len(searches), setting.embedding_ttl_s))
    start_s = searches.time_s[embedded]
    embeddings = Residency.of(start_s, start_s + setting.embedding_ttl_s, timeline.traffic.span_s)
    answers = _answer_residency(timeline, setting, generated, jitter)
    n, hits = len(served), int((served != CacheOutcome.MISS).sum())
    stale = int((served == CacheOutcome.STALE).sum())
    return CacheReport(
        requests=n,
        hit_rate=hits / n,
        valid_hit_rate=(hits - stale) / n,
        revalidated_rate=float((served == CacheOutcome.REVALIDATED).mean()),
        stale_share_of_hits=_share(stale, hits),
        llm_calls=n - hits,
        retrievals=len(searches),
        embedding_calls=int(embedded.sum()),
        embedding_hit_rate=_share(int((~embedded).sum()), len(searches)),
        context_hit_rate=_share(len(lookups) - len(searches), len(lookups)),
        answer_bytes_mean=answers.mean * setting.answer_bytes,
        answer_bytes_peak=answers.peak * setting.answer_bytes,
        embedding_bytes_peak=embeddings.peak * setting.embedding_bytes,
        context_bytes_peak=contexts.peak_entries * setting.context_bytes,
        context_bytes_mean=contexts.mean_entries * setting.context_bytes,
        embedding_bytes_mean=embeddings.mean * setting.embedding_bytes,
    )


def outcomes(timeline: Timeline, setting: Setting) -> NDArray[np.uint8]:
    """The `CacheOutcome` of every request, in the order of the trace; uint8[n].

    With jitter 0 these are what the real answer cache must do, request by request, when its
    retrieval returns evidence that changes exactly where `Timeline.version` does.
    """
    generated = generated_answers(timeline, setting, ttl_factors(timeline, setting))
    in_trace_order = np.empty(len(generated), dtype=np.uint8)
    in_trace_order[timeline.order] = _outcomes(timeline, setting.policy, generated)
    return in_trace_order


def generated_answers(timeline: Timeline, setting: Setting, jitter: Floats) -> Flags:
    """Which requests, in the order of `timeline`, generate and store an answer; bool[n]."""
    state = {
        Policy.TTL_ONLY: None,
        Policy.FLUSH_ON_CHANGE: timeline.epoch,
        Policy.EVIDENCE_REVALIDATION: timeline.version,
    }[setting.policy]
    return Lookups.of_all(timeline).stored(setting.answer_soft_ttl_s * jitter, state)


def ttl_factors(timeline: Timeline, setting: Setting) -> Floats:
    """Factor on the TTL of an entry, were it stored at a request; float64[n]."""
    if not setting.jitter:
        return np.ones(len(timeline.key))
    uniform = np.random.default_rng(setting.seed).random(len(timeline.key))[timeline.order]
    factor: Floats = 1 + setting.jitter * (2 * uniform - 1)
    return factor


def _outcomes(timeline: Timeline, policy: Policy, generated: Flags) -> NDArray[np.uint8]:
    served = np.full(len(generated), CacheOutcome.HIT, dtype=np.uint8)
    if policy == Policy.TTL_ONLY:
        source = np.maximum.accumulate(np.where(generated, np.arange(len(generated)), 0))
        served[timeline.version != timeline.version[source]] = CacheOutcome.STALE
    if policy == Policy.EVIDENCE_REVALIDATION:
        # Whatever the request before did, it left the entry stamped with its own epoch.
        served[np.diff(timeline.epoch, prepend=-1) != 0] = CacheOutcome.REVALIDATED
    served[generated] = CacheOutcome.MISS
    return served


def _answer_residency(
    timeline: Timeline, setting: Setting, generated: Flags, jitter: Floats
) -> Residency:
    """Answers stay until the hard TTL, or until another replaces them or a flush drops them."""
    rows = np.flatnonzero(generated)
    start_s, key = timeline.time_s[rows], timeline.key[rows]
    end_s = start_s + setting.answer_hard_ttl_s * jitter[rows]
    replaced = np.append(key[1:] == key[:-1], False)
    end_s = np.where(replaced, np.minimum(end_s, np.append(start_s[1:], np.inf)), end_s)
    if setting.policy == Policy.FLUSH_ON_CHANGE:
        end_s = np.minimum(end_s, timeline.next_edit_s[rows])
    return Residency.of(start_s, end_s, timeline.traffic.span_s)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def sweep(
    traffic: Traffic,
    grid: Mapping[str, Sequence[object]],
    *,
    model: EvidenceModel | None = None,
    base: Setting | None = None,
) -> pd.DataFrame:
    """Simulate every combination of the grid's values; a row for each.

    Columns: the fields of `Setting`, then those of `CacheReport`.

    `grid` maps names of `Setting` to values, as {"policy": [...], "answer_soft_ttl_s": [...]}.
    A hard TTL that the grid leaves alone stays as long after the soft one as `base` has it.

    Raises:
        InvalidInput: an unknown name or a value out of range.
    """
    settings = [(base or Setting()).with_values(**values) for values in combinations(grid)]
    timeline = prepare(traffic, model)
    rows = []
    with progress_bar(len(settings), "cache settings", "setting") as bar:
        for setting in settings:
            rows.append(asdict(setting) | asdict(simulate(timeline, setting)))
            bar.update()
    return pd.DataFrame(rows)


def combinations(grid: Mapping[str, Sequence[object]]) -> list[dict[str, object]]:
    """Every combination of the values of `grid`, by name.

    Raises:
        InvalidInput: a name is no field of `Setting`.
    """
    known = {field.name for field in fields(Setting)}
    for name in grid:
        if name not in known:
            raise InvalidInput(name, "is no cache setting", f"Known: {', '.join(sorted(known))}")
    return [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
