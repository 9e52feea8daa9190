"""Listeners: one backend a file."""

from __future__ import annotations

from rag_core.adapters.telemetry.log import LogListener

__all__ = [
    "LogListener",
]
