"""What a replayed week comes to: a table, and a verdict computed from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from evals.outages.provider import Outage
from evals.outages.replay import Week
from evals.results.numbers import count, dollars, duration, number, share
from evals.results.outcomes import ERROR, OUTCOMES
from evals.simulation.traffic import DAY_S
from rag_core.domain import Provenance

NEEDED = {Provenance.FRESH, Provenance.STALE, Provenance.DEGRADED, None}
"""Of requests that no cache could answer: they wanted a provider."""
ANSWERED = 0.999
"""Share of requests answered without an error, by the requirement."""
WRITTEN = {Provenance.FRESH, Provenance.CACHED, Provenance.REVALIDATED}
"""Answers that a provider wrote for what the notes say now."""


@dataclass(frozen=True, slots=True)
class Span:
    """What was seen between two times of the trace; `None` where there is nothing to tell."""

    requests: int
    outcomes: Counter[str]
    wanted: int
    """Number of requests that would have called the provider."""
    calls: int
    """Number of calls that were made, attempts that failed included."""
    spent_usd: float
    saved_usd: float
    p50_s: float | None
    p99_s: float | None
    fresh_after_s: float | None = None
    """From the end of an outage to the first answer that a provider wrote."""
    closed_after_s: float | None = None
    """From there until the breaker closed; 0.0 if it was closed already."""

    @property
    def answered_share(self) -> float:
        """Of the requests, without an error."""
        return 1 - self.outcomes[ERROR] / self.requests if self.requests else 1.0

    @property
    def written_share(self) -> float:
        """Of the requests, with an answer as good as without an outage."""
        good = sum(self.outcomes[str(each)] for each in WRITTEN)
        return good / self.requests if self.requests else 1.0


def span(week: Week, start_s: float, end_s: float) -> Span:
    """Figures of the requests that came, and of the money spent, from `start_s` to `end_s`."""
    served = [each for each in week.served if start_s <= each.time_s < end_s]
    took_s = [each.took_s for each in served]
    outcomes = Counter(str(each.provenance or ERROR) for each in served)
    return Span(
        requests=len(served),
        outcomes=outcomes,
        wanted=sum(each.provenance in NEEDED for each in served),
        calls=sum(start_s <= time_s < end_s for time_s in week.called_s),
        spent_usd=_sum(week.settled, start_s, end_s),
        saved_usd=_sum(week.saved, start_s, end_s),
        p50_s=float(np.percentile(took_s, 50)) if took_s else None,
        p99_s=float(np.percentile(took_s, 99)) if len(took_s) >= 100 else None,
    )


def whole(week: Week) -> Span:
    """Figures of all of it."""
    return span(week, 0.0, float("inf"))


def of_outage(week: Week, outage: Outage) -> Span:
    """Figures of an outage, and of the recovery from it."""
    seen = span(week, outage.start_s, outage.end_s)
    return replace(
        seen,
        fresh_after_s=_fresh_after_s(week, outage.end_s),
        closed_after_s=_closed_after_s(week, outage.end_s),
    )


def seen_outages(week: Week) -> list[tuple[Outage, Span]]:
    """Figures of each outage within which somebody asked."""
    spans = [(outage, of_outage(week, outage)) for outage in week.outages]
    return [(outage, seen) for outage, seen in spans if seen.requests]


def columns(week: Week) -> list[str]:
    """Heads of the table."""
    return ["simulated", "whole week", *(outage.name for outage, _ in seen_outages(week))]


def rows(week: Week) -> list[list[str]]:
    """Cells of the table: a figure a row, the week and each outage a column."""
    spans = [whole(week), *(seen for _, seen in seen_outages(week))]
    happened = [name for name in OUTCOMES if any(each.outcomes[name] for each in spans)]
    named = {
        "requests": [count(each.requests) for each in spans],
        "errors": [count(each.outcomes[ERROR]) for each in spans],
        "answered without an error": [share(each.answered_share) for each in spans],
        **{
            name: [share(each.outcomes[name] / max(1, each.requests)) for each in spans]
            for name in happened
        },
        "requests that no cache could answer": [count(each.wanted) for each in spans],
        "LLM calls made": [count(each.calls) for each in spans],
        "spent": [dollars(each.spent_usd) for each in spans],
        "saved by caches": [dollars(each.saved_usd) for each in spans],
        "latency p50": [_seconds(each.p50_s) for each in spans],
        "latency p99": [_seconds(each.p99_s) for each in spans],
        "first FRESH answer after its end": [_seconds(each.fresh_after_s) for each in spans],
        "breaker closed after its end": [_seconds(each.closed_after_s) for each in spans],
    }
    return [[name, *cells] for name, cells in named.items() if any(cells)]


def daily_usd(week: Week) -> tuple[list[float], list[float]]:
    """US dollars spent on each day, and those that caches saved."""
    days = int(max((each.time_s for each in week.served), default=0.0) // DAY_S) + 1
    spans = [(day * DAY_S, (day + 1) * DAY_S) for day in range(days)]
    return (
        [_sum(week.settled, *between) for between in spans],
        [_sum(week.saved, *between) for between in spans],
    )


def verdict(week: Week) -> str:
    """The table in a paragraph."""
    seen, highest = whole(week), max(daily_usd(week)[0])
    kept = "met" if seen.answered_share >= ANSWERED else "MISSED"
    drift = abs(week.booked_usd - seen.spent_usd)
    return " ".join(
        (
            f"Simulated: {share(seen.answered_share)} of {count(seen.requests)} requests were"
            f" answered without an error (≥ {share(ANSWERED)}: {kept}).",
            *(_of_outage(outage, each) for outage, each in seen_outages(week)),
            f"The week cost {dollars(seen.spent_usd)}; answers worth {dollars(seen.saved_usd)}"
            f" came from the caches; its dearest day {dollars(highest)}"
            f" of a cap of {dollars(week.cap_usd)}"
            f" ({'within' if highest <= week.cap_usd else 'PAST'} it).",
            f"Ledger and cost book differ by {dollars(drift)}."
            if drift > 1e-9
            else "The cost book holds every cent of it.",
        )
    )


def _of_outage(outage: Outage, seen: Span) -> str:
    below = seen.outcomes["STALE"] + seen.outcomes["DEGRADED"]
    fresh = "none came" if seen.fresh_after_s is None else duration(seen.fresh_after_s)
    return (
        f"Outage on {outage.name}: {share(seen.written_share)} of its {count(seen.requests)}"
        f" requests had what a provider wrote, from the caches; {count(below)} went down the"
        f" ladder ({count(seen.outcomes['STALE'])} STALE, {count(seen.outcomes['DEGRADED'])}"
        f" DEGRADED), {count(seen.outcomes[ERROR])} failed; {count(seen.calls)} LLM calls where"
        f" {count(seen.wanted)} would have been made without a breaker, for"
        f" {dollars(seen.spent_usd)}; the first FRESH answer after its end: {fresh}."
    )


def _sum(timed: Sequence[tuple[float, float]], start_s: float, end_s: float) -> float:
    return sum(usd for time_s, usd in timed if start_s <= time_s < end_s)


def _fresh_after_s(week: Week, end_s: float) -> float | None:
    ended = (
        each.time_s + each.took_s
        for each in week.served
        if each.provenance is Provenance.FRESH and each.time_s + each.took_s >= end_s
    )
    first = min(ended, default=None)
    return None if first is None else first - end_s


def _closed_after_s(week: Week, end_s: float) -> float | None:
    before = [state for time_s, state in week.breaker if time_s < end_s]
    if not before or before[-1] == "closed":
        return 0.0
    closings = (time_s for time_s, state in week.breaker if time_s >= end_s and state == "closed")
    first = next(closings, None)
    return None if first is None else first - end_s


def _seconds(value: float | None) -> str:
    return "" if value is None else number(value, "s")
