"""Spans of a query: which there are, how they hang together, when they were, what they say."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes
from opentelemetry.semconv.attributes import error_attributes
from opentelemetry.trace.status import StatusCode

from rag_core.adapters.telemetry import genai
from rag_core.adapters.telemetry.otlp_traces import traced
from rag_core.adapters.telemetry.spans import Spans
from rag_core.adapters.telemetry.traces import MAX_OPEN, Traces
from rag_core.clock import ManualClock
from rag_core.correlation import REQUEST_ID, TRACE_PARENT, trace_id
from rag_core.domain import Flag, Provenance, Usage
from rag_core.events import (
    Answered,
    Event,
    ProviderCalled,
    QueryFailed,
    StepFinished,
)
from tests.rag_core.adapters.telemetry.collector import attributes, open_collector

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
BROUGHT = f"00-{TRACE}-{PARENT}-01"
FLAGS = (Flag.OUTPUT_TRUNCATED,)
FRESH = Answered(Provenance.FRESH, "hf", "llama-3.2", Usage(1_000, 90), 0.5, 3_900.0, FLAGS)
S = 1_000_000_000


class Tracing:
    """A listener on a clock that stands still, and the spans that it exported."""

    def __init__(self) -> None:
        self.clock, self.exported = ManualClock(), list[ReadableSpan]()
        spans = Spans(resource=Resource({}), embedder="minilm", ids=random.Random(1))
        self.listener = Traces(spans, self.exported.append, clock=self.clock)

    def tell(self, *events: Event | float) -> None:
        """Seconds to wait, and what is told then."""
        for event in events:
            if isinstance(event, float):
                self.clock.advance(event)
            else:
                self.listener(event)

    @property
    def spans(self) -> dict[str, ReadableSpan]:
        return {span.name: span for span in self.exported}


@contextmanager
def request(request_id: str, parent: str = "") -> Iterator[None]:
    tokens = REQUEST_ID.set(request_id), TRACE_PARENT.set(parent)
    yield
    REQUEST_ID.reset(tokens[0])
    TRACE_PARENT.reset(tokens[1])


def fresh(tracing: Tracing) -> dict[str, ReadableSpan]:
    """The spans of a question that took 3.9 seconds, 3.5 of them a provider."""
    tracing.tell(StepFinished("validate", 1.0), 0.1, StepFinished("embed", 100.0))
    tracing.tell(0.2, StepFinished("retrieve", 200.0), 0.1, StepFinished("context", 100.0))
    tracing.tell(3.5, ProviderCalled("hf", "llama", "ok", 3_500.0), StepFinished("generate", 3500))
    tracing.tell(FRESH)
    return tracing.spans


def test_a_fresh_answer_has_a_span_for_the_whole_and_one_for_each_step() -> None:
    tracing = Tracing()
    with request("abc", BROUGHT):
        spans = fresh(tracing)
    assert list(spans) == [
        *("assistant.embed", "assistant.retrieve", "assistant.build_context", "assistant.generate"),
        "assistant.query",
    ]
    ended = int(tracing.clock.now()) * S + int(tracing.clock.now() % 1 * S)
    times = {
        name: (round((span.start_time - ended) / S, 3), round((span.end_time - ended) / S, 3))
        for name, span in spans.items()
        if span.start_time and span.end_time
    }
    assert times == {
        "assistant.embed": (-3.9, -3.8),
        "assistant.retrieve": (-3.8, -3.6),
        "assistant.build_context": (-3.6, -3.5),
        "assistant.generate": (-3.5, 0),
        "assistant.query": (-3.9, 0),
    }


def test_they_hang_below_the_trace_that_the_request_brought() -> None:
    tracing = Tracing()
    with request("abc", BROUGHT):
        spans = fresh(tracing)
        assert trace_id() == TRACE
    whole = spans.pop("assistant.query")
    assert whole.context is not None
    assert whole.parent is not None
    assert f"{whole.parent.span_id:016x}" == PARENT
    for span in spans.values():
        assert span.parent == whole.context
    ids = {span.context.span_id for span in tracing.exported if span.context}
    assert len(ids) == 5
    assert {span.context.trace_id for span in tracing.exported if span.context} == {int(TRACE, 16)}


@pytest.mark.parametrize(
    ("request_id", "trace"),
    [
        (TRACE, TRACE),
        ("abc", "cf4ab791c62b8d2b2109c90275287816"),
        ("0" * 32, "4d9f1c2f0fcdc6f4f3a02cd9f0f92d0a"),
    ],
)
def test_without_one_the_requests_id_names_the_trace(request_id: str, trace: str) -> None:
    tracing = Tracing()
    with request(request_id):
        tracing.tell(FRESH)
        assert len(trace_id()) == 32
        assert int(trace_id(), 16)
        if request_id != "0" * 32:
            assert trace_id() == trace
        (whole,) = tracing.exported
        assert whole.parent is None
        assert whole.context
        assert f"{whole.context.trace_id:032x}" == trace_id()
    assert trace_id() == ""


def test_outside_of_requests_there_is_no_span() -> None:
    tracing = Tracing()
    tracing.tell(StepFinished("embed", 1.0), FRESH)
    assert tracing.exported == []


def test_a_trace_that_the_caller_leaves_out_is_left_out() -> None:
    tracing = Tracing()
    with request("abc", f"00-{TRACE}-{PARENT}-00"):
        assert fresh(tracing) == {}
    with request("abc"):
        tracing.tell(FRESH)
    assert list(tracing.spans) == ["assistant.query"], "nor are its steps kept for another"


def test_generation_says_who_wrote_what_for_how_many_tokens() -> None:
    tracing = Tracing()
    with request("abc"):
        spans = fresh(tracing)
    assert spans["assistant.generate"].attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "hf",
        "gen_ai.request.model": "llama",
        "gen_ai.response.model": "llama-3.2",
        "gen_ai.usage.input_tokens": 1_000,
        "gen_ai.usage.output_tokens": 90,
        "gen_ai.response.finish_reasons": ("length",),
    }
    assert spans["assistant.embed"].attributes == {
        "gen_ai.operation.name": "embeddings",
        "gen_ai.request.model": "minilm",
    }
    assert spans["assistant.query"].attributes == {
        "gen_ai.operation.name": "invoke_workflow",
        "assistant.request_id": "abc",
        "assistant.variant": "stable",
        "assistant.provenance": "FRESH",
        "assistant.cost_usd": 0.5,
        "assistant.flags": ("output_truncated",),
        "assistant.step.validate_ms": 1.0,
    }


def test_a_provider_that_failed_is_told_of_and_what_answered_instead() -> None:
    tracing = Tracing()
    with request("abc"):
        tracing.tell(ProviderCalled("hf", "llama", "ProviderTimeout", 900.0))
        tracing.tell(StepFinished("generate", 900.0, "ProviderTimeout"), StepFinished("ladder", 2))
        tracing.tell(Answered(Provenance.STALE, "hf", "llama", Usage(), 0.0, 905.0))
    generate = tracing.spans["assistant.generate"]
    assert generate.status.status_code is StatusCode.ERROR
    assert generate.attributes
    assert generate.attributes["error.type"] == "ProviderTimeout"
    (call,) = generate.events
    assert call.attributes
    assert call.attributes["assistant.outcome"] == "ProviderTimeout"
    whole = tracing.spans["assistant.query"]
    assert whole.status.status_code is StatusCode.UNSET
    assert whole.attributes
    assert whole.attributes["assistant.provenance"] == "STALE"


@pytest.mark.parametrize(
    ("error", "status"), [("KeyError", StatusCode.ERROR), ("cancelled", StatusCode.UNSET)]
)
def test_a_question_without_an_answer_has_its_error(error: str, status: StatusCode) -> None:
    tracing = Tracing()
    with request("abc"):
        tracing.tell(QueryFailed(error, 30.0))
    whole = tracing.spans["assistant.query"]
    assert whole.attributes
    assert (whole.attributes["error.type"], whole.status.status_code) == (error, status)


def test_requests_that_overlap_are_kept_apart_and_forgotten_ones_are_few() -> None:
    tracing = Tracing()
    for n in range(2):
        with request(f"r{n}"):
            tracing.tell(StepFinished("embed", float(n)))
    with request("r1"):
        tracing.tell(FRESH)
    assert len(tracing.exported) == 2
    for n in range(MAX_OPEN + 1):
        with request(f"never ends {n}"):
            tracing.tell(StepFinished("embed", 1.0))
    with request("r0"):
        tracing.tell(FRESH)
    assert len(tracing.exported) == 3, "its step was too long ago"


def test_the_names_are_those_of_the_pinned_conventions() -> None:
    ours = {name: value for name, value in vars(genai).items() if str(value).startswith("gen_ai.")}
    assert len(ours) == 7
    assert set(ours.values()) <= {v for v in vars(gen_ai_attributes).values() if type(v) is str}
    assert error_attributes.ERROR_TYPE == genai.ERROR_TYPE
    operations = {each.value for each in gen_ai_attributes.GenAiOperationNameValues}
    assert {genai.CHAT, genai.EMBEDDINGS, genai.RETRIEVAL, genai.WORKFLOW} <= operations


async def test_a_collector_gets_them_when_the_app_stops_at_the_latest() -> None:
    with open_collector() as collector:
        async with traced(collector.url, clock=ManualClock(), embedder="minilm") as listener:
            with request("abc", BROUGHT):
                listener(StepFinished("embed", 5.0))
                listener(FRESH)
        whole, embed = collector.spans["assistant.query"], collector.spans["assistant.embed"]
    assert embed.parent_span_id == whole.span_id
    assert whole.trace_id.hex() == TRACE
    assert whole.parent_span_id.hex() == PARENT
    assert attributes(whole.attributes)["assistant.provenance"] == "FRESH"


async def test_a_collector_that_fails_keeps_nobody_from_answering() -> None:
    with open_collector() as collector:
        collector.status = 400
        async with traced(collector.url, clock=ManualClock(), embedder="minilm") as listener:
            with request("abc"):
                listener(FRESH)
        assert collector.spans == {}
