"""One process that spends: asks a provider with a meter, which outlives a kill -9."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from rag_core.adapters.generators import ScriptedGenerator
from rag_core.adapters.postgres import PostgresCosts, open_database
from rag_core.adapters.redis import LEDGER_TIMEOUT_S, RedisLedgerStore, open_client
from rag_core.budget import Caps, DailyLedger, Nano, Spending, price, swept
from rag_core.clock import SystemClock
from rag_core.domain import Usage, UserId
from rag_core.errors import BudgetExhausted
from rag_core.events import ignore

PROVIDER = ScriptedGenerator([])
PROMPT_TOKENS, MAX_TOKENS = 1_000, 400
WORST: Nano = price(PROVIDER.prices, Usage(PROMPT_TOKENS, MAX_TOKENS))
USERS = 50
"""Who the requests come from in turn; chosen."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker is told on its command line.

    Args:
        cap: of all, and of each user, in nano-dollars.
        patience_s: for how long a request that is refused asks again.
    """

    database_url: str
    redis_url: str
    meter: str
    name: str
    requests: int
    cap: Nano
    allowance: Nano
    processes: int
    ttl_s: float
    patience_s: float

    @property
    def caps(self) -> Caps:
        """The caps, with what is kept back for allowances."""
        return Caps(user=self.cap, all=self.cap, allowance=self.allowance, processes=self.processes)

    @classmethod
    def read(cls, words: list[str]) -> Job:
        """The job that `words` describe."""
        database_url, redis_url, meter, name, requests, cap, allowance, processes, ttl, wait = words
        numbers = int(requests), int(cap), int(allowance), int(processes)
        return cls(database_url, redis_url, meter, name, *numbers, float(ttl), float(wait))


@asynccontextmanager
async def ledger_of(job: Job) -> AsyncIterator[DailyLedger]:
    """The ledger as a process has it, swept."""
    async with (
        open_database(job.database_url, read_connections=2, write_connections=2) as database,
        open_client(job.redis_url, call_timeout_s=LEDGER_TIMEOUT_S) as redis,
    ):
        store = RedisLedgerStore(redis, ttl_s=job.ttl_s)
        ledger = DailyLedger(store, PostgresCosts(database), job.caps, clock=SystemClock())
        async with swept(ledger, clock=SystemClock()):
            yield ledger


async def _work(job: Job) -> None:
    logging.getLogger("rag_core").setLevel(logging.CRITICAL)  # outages are made here on purpose
    meter = os.open(job.meter, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    async with ledger_of(job) as ledger:
        limit_s = job.ttl_s / 2
        spending = Spending(ledger, listener=ignore, call_limit_s=limit_s)
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        until = time.monotonic() + job.patience_s
        requests = (_request(job, spending, meter, n, until) for n in range(job.requests))
        served = await asyncio.gather(*requests)
        await spending.drained()
        print(sum(served), flush=True)
        await asyncio.to_thread(sys.stdin.readline)  # sweeps on until it is told to go


async def _request(job: Job, spending: Spending, meter: int, number: int, until: float) -> bool:
    """Whether the request was paid for; asks again while it is refused and has patience."""
    chance = random.Random(f"{job.name} {number}")
    user = UserId(f"user-{number % USERS}")
    for attempt in range(10_000):
        call_id = f"{job.name}-{number}-{attempt}"
        try:
            await _call(spending, meter, user, call_id, chance)
        except BudgetExhausted:
            if time.monotonic() >= until:
                return False
            await asyncio.sleep(chance.uniform(0.5, 1.5))
            continue
        return True
    return False


async def _call(
    spending: Spending, meter: int, user: UserId, call_id: str, chance: random.Random
) -> None:
    usage = Usage(PROMPT_TOKENS, chance.randrange(1, MAX_TOKENS + 1))
    async with spending.paid(user, call_id, PROVIDER, PROMPT_TOKENS, MAX_TOKENS) as paid:
        charged = price(PROVIDER.prices, usage)
        os.write(meter, f"{call_id} {charged}\n".encode())  # charged from here on, whatever comes
        await asyncio.sleep(chance.uniform(0.2, 1.0))
        paid.used(usage)


if __name__ == "__main__":
    asyncio.run(_work(Job.read(sys.argv[1:])))
