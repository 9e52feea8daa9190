"""Listeners, one backend a file; and the trace of who asked what when.

What needs prometheus_client or OpenTelemetry is not imported with the room: `rag_core.bootstrap`
asks its files for it where the settings name it.
"""

from __future__ import annotations

# fmt: off
from rag_core.adapters.telemetry.lines import Form, Level, log_to_stderr
from rag_core.adapters.telemetry.log import LogListener
from rag_core.adapters.telemetry.masking import MASK, mask, masked
from rag_core.adapters.telemetry.trace_file import NoTrace, Trace, TraceFile, open_trace_file

__all__ = [
    "MASK", "Form", "Level", "LogListener", "NoTrace", "Trace", "TraceFile", "log_to_stderr",
    "mask", "masked", "open_trace_file",
]
