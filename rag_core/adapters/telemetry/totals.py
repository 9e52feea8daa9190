"""What all workers have counted, put together, and the ratios that it makes."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter

from rag_core.adapters.telemetry import measures as m
from rag_core.adapters.telemetry.cells import Series
from rag_core.adapters.telemetry.measure import Measure
from rag_core.domain.answer import Provenance

Totals = dict[Measure, dict[tuple[str, ...], tuple[float, ...]]]
"""The cells of each series of each measure."""

_HITS = ("hit", "revalidated", "stale")


def totals(series: Iterable[Series]) -> Totals:
    """Sums over all workers; of gauges what was set last, by a worker that is alive."""
    found: dict[Measure, dict[tuple[str, ...], list[Series]]] = {
        measure: {} for measure in m.RECORDED
    }
    for each in series:
        if each.alive or each.measure.kind not in ("gauge", "level"):
            found[each.measure].setdefault(each.values, []).append(each)
    sums = {
        measure: {values: _together(measure, group) for values, group in groups.items()}
        for measure, groups in found.items()
    }
    return sums | _ratios(sums)


def _together(measure: Measure, series: list[Series]) -> tuple[float, ...]:
    rows = [each.cells for each in series]
    if measure.kind == "gauge":
        return max(rows, key=itemgetter(1))
    return tuple(map(sum, zip(*rows, strict=True)))


def _ratios(sums: Totals) -> Totals:
    """The measures that are made of others, where there is anything to divide by."""
    looks = {values: cells[0] for values, cells in sums[m.LOOKUPS].items()}
    answers = {values: cells[0] for values, cells in sums[m.QUERIES].items()}
    rates: Totals = {m.HIT_RATE: {}, m.NO_CONTEXT_RATE: {}}
    for level in m.HIT_RATE.labels[0].values:
        hits = sum(looks.get((level, outcome), 0) for outcome in _HITS)
        # One that was unavailable is counted as a miss, too.
        if every := hits + looks.get((level, "miss"), 0):
            rates[m.HIT_RATE][level,] = (hits / every,)
    if every := sum(answers.values()):
        empty = sum(n for (came, _), n in answers.items() if came == Provenance.NO_CONTEXT)
        rates[m.NO_CONTEXT_RATE][()] = (empty / every,)
    return rates
