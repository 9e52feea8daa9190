"""The figures of a run: what objectives are set for, by name."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from loadtests.record.happened import Happened
from loadtests.record.record import Record
from loadtests.record.resources import MACHINE, cpu_between
from loadtests.record.sample import Sample

Figures = Mapping[str, float | None]
"""Each figure by its name, which says its unit; None where it was not measured."""

_LEAST = 100
"""Values below which there is no p99."""
_WINDOW_S = 5.0
"""Seconds over which the generator's CPU is averaged: shorter ones are noise."""
_ENDS_S = 10.0
"""Seconds at the begin and at the end of what is judged, whose memory is compared."""


def percentile(values: Iterable[float | None], percent: float) -> float | None:
    """By nearest rank; None of fewer than 100 values where `percent` is above 90."""
    known = sorted(value for value in values if value is not None)
    if not known or (percent > 90 and len(known) < _LEAST):
        return None
    return known[max(0, math.ceil(percent / 100 * len(known)) - 1)]


def share(part: float, whole: float) -> float | None:
    """`part` of `whole`, both in the same unit; None of nothing."""
    return part / whole if whole else None


def figures(record: Record) -> dict[str, float | None]:
    """All of them."""
    return {
        **_of_questions(record),
        **_of_others(record.judged),
        **_of_generator(record),
        **_of_application(record),
        **_of_troubles(record),
    }


def _of_questions(record: Record) -> dict[str, float | None]:
    """A question that was never sent, as all callers still waited for replies, has failed."""
    asked = [each for each in record.judged if each.asked]
    answered = [each for each in asked if each.answered]
    hits = [each for each in answered if each.hit]
    misses = [each for each in answered if each.outcome == "FRESH"]
    seconds = {name: [e.latency_ms / 1000 for e in of] for name, of in
               (("latency", answered), ("hit", hits), ("miss", misses))}  # fmt: skip
    return {
        "questions": len(asked) + record.unsent,
        "error_share": share(
            len(asked) + record.unsent - len(answered), len(asked) + record.unsent
        ),
        "starved_share": share(sum(not each.in_time for each in asked), len(asked)),
        "hit_share": share(len(hits), len(answered)),
        "asked_before_share": share(
            sum(each.serial in record.asked_before for each in answered), len(answered)
        ),
        **{f"{name}_p50_s": percentile(of, 50) for name, of in seconds.items()},
        **{f"{name}_p99_s": percentile(of, 99) for name, of in seconds.items()},
        "hit_first_token_p99_s": _in_s(percentile((each.first_ms for each in hits), 99)),
        "hit_pipeline_p99_ms": percentile((each.pipeline_ms for each in hits), 99),
        "cost_usd": sum(each.cost_usd for each in answered),
    }


def _of_others(samples: Sequence[Sample]) -> dict[str, float | None]:
    abuses = [each for each in samples if each.name.startswith("abuse")]
    saves = [each for each in samples if each.note and each.name in ("edit", "new note")]
    return {
        "abuse_let_in": sum(not each.right and 0 < each.status < 400 for each in abuses),
        "too_often_turned_away": sum(each.status == 429 for each in abuses),
        "internal_errors": sum(each.status == 500 for each in samples),
        "save_error_share": share(sum(not each.right for each in saves), len(saves)),
    }


def _of_generator(record: Record) -> dict[str, float | None]:
    return {
        "send_lag_p99_ms": percentile((e.lag_ms for e in record.samples if e.in_time), 99),
        "generator_cpu_share": _busiest_share(record),
        "others_cpu_share": _others_share(record),
    }


def _of_application(record: Record) -> dict[str, float | None]:
    run = record.run
    before, after, books = run.rest_before, run.rest_after, run.books
    return {
        "lost_saves": len(run.lost),
        "series": run.series,
        "rss_growth_share": _growth(record),
        "fds_left": after.fds - before.fds if before and after else None,
        "connections_left": after.connections - before.connections if before and after else None,
        "unbooked_share": share(abs(books.billed_usd - books.booked_usd), books.billed_usd)
        if books else None,
    }  # fmt: skip


def _of_troubles(record: Record) -> dict[str, float | None]:
    """How long each was felt, and the share of questions that it cost."""
    found: dict[str, float | None] = {}
    begins = [each.begun_s for each in record.run.troubles]
    for happened, end_s in zip(record.run.troubles, [*begins[1:], math.inf], strict=False):
        felt = [each for each in record.judged if happened.begun_s <= each.ended_s < end_s]
        found[f"{happened.victim}_recovery_s"] = recovery_s(felt, happened)
        found[f"{happened.victim}_errors"] = sum(e.asked and not e.answered for e in felt)
    return found


def recovery_s(samples: Iterable[Sample], happened: Happened) -> float | None:
    """Seconds from the trouble to the end of the last question that it spoilt; 0 if it did none.

    Spoilt is what failed, and what was answered from a lower rung: STALE or DEGRADED. None where
    the victim never came back.
    """
    spoilt = [each.ended_s for each in samples if each.asked and _spoilt(each)]
    if happened.back_s is None:
        return None
    return max(spoilt, default=happened.begun_s) - happened.begun_s


def _spoilt(sample: Sample) -> bool:
    return not sample.answered or sample.outcome in ("STALE", "DEGRADED")


def _busiest_share(record: Record) -> float | None:
    """The most of a core that the generator's busiest process used for a while."""
    seen = [each for each in record.usages if each.part == "generator" and each.at_s >= 0]
    shares = []
    for first in seen:
        last = next((each for each in seen if each.at_s >= first.at_s + _WINDOW_S), None)
        if last:
            spent_s = last.busiest_cpu_s - first.busiest_cpu_s
            shares.append(spent_s / (last.at_s - first.at_s))
    return max(shares, default=None)


def _others_share(record: Record) -> float | None:
    """Share of the machine that whatever is no part of the test used while it was judged."""
    parts = {each.part for each in record.usages} - {MACHINE}
    ours_s = sum(cpu_between(record.usages, part, *record.judged_s) or 0.0 for part in parts)
    all_s = cpu_between(record.usages, MACHINE, *record.judged_s)
    begin_s, end_s = record.judged_s
    whole_s = record.run.cores * (end_s - begin_s)
    return None if all_s is None else max(0.0, all_s - ours_s) / whole_s


def _growth(record: Record) -> float | None:
    """By how much more memory the application had at the end of what is judged than at its begin.

    The middle of ten seconds each: what garbage collection does from one second to the next is
    not growth.
    """
    begin_s, end_s = record.judged_s
    of_app = [each for each in record.usages if each.part == "app"]
    first = [e.rss_bytes for e in of_app if begin_s <= e.at_s < begin_s + _ENDS_S]
    last = [e.rss_bytes for e in of_app if end_s - _ENDS_S <= e.at_s < end_s]
    before, after = percentile(first, 50), percentile(last, 50)
    return after / before - 1 if before and after else None


def _in_s(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000
