"""A collector: takes OTLP over HTTP, and remembers what was sent."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Collector:
    """What came, and the answer that is given to it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.status = 200
        self.traces: list[ExportTraceServiceRequest] = []
        self.pushes: list[ExportMetricsServiceRequest] = []

    @property
    def spans(self) -> dict[str, Span]:
        """All spans, by name; of the same name the last."""
        resources = [each for request in self.traces for each in request.resource_spans]
        scopes = [scope for each in resources for scope in each.scope_spans]
        return {span.name: span for scope in scopes for span in scope.spans}

    @property
    def metrics(self) -> dict[str, Metric]:
        """The metrics of the last push, by name."""
        (pushed,) = self.pushes[-1].resource_metrics
        (scope,) = pushed.scope_metrics
        return {metric.name: metric for metric in scope.metrics}

    def take(self, path: str, body: bytes) -> int:
        if self.status == 200 and path == "/v1/traces":
            self.traces.append(ExportTraceServiceRequest.FromString(body))
        elif self.status == 200 and path == "/v1/metrics":
            self.pushes.append(ExportMetricsServiceRequest.FromString(body))
        return self.status


def attributes(pairs: Any) -> dict[str, Any]:
    """A message's attributes as Python has them."""
    found: dict[str, Any] = {}
    for pair in pairs:
        assert isinstance(pair, KeyValue)
        found[pair.key] = _value(pair.value)
    return found


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    assert kind is not None
    if kind == "array_value":
        return [_value(each) for each in value.array_value.values]
    return getattr(value, kind)


@contextmanager
def open_collector() -> Iterator[Collector]:
    """A collector on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            self.send_response(collector.take(self.path, body))
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *said: object) -> None:
            """Nothing: a test has no use for it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector = Collector(f"http://127.0.0.1:{server.server_address[1]}")
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        yield collector
        server.shutdown()
        serving.join()
