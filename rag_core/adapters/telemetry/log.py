"""Events as structured log lines on standard error."""

from __future__ import annotations

import logging
import sys
from dataclasses import asdict
from typing import Literal

import structlog

from rag_core.events import (
    REQUEST_ID,
    AlertRaised,
    AlertUndelivered,
    Answered,
    AttackRefused,
    BreakerChanged,
    CacheLookedUp,
    Event,
    LeakBlocked,
    SearchFellShort,
    SigningKeysFetched,
)

Level = Literal["debug", "info", "warning", "error"]


class LogListener:
    """Writes each event of at least `level`, each line with the id of its request.

    Warning: leaks, searches that fell short, breakers that change, alerts that do not reach a
    listener, an identity provider whose keys cannot be fetched. Info: one line an answer, attacks,
    alerts, Redis away. All else is debug.
    """

    def __init__(self, level: Level = "warning") -> None:
        self._log: structlog.typing.FilteringBoundLogger = structlog.wrap_logger(
            structlog.PrintLogger(sys.stderr),
            wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.JSONRenderer(),
            ],
        )
        self._threshold = _LEVELS[level]

    def __call__(self, event: Event) -> None:
        """Write the event, if its level is high enough."""
        level = _level(event)
        if level >= self._threshold:  # most events are not written: make them cheap
            fields = asdict(event)
            if request_id := REQUEST_ID.get():
                fields["request_id"] = request_id
            if isinstance(event, CacheLookedUp):
                fields["cache"] = fields.pop("level")  # a log line has a level of its own
            self._log.log(level, type(event).__name__, **fields)


_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


def _level(event: Event) -> int:
    match event:
        case LeakBlocked() | SearchFellShort() | BreakerChanged() | AlertUndelivered():
            return logging.WARNING
        case SigningKeysFetched(outcome=outcome) if outcome != "ok":
            return logging.WARNING
        case Answered() | AttackRefused() | AlertRaised():
            return logging.INFO
        case CacheLookedUp(outcome="unavailable"):
            return logging.INFO
        case _:
            return logging.DEBUG
