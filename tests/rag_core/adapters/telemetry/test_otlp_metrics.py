"""What a collector gets of what was measured: the same numbers as Prometheus reads."""

from __future__ import annotations

import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality

from rag_core.adapters.telemetry.otlp import SCHEMA_URL
from rag_core.adapters.telemetry.otlp_metrics import pushed
from rag_core.adapters.telemetry.totals import totals
from rag_core.bootstrap import open_telemetry
from rag_core.correlation import REQUEST_ID
from rag_core.domain import Provenance, Usage
from rag_core.errors import ConfigurationError
from rag_core.events import (
    Answered,
    BreakerChanged,
    CacheLookedUp,
    RequestStarted,
    StepFinished,
)
from rag_core.settings import Settings
from tests.rag_core.adapters.telemetry.collector import attributes, open_collector
from tests.rag_core.adapters.telemetry.metering import Worker

CUMULATIVE = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
FRESH = Answered(Provenance.FRESH, "hf", "llama", Usage(1_000, 90), 0.5, 4_000.0)


async def test_a_collector_gets_every_kind_of_measure() -> None:
    worker = Worker()
    with open_collector() as collector:
        async with pushed(collector.url, lambda: totals(worker.cells.read())):
            worker.tell(FRESH, RequestStarted("/assistant/query"), StepFinished("embed", 8.0))
            worker.tell(CacheLookedUp("answer", "hit"), BreakerChanged("hf", "closed", "open"))
        found = collector.metrics
    queries = found["assistant_queries_total"].sum
    assert queries.is_monotonic
    assert queries.aggregation_temporality == CUMULATIVE
    counted = {tuple(attributes(p.attributes).values()): p.as_double for p in queries.data_points}
    assert counted["FRESH", "stable"] == 1.0
    (under_way,) = found["assistant_concurrent_queries"].sum.data_points
    assert under_way.as_double == 1.0
    assert not found["assistant_concurrent_queries"].sum.is_monotonic
    (breaker,) = found["assistant_breaker_state"].gauge.data_points
    assert (attributes(breaker.attributes), breaker.as_double) == ({"dependency": "hf"}, 2.0)
    (rate,) = found["assistant_cache_hit_rate"].gauge.data_points
    assert rate.as_double == 1.0
    assert found["assistant_query_duration_seconds"].unit == "s"


async def test_a_histogram_has_its_buckets_and_a_summary_its_number_and_sum() -> None:
    worker = Worker()
    with open_collector() as collector:
        async with pushed(collector.url, lambda: totals(worker.cells.read())):
            worker.tell(FRESH, StepFinished("embed", 8.0), StepFinished("embed", 4.0))
        found = collector.metrics
    (point,) = found["assistant_query_duration_seconds"].histogram.data_points
    assert list(point.explicit_bounds) == [0.005, 0.05, 0.5, 2.5, 5.0, 10.0, 30.0]
    assert list(point.bucket_counts) == [0, 0, 0, 0, 1, 0, 0, 0]
    assert (point.count, point.sum) == (1, 4.0)
    assert not point.HasField("max")
    (step,) = found["assistant_step_duration_seconds"].histogram.data_points
    assert (step.count, step.sum) == (2, pytest.approx(0.012))
    assert point.start_time_unix_nano < point.time_unix_nano


async def test_it_says_who_sends_and_by_which_conventions() -> None:
    worker = Worker()
    with open_collector() as collector:
        async with pushed(collector.url, lambda: totals(worker.cells.read())):
            pass
        (sent,) = collector.pushes[-1].resource_metrics
    said = attributes(sent.resource.attributes)
    assert said["service.name"] == "rag_core"
    assert said["service.instance.id"]
    assert sent.scope_metrics[0].schema_url == SCHEMA_URL


async def test_the_settings_name_the_collector_and_what_goes_there() -> None:
    with open_collector() as collector:
        settings = Settings(metrics="otlp", traces="otlp", otlp_endpoint=collector.url)
        async with open_telemetry(settings) as telemetry:
            token = REQUEST_ID.set("abc")
            telemetry.listener(FRESH)
            REQUEST_ID.reset(token)
            assert telemetry.metrics is None
        assert collector.metrics["assistant_queries_total"]
        assert list(collector.spans) == ["assistant.query"]


async def test_without_a_collector_it_says_which_setting_is_missing() -> None:
    with pytest.raises(ConfigurationError, match="RAG_OTLP_ENDPOINT"):
        async with open_telemetry(Settings(metrics="otlp")):
            raise AssertionError("it opened")


async def test_nothing_is_measured_where_nothing_is_asked_for() -> None:
    async with open_telemetry(Settings(metrics="none")) as telemetry:
        telemetry.listener(FRESH)
        assert telemetry.metrics is None
