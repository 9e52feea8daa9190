"""Cancelling a task so that it ends: one cancellation may be lost."""

from __future__ import annotations

import asyncio

AGAIN_S = 6.0
"""Seconds between two cancellations; psycopg gives a statement that is cancelled 5 to end."""


async def cancel_for_good(*tasks: asyncio.Task[object], again_s: float = AGAIN_S) -> None:
    """Cancel tasks, return once all have ended; what they raise is left to who awaits them.

    `asyncio.wait_for` of Python 3.11, by which the pools of psycopg and redis wait, loses a
    cancellation that comes together with what it waits for (cpython #86296, mended in 3.12): the
    task goes on, and who waits for its end would do so for ever. So whoever has not ended after
    `again_s` seconds, in which it may clean up, is cancelled again.
    """
    waiting = set(tasks)
    while waiting:
        for task in waiting:
            task.cancel()
        _, waiting = await asyncio.wait(waiting, timeout=again_s)
    await asyncio.gather(*tasks, return_exceptions=True)  # none is "never retrieved"
