"""The numbers that hypotheses are made of: what is looked at, and what it may be at most."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import numpy as np

from evals.drills.arrivals import Arrival
from evals.drills.drill import Phase
from evals.drills.limit import Limit
from evals.drills.quality import FACTS, WORDED
from evals.drills.run import DrillRun
from evals.drills.scene import PROVIDER
from evals.drills.timeline import Ended
from evals.results.outcomes import ERROR
from rag_core.domain import Flag, Provenance

_COME_BACK = ("DatabaseUnavailable", "DeadlineExceeded", "Overloaded")
"""Errors that end in a 503 with Retry-After."""
UNDER_WAY_S = 0.05
"""Chosen: a call that was under way when the breaker opened has reached the stub by then."""
_ALL_KINDS = len(Provenance)
_AT_ONCE = 5
"""Calls that may be under way when the first of them fails, or fail before the breaker opens."""


def answered(least: float = 0.999, *phases: Phase) -> Limit:
    """The share of requests that ended in an answer of any kind.

    Args:
        least: a share, 0 to 1.
        phases: those of the requests; all unless said.
    """
    chosen = phases or tuple(Phase)

    def value(run: DrillRun) -> float | None:
        ended = run.of(*chosen)
        return np.mean([each.provenance != ERROR for each in ended]).item() if ended else None

    return Limit(
        aspect="errors", name="answered without an error", unit="share", value=value, least=least
    )


def p99_once_open(
    most_ms: float = 200.0, *, probes: bool = True, of: str = PROVIDER, settled_s: float = 0.0
) -> Limit:
    """The p99 of requests sent while the breaker of a dependency was open.

    Args:
        probes: whether those count that were sent on to see whether it works again.
        settled_s: seconds after it opened that are left out.
    """

    def value(run: DrillRun) -> float | None:
        left_out: set[Arrival] = set() if probes else run.probes
        since_s = (run.opened_s(of) or 0.0) + settled_s
        counted = (e for e in run.once_open(of) if e.arrival not in left_out)
        return _p99([each for each in counted if each.arrival.at_s >= since_s])

    name = "p99 once open" + (f" for {settled_s:g} s" if settled_s else "")
    name += "" if probes else ", but for its probes"
    return Limit(aspect="timing", name=name, unit="ms", value=value, most=most_ms)


def p99(most_ms: float, *phases: Phase) -> Limit:
    """The p99 of the requests of some phases."""
    name = f"p99 in {' and '.join(phases)}"
    return Limit(
        aspect="timing", name=name, unit="ms", value=lambda run: _p99(run.of(*phases)), most=most_ms
    )


def slowest(beyond: str, timeout_s: Callable[[DrillRun], float]) -> Limit:
    """The longest wait of anyone, beyond a timeout that somebody has to wait for."""

    def value(run: DrillRun) -> float | None:
        longest = max((each.latency_ms for each in run.timeline.ended), default=None)
        return None if longest is None else max(0.0, longest - 1000 * timeout_s(run))

    name = f"longest wait, beyond {beyond}"
    return Limit(aspect="timing", name=name, unit="ms", value=value, most=250.0)


def slowest_by_provider() -> Limit:
    """The longest wait, beyond one timeout of the provider."""
    return slowest("the provider's timeout", lambda run: run.scale.provider_timeout_s)


def ended_as(*provenances: str, most: int) -> Limit:
    """The number of requests that were sent and ended in the trouble, in an answer of such a kind.

    Args:
        most: a number.
    """

    def value(run: DrillRun) -> float | None:
        begin_s, end_s = run.timeline.trouble_s
        within = [e for e in run.timeline.ended if begin_s < e.arrival.at_s and e.done_s < end_s]
        return float(sum(each.provenance in provenances for each in within))

    name = "answers" if len(provenances) > 1 else f"{provenances[0]} answers"
    return Limit(
        aspect="quality", name=f"{name} in the trouble", unit="count", value=value, most=most
    )


def only_unavailable() -> Limit:
    """Errors that a reader would not be told to come back after."""

    def value(run: DrillRun) -> float | None:
        return float(sum(each.error not in ("", *_COME_BACK) for each in run.timeline.ended))

    return Limit(aspect="errors", name="errors other than a 503", unit="count", value=value, most=0)


def calls_in_trouble(most: int | None = None) -> Limit:
    """Number of calls that the stub counted in the trouble.

    Unless `most` says a number, it is a few at the beginning, and a call with its retry a second.
    """

    def value(run: DrillRun) -> float | None:
        begin_s, end_s = run.timeline.trouble_s
        allowed = _AT_ONCE + 2 * (end_s - begin_s) if most is None else most
        return max(0.0, run.calls_since(begin_s) - allowed)

    name = "LLM calls in the trouble" + (
        f", beyond {_AT_ONCE} and two a second" if most is None else ""
    )
    return Limit(aspect="money", name=name, unit="count", value=value, most=0)


def wrong_facts(most: float) -> Limit:
    """Golden facts that FRESH answers state, as a share (0 to 1, `most` too) of extractive ones."""

    def value(run: DrillRun) -> float | None:
        compared = run.quality.get(Provenance.FRESH, ())
        facts = (
            each.given / each.extractive
            for each in compared
            if each.measure == FACTS and each.extractive
        )
        return next(facts, None)

    name = "facts stated, as a share of what extractive answers state"
    return Limit(aspect="quality", name=name, unit="share", value=value, most=most)


def calls_once_open() -> Limit:
    """Calls that the stub counted while the breaker was open, beyond one for each half-open."""

    def value(run: DrillRun) -> float | None:
        opened_s = run.opened_s()
        if opened_s is None:
            return None
        end_s = run.timeline.trouble_s[1]
        changes = run.timeline.changes(PROVIDER)
        probing = sum(state == "half-open" and at_s <= end_s for at_s, state in changes)
        return float(max(0, run.calls_since(opened_s + UNDER_WAY_S) - probing))

    name = "LLM calls once open, beyond probes"
    return Limit(aspect="money", name=name, unit="count", value=value, most=0)


def degraded_quality(most_points: float = 2.0) -> Limit:
    """By how much the worst measure of degraded answers is below extractive ones."""

    def value(run: DrillRun) -> float | None:
        compared = run.quality.get(Provenance.DEGRADED, ())
        return max((abs(each.points_below) for each in compared), default=None)

    name = f"degraded answers ({' and '.join(WORDED.values())}) away from extractive ones"
    return Limit(aspect="quality", name=name, unit="points", value=value, most=most_points)


def recovered(within_s: float, *, by: Collection[str] = (Provenance.FRESH,)) -> Limit:
    """Seconds from the end of the trouble to the first answer of such a provenance."""

    def value(run: DrillRun) -> float | None:
        over_s = run.timeline.trouble_s[1]
        done = (each.done_s - over_s for each in run.timeline.ended if each.provenance in by)
        return min((late_s for late_s in done if late_s > 0), default=None)

    name = f"first {' or '.join(by) if len(by) < _ALL_KINDS else 'usual'} answer after the trouble"
    return Limit(aspect="recovery", name=name, unit="s", value=value, most=within_s)


def past_cap(cap_usd: float) -> Limit:
    """Dollars that all workers together spent on a day beyond what may be spent on it."""

    def value(run: DrillRun) -> float | None:
        return None if run.books is None else max(0.0, run.books.most_a_day_usd - cap_usd)

    return Limit(aspect="money", name="spent past the cap", unit="usd", value=value, most=0)


def taken_back(dependency: str, within_s: float) -> Limit:
    """Seconds from the end of the trouble until the breaker of `dependency` closed."""

    def value(run: DrillRun) -> float | None:
        over_s = run.timeline.trouble_s[1]
        changes = run.timeline.changes(dependency)
        return min(
            (at - over_s for at, to in changes if to == "closed" and at > over_s), default=None
        )

    name = f"breaker of {dependency} closed after the trouble"
    return Limit(aspect="recovery", name=name, unit="s", value=value, most=within_s)


def unbooked(most_usd: float = 0.0) -> Limit:
    """Dollars that the provider charges for and Postgres does not know of."""

    def value(run: DrillRun) -> float | None:
        booked = run.booked_usd
        return None if booked is None else max(0.0, round(run.billed_usd - booked, 9))

    return Limit(
        aspect="money", name="billed, but not booked", unit="usd", value=value, most=most_usd
    )


def given_again(least: int) -> Limit:
    """The number of answers given in the trouble that caches gave again after it.

    Args:
        least: a number.
    """

    def value(run: DrillRun) -> float | None:
        given = {each.answer.text for each in run.of(Phase.TROUBLE) if each.answer}
        cached = (e.answer for e in run.of(Phase.RECOVERY) if e.provenance == Provenance.CACHED)
        return float(sum(answer is not None and answer.text in given for answer in cached))

    name = "answers of the trouble given again after it"
    return Limit(aspect="recovery", name=name, unit="count", value=value, least=least)


def unmarked() -> Limit:
    """Broken answers that say nothing of it, and those that were kept and given again."""

    def value(run: DrillRun) -> float | None:
        begin_s, end_s = run.timeline.trouble_s
        answers = [
            (each.answer.provenance, Flag.BROKEN_OFF in each.answer.flags)
            for each in run.timeline.ended
            if each.answer and begin_s < each.arrival.at_s and each.done_s < end_s
        ]
        silent = sum(its is Provenance.FRESH and not marked for its, marked in answers)
        kept = sum(
            Flag.BROKEN_OFF in each.answer.flags
            for each in run.timeline.ended
            if each.answer and each.provenance == Provenance.CACHED
        )
        return float(silent + kept)

    name = "cut answers that say nothing of it, or were kept"
    return Limit(aspect="errors", name=name, unit="count", value=value, most=0)


def _p99(ended: Sequence[Ended]) -> float | None:
    times = [each.latency_ms for each in ended]
    return float(np.percentile(times, 99)) if times else None
