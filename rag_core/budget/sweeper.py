"""In every process a task that books what was left behind, of dead processes too."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import Context

from rag_core.budget.daily_ledger import DailyLedger
from rag_core.clock import Clock

SWEEP_S = 5.0
"""Seconds between two sweeps of one process."""

_LOG = logging.getLogger(__name__)


@asynccontextmanager
async def swept(ledger: DailyLedger, *, clock: Clock) -> AsyncIterator[DailyLedger]:
    """Sweep the ledger while the block runs, and once when it ends."""
    sweeping = asyncio.create_task(_sweep_on(ledger, clock), context=Context())
    sweeping.add_done_callback(_say_why)
    try:
        yield ledger
    finally:
        sweeping.cancel()
        await asyncio.gather(sweeping, return_exceptions=True)
        await ledger.aclose()


def _say_why(sweeping: asyncio.Task[None]) -> None:
    if not sweeping.cancelled():
        _LOG.critical("the ledger is not swept any more", exc_info=sweeping.exception())


async def _sweep_on(ledger: DailyLedger, clock: Clock) -> None:
    while True:
        await ledger.sweep()
        await clock.sleep(SWEEP_S * random.uniform(0.8, 1.2))
