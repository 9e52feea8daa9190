"""A process that leads a flight for ever: `python leader.py REDIS_URL KEY LEASE_S`."""

from __future__ import annotations

import asyncio
import sys

from rag_core.adapters.redis.flights import RedisFlights
from rag_core.adapters.redis.link import open_link

from rag_core.answer import Answer
from rag_core.clock import SystemClock


async def endless() -> Answer:
    print("leading", flush=True)
    await asyncio.Event().wait()
    raise AssertionError("the event is never set")


async def lead(url: str, key: str, lease_s: float) -> None:
    clock = SystemClock()
    async with open_link(url, clock=clock, call_timeout_s=30) as link:
        await RedisFlights(link, clock=clock, lease_s=lease_s).run(key, endless)


if __name__ == "__main__":
    asyncio.run(lead(sys.argv[1], sys.argv[2], float(sys.argv[3])))
