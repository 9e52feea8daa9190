"""What believing one's own copy of an epoch saves, and how late it makes answers; simulated.

Strictly, every request reads its user's epoch in Postgres. With a permitted staleness a process
goes by the copy that it read last, for so long from when it was read, and reads again after that.

Supposed are: requests that fall on the processes at random, edits that no process learns of but by
reading, reads that take no time and are not shared, and contexts that are never dropped for room.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace

import numpy as np
import pandas as pd

from evals.simulation import closed_forms as theory
from evals.simulation.level import Flags, Lookups
from evals.simulation.simulator import Setting, ttl_factors
from evals.simulation.timeline import Timeline, hashed_uniform, prepare
from evals.simulation.traffic import DAY_S, Floats, Ints, Traffic


@dataclass(frozen=True, slots=True, eq=False)
class Copies:
    """The copy of its user's epoch that each request goes by.

    Arrays of one element a request, in the order of the trace: int64[n], bool[n] or float64[n].
    """

    process: Ints
    """The number of the process that answers."""
    read: Flags
    """Whether the request read Postgres, having no copy that it may believe."""
    epoch: Ints
    next_edit_s: Floats
    """When the user's notes changed first after the copy was read; infinity if never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StalenessReport:
    """What one permitted staleness does to one trace. A late answer's evidence had changed."""

    max_staleness_s: float
    workers: int
    requests: int
    reads_per_request: float
    """Reads of an epoch in Postgres; strictly 1."""
    reads_of_flat_traffic: float
    """Reads per request by the closed form, which knows no daily cycle."""
    reads_saved_a_day: float
    outdated: int
    """Requests whose copy was no longer the epoch: the user's notes had changed, all or some."""
    late: int
    """Those of them that were answered from evidence that had changed since the copy was read."""
    late_share: float
    """Share of all requests that were answered late."""
    late_p50_s: float
    """Seconds since the edit that made it so; not a number if none is late."""
    late_p99_s: float
    late_max_s: float


def spread_over(traffic: Traffic, workers: int, *, seed: int) -> Timeline:
    """The trace with the process that answers in the place of the question."""
    uniform = hashed_uniform(seed + 2, np.arange(len(traffic)))
    return prepare(replace(traffic, question=(uniform * workers).astype(np.int64)))


def copies(by_process: Timeline, max_staleness_s: float) -> Copies:
    """A copy is an entry under (user, process) that lives for the permitted staleness."""
    n = len(by_process.key)
    read = Lookups.of_all(by_process).stored(np.full(n, max_staleness_s))
    source = np.maximum.accumulate(np.where(read, np.arange(n), 0))
    in_trace_order = np.argsort(by_process.order)
    return Copies(
        process=by_process.traffic.question,
        read=read[in_trace_order],
        epoch=by_process.epoch[source][in_trace_order],
        next_edit_s=by_process.next_edit_s[source][in_trace_order],
    )


def outdated(traffic: Traffic, held: Copies) -> Flags:
    """Which requests go by an epoch that is no longer the user's; bool[n]."""
    return held.next_edit_s <= traffic.time_s


def lateness_s(timeline: Timeline, setting: Setting, held: Copies) -> Floats:
    """Seconds by which each answer is late, NaN if it is not; float64[n] in the trace's order.

    It counts from the user's first edit after the evidence was found, which came after the copy
    was read, too; where several edits followed, a later one may have mattered first.
    """
    time_s, late_s = timeline.time_s, np.full(len(timeline.key), np.nan)
    wrong = outdated(timeline.traffic, held)[timeline.order]
    # Only a question that was once asked under an outdated epoch can get a late answer.
    suspect = np.zeros(len(wrong), dtype=np.bool_)
    suspect[timeline.key[wrong]] = True
    rows = np.flatnonzero(suspect[timeline.key])
    found = _evidence_served(timeline, setting, held, rows)
    late = timeline.version[found] != timeline.version[rows]
    rows, found = rows[late], found[late]
    late_s[rows] = time_s[rows] - timeline.next_edit_s[found]
    return late_s[np.argsort(timeline.order)]


def _evidence_served(timeline: Timeline, setting: Setting, held: Copies, rows: Ints) -> Ints:
    """For each of the rows, the row whose search found what its answer rests on; int64[k]."""
    version, order = timeline.version.tolist(), timeline.order[rows]
    lives_s = (setting.answer_soft_ttl_s * ttl_factors(timeline, setting))[rows]
    columns = (
        rows, timeline.key[rows], timeline.time_s[rows], lives_s, held.process[order],
        held.epoch[order],
    )  # fmt: skip
    found = np.zeros(len(rows), dtype=np.int64)
    asked, question = -1, _Question(setting.context_ttl_s, version)
    for place, (row, key, now_s, life_s, process, epoch) in enumerate(
        zip(*(column.tolist() for column in columns), strict=True)
    ):
        if key != asked:
            asked, question = key, _Question(setting.context_ttl_s, version)
        found[place] = question.ask(row, now_s, life_s, process, epoch)
    return found


@dataclass(slots=True)
class _Answer:
    expires_at: float
    epoch: int
    evidence: int


@dataclass(slots=True)
class _Question:
    """The cached answer to one question, and each process's contexts of it, by the pipeline's
    rules: what a search found is known by the row that searched."""

    context_ttl_s: float
    version: list[int]
    answer: _Answer | None = None
    contexts: dict[tuple[int, int], tuple[float, int]] = field(default_factory=dict)

    def ask(self, row: int, now_s: float, life_s: float, process: int, epoch: int) -> int:
        """Answer one request; the row whose search found what the answer rests on."""
        answer = self.answer if self.answer and now_s < self.answer.expires_at else None
        if answer and answer.epoch == epoch:
            return answer.evidence
        found = self._context(row, now_s, process, epoch)
        if answer and self.version[answer.evidence] == self.version[found]:
            answer.epoch, answer.evidence = epoch, found
        else:
            self.answer = _Answer(now_s + life_s, epoch, found)
        return found

    def _context(self, row: int, now_s: float, process: int, epoch: int) -> int:
        stored_s, found = self.contexts.get((process, epoch), (-np.inf, row))
        if now_s - stored_s < self.context_ttl_s:
            return found
        self.contexts[process, epoch] = (now_s, row)
        return row


def staleness_sweep(
    timeline: Timeline,
    setting: Setting,
    *,
    max_staleness_s: Sequence[float],
    workers: Sequence[int],
) -> pd.DataFrame:
    """Every permitted staleness with every number of processes.

    A row for each; columns are the fields of `StalenessReport`.
    """
    rows = []
    for count in workers:
        by_process = spread_over(timeline.traffic, count, seed=setting.seed)
        for staleness_s in max_staleness_s:
            held = copies(by_process, staleness_s)
            rows.append(asdict(_report(timeline, setting, held, staleness_s, count)))
    return pd.DataFrame(rows)


def _report(
    timeline: Timeline, setting: Setting, held: Copies, staleness_s: float, workers: int
) -> StalenessReport:
    traffic = timeline.traffic
    late_s = lateness_s(timeline, setting, held)
    late_s = late_s[~np.isnan(late_s)]
    p50_s, p99_s, max_s = np.quantile(late_s, [0.5, 0.99, 1.0]) if len(late_s) else [np.nan] * 3
    saved = int((~held.read).sum())
    return StalenessReport(
        max_staleness_s=staleness_s,
        workers=workers,
        requests=len(traffic),
        reads_per_request=float(held.read.mean()),
        reads_of_flat_traffic=flat_reads_per_request(traffic, staleness_s, workers),
        reads_saved_a_day=saved / traffic.span_s * DAY_S if traffic.span_s else 0.0,
        outdated=int(outdated(traffic, held).sum()),
        late=len(late_s),
        late_share=len(late_s) / len(traffic),
        late_p50_s=float(p50_s),
        late_p99_s=float(p99_s),
        late_max_s=float(max_s),
    )


def flat_reads_per_request(traffic: Traffic, staleness_s: float, workers: int) -> float:
    """The closed form, mixed over users by how much each asks."""
    asked = np.bincount(traffic.user).astype(np.float64)
    rates = asked / traffic.span_s if traffic.span_s else np.zeros(len(asked))
    return theory.mixture(theory.epoch_reads_per_request(rates / workers, staleness_s), asked)


def flat_outdated_share(traffic: Traffic, staleness_s: float, workers: int) -> float:
    """Share of requests under an outdated epoch, by the closed forms, mixed over users."""
    users = int(max(traffic.user.max(initial=0), traffic.edit_user.max(initial=0))) + 1
    asked = np.bincount(traffic.user, minlength=users).astype(np.float64)
    edited = np.bincount(traffic.edit_user, minlength=users)
    believed = 1 - theory.epoch_reads_per_request(asked / traffic.span_s / workers, staleness_s)
    stale = theory.stale_share_of_hits(edited / traffic.span_s, staleness_s)
    return theory.mixture(believed * stale, asked)
