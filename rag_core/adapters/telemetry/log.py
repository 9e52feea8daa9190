"""Events as log lines on standard error."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

from rag_core.adapters.telemetry.lines import LEVELS, Form, Level, renderers
from rag_core.adapters.telemetry.masking import mask
from rag_core.correlation import REQUEST_ID, trace_id
from rag_core.domain.cost import Usage
from rag_core.events import (
    AlertRaised,
    AlertUndelivered,
    Answered,
    AttackRefused,
    BreakerChanged,
    CacheLookedUp,
    Event,
    LeakBlocked,
    QueryFailed,
    RateLimited,
    RequestServed,
    RequestShed,
    SearchFellShort,
    SigningKeysFetched,
)


class LogListener:
    """Writes each event of at least `level`, each line with the ids of its request and trace.

    Warning: leaks, searches that fell short, breakers that change, alerts that do not reach a
    listener, requests that failed by our fault, an identity provider whose keys cannot be fetched.
    Info: one line an answer or a failure, attacks, alerts, Redis away, requests turned away. All
    else is debug. Nothing secret is in a line.
    """

    def __init__(self, level: Level = "warning", form: Form = "json") -> None:
        self._log: structlog.typing.FilteringBoundLogger = structlog.wrap_logger(
            structlog.PrintLogger(sys.stderr),
            wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
            processors=[structlog.processors.add_log_level, *renderers(form)],
        ).bind()
        self._threshold = LEVELS[level]

    def __call__(self, event: Event) -> None:
        """Write the event, if its level is high enough."""
        level = _level(event)
        if level >= self._threshold:  # most events are not written: make them cheap
            self._log.log(level, type(event).__name__, **_fields(event))


_FOREIGN = frozenset({"reason", "outcome"})
"""Fields that may hold somebody else's words."""


def _fields(event: Event) -> dict[str, Any]:
    found = {name: getattr(event, name) for name in event.__struct_fields__}
    if isinstance(usage := found.get("usage"), Usage):
        found["usage"] = {
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
        }
    elif isinstance(event, CacheLookedUp):
        found["cache"] = found.pop("level")  # a log line has a level of its own
    for name in _FOREIGN & found.keys():
        found[name] = mask(found[name])
    if request_id := REQUEST_ID.get():
        found |= {"request_id": request_id, "trace_id": trace_id()}
    return found


_LEVEL: dict[type[Event], int] = {
    LeakBlocked: logging.WARNING,
    SearchFellShort: logging.WARNING,
    BreakerChanged: logging.WARNING,
    AlertUndelivered: logging.WARNING,
    Answered: logging.INFO,
    QueryFailed: logging.INFO,
    AttackRefused: logging.INFO,
    AlertRaised: logging.INFO,
    RateLimited: logging.INFO,
    RequestShed: logging.INFO,
}
"""Of the classes that always have one; the others are debug, but for what `_depending` says."""

_DEPENDING = frozenset({SigningKeysFetched, RequestServed, CacheLookedUp})


def _level(event: Event) -> int:
    kind = type(event)
    return _depending(event) if kind in _DEPENDING else _LEVEL.get(kind, logging.DEBUG)


def _depending(event: Event) -> int:
    match event:
        case SigningKeysFetched(outcome=outcome) if outcome != "ok":
            return logging.WARNING
        case RequestServed(status=status) if status in (500, 502, 504):
            return logging.WARNING
        case CacheLookedUp(outcome="unavailable"):
            return logging.INFO
        case _:
            return logging.DEBUG
