"""A process that leads a flight for ever: `python leader.py REDIS_URL KEY LEASE_S`."""

from __future__ import annotations

import asyncio
import sys

from rag_core.adapters.redis import RedisFleet, open_client
from rag_core.domain import Answer


async def endless() -> Answer:
    print("leading", flush=True)
    await asyncio.Event().wait()
    raise AssertionError("the event is never set")


async def lead(url: str, key: str, lease_s: float) -> None:
    async with open_client(url, call_timeout_s=30) as client:
        await RedisFleet(client, lease_s=lease_s).run(key, endless)


if __name__ == "__main__":
    asyncio.run(lead(sys.argv[1], sys.argv[2], float(sys.argv[3])))
