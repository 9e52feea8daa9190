"""What a log line is made of, whether an event or a library's message is in it."""

from __future__ import annotations

import logging
import sys
from typing import Any, Literal

import msgspec
import structlog
from structlog.typing import EventDict, Processor

from rag_core.adapters.telemetry.masking import mask_fields
from rag_core.correlation import REQUEST_ID, trace_id

Level = Literal["debug", "info", "warning", "error"]
LEVELS: dict[Level, int] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}

Form = Literal["text", "json"]
"""Lines for people, or for programs."""


def renderers(form: Form) -> list[Processor]:
    """The last steps of a line: its time and its form."""
    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
    if form == "text":
        return [stamp, structlog.dev.ConsoleRenderer(colors=False)]
    return [stamp, structlog.processors.JSONRenderer(serializer=_json)]


def _json(fields: Any, **options: Any) -> str:
    return msgspec.json.encode(fields).decode()


def log_to_stderr(level: Level, form: Form) -> None:
    """Let what libraries and rag_core tell `logging` become lines like those of events.

    For a process of one's own: it replaces the handlers of the root logger. Lines of at least
    `level` are written.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_log_level, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                mask_fields,
                _with_request,
                *renderers(form),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=LEVELS[level], force=True)


def _with_request(logger: Any, method: str, fields: EventDict) -> EventDict:
    if request_id := REQUEST_ID.get():
        fields.update(request_id=request_id, trace_id=trace_id())
    return fields
