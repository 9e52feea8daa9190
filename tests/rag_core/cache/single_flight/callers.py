"""Callers of a flight, from their coming to their going."""

from __future__ import annotations

import asyncio

from rag_core.cache import SingleFlight
from rag_core.domain import Answer
from tests.rag_core.cache.parts import Work, settled

Given = tuple[list[str], Answer, bool]
"""The pieces that a caller got, the answer, and whether it is the one that pays."""


async def take(flights: SingleFlight, work: Work, key: str = "key") -> Given:
    """One caller from its coming to its going."""
    async with flights.join(key, work)[0] as flight:
        pieces = [piece async for piece in flight.pieces()]
        return pieces, await flight.answer(), flight.claim()


async def ask(
    flights: SingleFlight, work: Work, *, times: int = 1, key: str = "key"
) -> list[asyncio.Task[Given]]:
    """So many callers that all wait by now."""
    tasks = [asyncio.create_task(take(flights, work, key)) for _ in range(times)]
    await settled(*tasks)
    return tasks
