"""What was measured, as the text that Prometheus reads."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from math import inf

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric

from rag_core.adapters.telemetry.measure import Measure
from rag_core.adapters.telemetry.totals import Totals

_TYPES = {"level": "gauge"}


def exposition(totals: Totals, *, process: bool) -> bytes:
    """The text; making it takes some milliseconds.

    Args:
        process: add memory, CPU and files of this process, which of several would say little.
    """
    return generate_latest(_Collected(totals, process=process))


class _Collected(CollectorRegistry):
    """A registry of what has been counted elsewhere."""

    def __init__(self, totals: Totals, *, process: bool) -> None:
        super().__init__()
        self._totals = totals
        if process:
            ProcessCollector(registry=self)

    def collect(self) -> Iterator[Metric]:
        yield from super().collect()
        for measure, series in self._totals.items():
            yield family(measure, series)


def family(measure: Measure, series: dict[tuple[str, ...], tuple[float, ...]]) -> Metric:
    """The measure's series as prometheus_client has them."""
    name = measure.name.removesuffix("_total")
    metric = Metric(name, measure.help, _TYPES.get(measure.kind, measure.kind))
    for values, cells in series.items():
        named = dict(zip((label.name for label in measure.labels), values, strict=True))
        for suffix, extra, number in _samples(measure, cells):
            metric.add_sample(name + suffix, {**named, **extra}, number)
    return metric


def _samples(
    measure: Measure, cells: tuple[float, ...]
) -> Iterator[tuple[str, dict[str, str], float]]:
    match measure.kind:
        case "counter":
            yield "_total", {}, cells[0]
        case "level" | "gauge":
            yield "", {}, cells[0]
        case "summary":
            yield "_count", {}, cells[0]
            yield "_sum", {}, cells[1]
        case "histogram":
            *counts, total = cells
            reached = list(accumulate(counts))
            bounds = (*measure.buckets, inf)
            for bound, number in zip(bounds, reached, strict=True):
                yield "_bucket", {"le": _bound(bound)}, number
            yield "_count", {}, reached[-1]
            yield "_sum", {}, total


def _bound(bound: float) -> str:
    return "+Inf" if bound == inf else str(bound)
