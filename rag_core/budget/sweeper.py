"""In every process a task that books what was left behind, of dead processes too."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rag_core.budget.daily_ledger import DailyLedger
from rag_core.clock import Clock, recurring

SWEEP_S = 5.0
"""Seconds between two sweeps of one process."""


@asynccontextmanager
async def swept(ledger: DailyLedger, *, clock: Clock) -> AsyncIterator[DailyLedger]:
    """Sweep the ledger while the block runs, and once when it ends."""
    try:
        async with recurring("the ledger is swept", ledger.sweep, SWEEP_S, clock):
            yield ledger
    finally:
        await ledger.aclose()
