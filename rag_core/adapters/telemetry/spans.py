"""The spans of a query, with the attributes that the conventions for GenAI name."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event as SpanEvent
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, TraceFlags
from opentelemetry.trace.status import Status, StatusCode

from rag_core.adapters.telemetry import genai
from rag_core.adapters.telemetry.otlp import SCOPE
from rag_core.domain.answer import Flag
from rag_core.events import Answered, ProviderCalled, QueryFailed, StepFinished

NAMES = {
    "embed": "assistant.embed",
    "retrieve": "assistant.retrieve",
    "context": "assistant.build_context",
    "generate": "assistant.generate",
}
"""Steps that have a span of their own; others are attributes of the whole query's."""

WHOLE = "assistant.query"

Attributes = dict[str, Any]

_NS_PER_MS = 1_000_000
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_NOBODYS = ("", "cancelled")


@dataclass(frozen=True, slots=True)
class FinishedQuery:
    """What is known of a request when it ends; times in nanoseconds since the Unix epoch."""

    end: Answered | QueryFailed
    ended_ns: int
    request_id: str
    trace_id: str
    """32 hex digits."""
    parent: str
    """The `traceparent` that the request brought; empty for the root of a trace."""
    events: Sequence[tuple[StepFinished | ProviderCalled, int]]
    """What came before, each with its time."""


class Spans:
    """Makes the spans of one process.

    Args:
        embedder: the model's name.
        ids: of spans; they need not be secret.
    """

    def __init__(
        self, *, resource: Resource, embedder: str, ids: random.Random | None = None
    ) -> None:
        self._resource, self._embedder = resource, embedder
        self._ids = ids or random.Random()

    def of(self, query: FinishedQuery) -> Iterator[ReadableSpan]:
        """The spans of `query`: its steps, then the whole."""
        trace = int(query.trace_id, 16)
        whole = self._context(trace)
        for event, ended_ns in query.events:
            if isinstance(event, StepFinished) and event.step in NAMES:
                yield self._step(event, ended_ns, query, whole)
        error = query.end.error if isinstance(query.end, QueryFailed) else ""
        parent = _context_of(query.parent) if query.parent else None
        yield self._span(
            WHOLE, query.ended_ns, query.end.total_ms, whole, parent, _of_whole(query), error
        )

    def _step(
        self, step: StepFinished, ended_ns: int, query: FinishedQuery, whole: SpanContext
    ) -> ReadableSpan:
        return self._span(
            NAMES[step.step],
            ended_ns,
            step.elapsed_ms,
            self._context(whole.trace_id),
            whole,
            self._of_step(step, query),
            step.error,
            tuple(_calls(query)) if step.step == "generate" else (),
        )

    def _span(
        self,
        name: str,
        ended_ns: int,
        elapsed_ms: float,
        context: SpanContext,
        parent: SpanContext | None,
        attributes: Attributes,
        error: str,
        events: tuple[SpanEvent, ...] = (),
    ) -> ReadableSpan:
        if error:
            attributes[genai.ERROR_TYPE] = error
        return ReadableSpan(
            name,
            context,
            parent,
            self._resource,
            attributes,
            events,
            status=_UNSET if error in _NOBODYS else _ERROR,
            start_time=ended_ns - int(elapsed_ms * _NS_PER_MS),
            end_time=ended_ns,
            instrumentation_scope=SCOPE,
        )

    def _context(self, trace: int) -> SpanContext:
        return SpanContext(trace, self._ids.getrandbits(64) or 1, False, _SAMPLED)

    def _of_step(self, step: StepFinished, query: FinishedQuery) -> Attributes:
        match step.step:
            case "embed":
                return {genai.OPERATION: genai.EMBEDDINGS, genai.REQUEST_MODEL: self._embedder}
            case "retrieve":
                return {genai.OPERATION: genai.RETRIEVAL}
            case "generate":
                return _of_generation(step, query)
            case _:
                return {}


_UNSET, _ERROR = Status(StatusCode.UNSET), Status(StatusCode.ERROR)


def _context_of(parent: str) -> SpanContext:
    _, trace, span, _ = parent.split("-", 3)
    return SpanContext(int(trace, 16), int(span, 16), True, _SAMPLED)


def _of_whole(query: FinishedQuery) -> Attributes:
    end, steps = query.end, [event for event, _ in query.events]
    attributes: Attributes = {
        genai.OPERATION: genai.WORKFLOW,
        "assistant.request_id": query.request_id,
        "assistant.variant": end.variant,
    }
    for step in steps:
        if isinstance(step, StepFinished) and step.step not in NAMES:
            attributes[f"assistant.step.{step.step}_ms"] = step.elapsed_ms
    if isinstance(end, Answered):
        attributes["assistant.provenance"] = end.provenance.value
        attributes["assistant.cost_usd"] = end.cost_usd
        if end.flags:
            attributes["assistant.flags"] = tuple(flag.value for flag in end.flags)
    return attributes


def _of_generation(step: StepFinished, query: FinishedQuery) -> Attributes:
    calls = [event for event, _ in query.events if isinstance(event, ProviderCalled)]
    attributes: Attributes = {genai.OPERATION: genai.CHAT}
    if calls:
        attributes |= {genai.PROVIDER: calls[-1].provider, genai.REQUEST_MODEL: calls[-1].model}
    end = query.end
    if isinstance(end, Answered) and not step.error:
        attributes |= {
            genai.PROVIDER: end.generator,
            genai.RESPONSE_MODEL: end.model,
            genai.INPUT_TOKENS: end.usage.input_tokens,
            genai.OUTPUT_TOKENS: end.usage.output_tokens,
        }
        if Flag.OUTPUT_TRUNCATED in end.flags:
            attributes[genai.FINISH_REASONS] = ("length",)
    return attributes


def _calls(query: FinishedQuery) -> Iterator[SpanEvent]:
    """Each call of a provider, as what happened within the generation."""
    for event, ended_ns in query.events:
        if isinstance(event, ProviderCalled):
            attributes: Attributes = {
                genai.PROVIDER: event.provider,
                genai.REQUEST_MODEL: event.model,
                "assistant.outcome": event.outcome,
                "assistant.elapsed_ms": event.elapsed_ms,
                "assistant.hedge": event.hedge,
            }
            yield SpanEvent("assistant.provider_call", attributes, ended_ns)
