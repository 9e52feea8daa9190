"""A worker that probes: `python prober.py REDIS_URL NAME PROBES LEASE_S`.

It makes probes until the fleet has made so many, and counts in Redis how many are under way at
once. With no number of probes it begins one and never ends it.
"""

from __future__ import annotations

import asyncio
import sys

from rag_core.adapters.redis import RedisBreakerStore, RedisClient, open_client
from rag_core.clock import ManualClock, SystemClock
from rag_core.errors import BreakerOpen
from rag_core.guard import VIEW_S, Breaker, BreakerRules, Ticket
from tests.rag_core.cache.parts import PATIENCE_S

_BEGUN = """
local under_way = redis.call('HINCRBY', KEYS[1], 'under way', 1)
if under_way > tonumber(redis.call('HGET', KEYS[1], 'most') or '0') then
    redis.call('HSET', KEYS[1], 'most', under_way)
end
"""
_ENDED = """
redis.call('HINCRBY', KEYS[1], 'under way', -1)
return redis.call('HINCRBY', KEYS[1], 'ended', 1)
"""


def rules(lease_s: float) -> BreakerRules:
    """Open for no time, half-open for ever."""
    return BreakerRules(failures=1, open_s=1e-9, probes=1_000_000, lease_s=lease_s)


async def probe(client: RedisClient, name: str, probes: int, lease_s: float) -> None:
    clock = ManualClock(SystemClock().now())
    store = RedisBreakerStore(client, name, timeout_s=PATIENCE_S)
    breaker = Breaker(name, clock=clock, rules=rules(lease_s), store=store)
    ended = 0
    while ended < probes or not probes:
        clock.advance(VIEW_S)  # so that it looks each time
        try:
            ticket = await breaker.admit()
        except BreakerOpen:
            (counted,) = await client.execute("HMGET", f"{{{name}}}", "ended")
            ended = int(counted or 0)
            continue
        if not ticket.probe:
            await breaker.failed(ticket)
        else:
            ended = await made(breaker, ticket, client, name, for_ever=not probes)


async def made(
    breaker: Breaker, ticket: Ticket, client: RedisClient, name: str, *, for_ever: bool
) -> int:
    await client.execute("EVAL", _BEGUN, 1, f"{{{name}}}")
    if for_ever:
        print("probing", flush=True)
        await asyncio.Event().wait()
    ended = await client.execute("EVAL", _ENDED, 1, f"{{{name}}}")
    await breaker.succeeded(ticket)
    return int(ended)


async def main(url: str, name: str, probes: str, lease_s: str) -> None:
    async with open_client(url, call_timeout_s=PATIENCE_S) as client:
        await probe(client, name, int(probes), float(lease_s))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
