"""What share of the machine's cores a process takes."""

from __future__ import annotations

from rag_core.adapters.embedders import available_cores
from rag_core.settings import Settings


def own_cores(settings: Settings) -> int:
    """Number of cores that this process may compute on: its fellow workers have the others."""
    return max(1, available_cores() // settings.workers)
