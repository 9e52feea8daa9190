"""What was measured, sent to a collector now and then."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)

from rag_core.adapters.telemetry.measure import Measure
from rag_core.adapters.telemetry.otlp import SCHEMA_URL, SCOPE, TIMEOUT_S, resource
from rag_core.adapters.telemetry.totals import Totals
from rag_core.clock import SystemClock, recurring

PUSH_S = 15.0
"""Seconds between two exports; as often as Prometheus scrapes in `deploy/prometheus`."""

CUMULATIVE = AggregationTemporality.CUMULATIVE

Cells = tuple[float, ...]


class OtlpMetrics:
    """Sends totals to a collector.

    Args:
        endpoint: of the collector, as `http://collector:4318`.
    """

    def __init__(self, endpoint: str) -> None:
        self._exporter = OTLPMetricExporter(
            endpoint=f"{endpoint.rstrip('/')}/v1/metrics", timeout=TIMEOUT_S
        )
        self._resource, self._began_ns = resource(), time.time_ns()

    def send(self, totals: Totals) -> None:
        """Send them, in `TIMEOUT_S` seconds at most; the exporter logs a failure."""
        points = _Points(self._began_ns, time.time_ns())
        metrics = [points.metric(measure, series) for measure, series in totals.items() if series]
        scoped = [ScopeMetrics(SCOPE, metrics, SCHEMA_URL)]
        self._exporter.export(MetricsData([ResourceMetrics(self._resource, scoped, SCHEMA_URL)]))

    def close(self) -> None:
        """Send no more."""
        self._exporter.shutdown()


@asynccontextmanager
async def pushed(endpoint: str, totals: Callable[[], Totals]) -> AsyncIterator[None]:
    """While the block runs, send `totals()` every `PUSH_S` seconds, and once more at its end."""
    metrics = OtlpMetrics(endpoint)

    async def push() -> None:
        await asyncio.to_thread(metrics.send, totals())

    try:
        async with recurring("metrics are sent", push, PUSH_S, SystemClock()):
            yield
    finally:
        await push()
        metrics.close()


class _Points:
    """Data points of one interval, in nanoseconds since the Unix epoch."""

    def __init__(self, began_ns: int, now_ns: int) -> None:
        self._times: dict[str, Any] = {"start_time_unix_nano": began_ns, "time_unix_nano": now_ns}

    def metric(self, measure: Measure, series: dict[tuple[str, ...], Cells]) -> Metric:
        """The series of a measure."""
        named = [(_attributes(measure, values), cells) for values, cells in series.items()]
        return Metric(measure.name, measure.help, _unit(measure.name), self._data(measure, named))

    def _data(
        self, measure: Measure, named: list[tuple[dict[str, str], Cells]]
    ) -> Sum | Gauge | Histogram:
        match measure.kind:
            case "counter":
                return Sum([self._number(*each) for each in named], CUMULATIVE, is_monotonic=True)
            case "level":
                return Sum([self._number(*each) for each in named], CUMULATIVE, is_monotonic=False)
            case "gauge":
                return Gauge([self._number(*each) for each in named])
            case "summary":
                points = [self._histogram(at, (), (n,), total) for at, (n, total) in named]
            case "histogram":
                bounds = measure.buckets
                points = [self._histogram(at, bounds, cells[:-1], cells[-1]) for at, cells in named]
        return Histogram(points, CUMULATIVE)

    def _number(self, attributes: dict[str, str], cells: Cells) -> NumberDataPoint:
        return NumberDataPoint(attributes, value=cells[0], **self._times)

    def _histogram(
        self, attributes: dict[str, str], bounds: Cells, counts: Cells, total: float
    ) -> HistogramDataPoint:
        numbers: dict[str, Any] = {"bucket_counts": [int(count) for count in counts]}
        numbers |= {"count": int(sum(counts)), "sum": total, "explicit_bounds": bounds}
        numbers |= {"min": None, "max": None}  # nobody counted them, and a message may lack them
        return HistogramDataPoint(attributes, **numbers, **self._times)


def _attributes(measure: Measure, values: tuple[str, ...]) -> dict[str, str]:
    return dict(zip((label.name for label in measure.labels), values, strict=True))


def _unit(name: str) -> str:
    """UCUM's, as the measure's name says."""
    words = name.removesuffix("_total").split("_")
    units = {"seconds": "s", "usd": "{USD}", "rate": "1", "share": "1", "tokens": "{token}"}
    return next((unit for word, unit in units.items() if word in words), "1")
