"""Money under a race: many processes before a budget that is nearly spent, killed and cut off."""

from __future__ import annotations

import asyncio
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable
from dataclasses import astuple, replace
from pathlib import Path

from evals.bench.figures import Figure
from evals.bench.ledger_worker import PROVIDER, USERS, WORST, Job, ledger_of
from evals.results.numbers import number
from rag_core.adapters.memory import MemoryCostBook
from rag_core.adapters.postgres import PostgresCosts, open_database
from rag_core.adapters.redis import RedisLedgerStore, open_client
from rag_core.budget import (
    NANO_PER_USD,
    Caps,
    DailyLedger,
    Nano,
    Spent,
    Sums,
    hold_ttl_s,
)
from rag_core.clock import SystemClock
from rag_core.domain import Usage, UserId
from rag_core.embedded import OwnValkey, embedded_stack
from rag_core.errors import BudgetExhausted
from rag_core.migrations import migrate

# Chosen: a fleet, many more requests at once than the budget pays for, and half of them killed.
PROCESSES = 8
REQUESTS = 1_000
ROOM = 300
KILLED = 4
TTL_S = hold_ttl_s(30.0)
ALLOWED = 5
ROUNDS = 2_000


async def raced_budget(folder: Path) -> list[Figure]:
    """Round one: half of the processes die. Round two: Redis loses everything."""
    async with (
        embedded_stack(folder / "stack", valkey=False) as urls,
        OwnValkey(folder / "own") as valkey,
    ):
        migrate(urls.database_url)
        first = Job(
            database_url=urls.database_url,
            redis_url=valkey.url,
            meter=str(folder / "meter"),
            name="one",
            requests=REQUESTS // PROCESSES,
            cap=NANO_PER_USD,
            allowance=ALLOWED * WORST,
            processes=PROCESSES,
            ttl_s=TTL_S,
            patience_s=0.0,
        )
        await _spend_nearly_all(first)
        figures = await _killed(first)
        second = replace(first, name="two", cap=first.cap + ROOM * WORST, patience_s=TTL_S + 15)
        figures += await _lost(second, valkey)
        return figures + await _at_rest(second)


async def _spend_nearly_all(job: Job) -> None:
    """Leave room for so many calls at their worst."""
    cost = job.caps.all_in_ledger - ROOM * WORST
    async with ledger_of(job) as ledger:
        hold = await ledger.hold(UserId("before"), "before", cost)
        await ledger.settle(hold, Spent(PROVIDER.name, PROVIDER.model, Usage(), cost))
    _charge(job, "before", cost)


async def _killed(job: Job) -> list[Figure]:
    async with ledger_of(job):
        workers = [await _worker(replace(job, name=f"one-{n}")) for n in range(PROCESSES)]
        await _go(workers)
        await _until(lambda: _charged_calls(job) > ROOM // 3)
        for worker in workers[:KILLED]:
            worker.kill()
        killed = time.perf_counter()
        held = (await _sums(job)).held
        for worker in workers[KILLED:]:
            await _line(worker)
        await _until(lambda: _nothing_held(job))
        reclaimed_s = time.perf_counter() - killed
        await _gone(workers)
    past = _past(job)
    return [
        Figure(
            f"calls charged of {REQUESTS:,} requests, {PROCESSES} processes",
            f"{_charged_calls(job)}",
            f"room for {ROOM} at their worst",
        ),
        Figure(f"held when {KILLED} processes were killed", _usd(held), ""),
        Figure("$ charged past the cap, processes killed", _usd(past), "0", past == 0),
        Figure(
            "until the last hold of the dead was reclaimed",
            number(reclaimed_s, "s"),
            "≤ 60 s",
            reclaimed_s <= 60,
        ),
    ]


async def _lost(job: Job, valkey: OwnValkey) -> list[Figure]:
    before = _charged_calls(job)
    workers = [await _worker(replace(job, name=f"two-{n}")) for n in range(PROCESSES)]
    await _go(workers)
    await _until(lambda: _charged_calls(job) > before + ROOM // 3)
    await valkey.kill()
    valkey.forget_snapshot()
    await valkey.start()
    lost_at = time.perf_counter()
    async with ledger_of(replace(job, allowance=0)) as ledger:
        await _until(lambda: _gives_money(ledger))
    again_s = time.perf_counter() - lost_at
    for worker in workers:
        await _line(worker)
    await _gone(workers)
    past = _past(job)
    return [
        Figure(
            f"calls charged of {REQUESTS:,} more, Redis restarted empty",
            f"{_charged_calls(job) - before}",
            f"room for {ROOM} more",
        ),
        Figure("$ charged past the cap, Redis lost", _usd(past), "0", past == 0),
        Figure(
            "until the ledger gave money again", number(again_s, "s"), f"a hold lasts {TTL_S:g} s"
        ),
    ]


async def _at_rest(job: Job) -> list[Figure]:
    """Everything told: what the store, the book and the provider say."""
    async with ledger_of(job) as ledger, open_database(job.database_url) as database:
        for _ in range(2):
            await ledger.sweep()
        book, day = PostgresCosts(database), ledger.today()
        users = [None, *(UserId(f"user-{n}") for n in range(USERS))]
        drift = 0
        for user in users:
            spent = (await _sums(job, user)).spent
            drift = max(drift, abs(spent - (await book.totals(day, user)).nano_usd))
        booked = (await book.totals(day)).nano_usd
        sums = await _sums(job)
    left = max(0, job.caps.all_in_ledger - sums.spent)
    more = booked - _charged(job)
    return [
        Figure("Redis − Postgres, of all and of each user", f"{drift} nano-$", "0", drift == 0),
        Figure("held when all has ended", _usd(sums.held), "0", sums.held == 0),
        Figure("not spent, though requests were refused", _usd(left), "< a call", left < WORST),
        Figure("booked beyond what was charged, for the dead", _usd(more), "≥ 0", more >= 0),
    ]


async def hold_and_settle(folder: Path) -> list[Figure]:
    """CPU of this process and round trips, beside a script that does nothing."""
    caps = Caps(user=2**52, all=2**52)
    used = Spent(PROVIDER.name, PROVIDER.model, Usage(1, 1), 1)
    async with OwnValkey(folder / "own") as valkey, open_client(valkey.url) as redis:
        store = RedisLedgerStore(redis, ttl_s=TTL_S)
        ledger = DailyLedger(store, MemoryCostBook(), caps, clock=SystemClock())
        digest = await redis.execute("SCRIPT LOAD", "return 1")

        async def bare(turn: int) -> None:
            await redis.execute("EVALSHA", digest, 0)

        async def ours(turn: int) -> None:
            hold = await ledger.hold(UserId("bench"), f"{turn}", 1_000)
            await ledger.settle(hold, used)

        await ours(-1)
        bare_us = await _cpu_us(bare)
        before = await _scripts_run(redis.execute)
        ours_us = await _cpu_us(ours)
        trips = (await _scripts_run(redis.execute) - before) / ROUNDS
    return [
        Figure("EVALSHA of a trivial script", f"{number(bare_us, 'µs')} CPU", "1 round trip"),
        Figure(
            "hold + settle, without Postgres",
            f"{number(ours_us, 'µs')} CPU",
            f"{ours_us / bare_us:.1f} × as much",
        ),
        Figure("round trips to Redis of hold + settle", f"{trips:.2f}", "2", trips <= 2),
    ]


async def _cpu_us(call: Callable[[int], Awaitable[None]]) -> float:
    began = time.process_time()
    for turn in range(ROUNDS):
        await call(turn)
    return (time.process_time() - began) / ROUNDS * 1e6


async def _scripts_run(execute: Callable[..., Awaitable[object]]) -> int:
    stats = await execute("INFO", "commandstats")
    assert isinstance(stats, dict)
    return sum(
        int(stats.get(f"cmdstat_{name}", {}).get("calls", 0)) for name in ("evalsha", "eval")
    )


async def _worker(job: Job) -> Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "evals.bench.ledger_worker"),
        *map(str, astuple(job)),
        stdin=PIPE,
        stdout=PIPE,
    )


async def _go(workers: list[Process]) -> None:
    for worker in workers:
        await _line(worker)
    for worker in workers:
        _tell(worker)


async def _gone(workers: list[Process]) -> None:
    for worker in workers:
        if worker.returncode is None:
            _tell(worker)
        await worker.communicate()


def _tell(worker: Process) -> None:
    assert worker.stdin is not None
    worker.stdin.write(b"go\n")


async def _line(worker: Process) -> str:
    assert worker.stdout is not None
    return (await worker.stdout.readline()).decode().strip()


async def _until(true: Callable[[], bool | Awaitable[bool]]) -> None:
    async with asyncio.timeout(2 * TTL_S + 60):
        while True:
            result = true()
            if await result if isinstance(result, Awaitable) else result:
                return
            await asyncio.sleep(0.05)


async def _nothing_held(job: Job) -> bool:
    return (await _sums(job)).held == 0


async def _gives_money(ledger: DailyLedger) -> bool:
    try:
        await ledger.release(await ledger.hold(UserId("asks"), f"asks-{time.monotonic_ns()}", 1))
    except BudgetExhausted as refused:
        return refused.scope in ("user", "all")
    return True


async def _sums(job: Job, user: UserId | None = None) -> Sums:
    async with open_client(job.redis_url) as redis:
        store = RedisLedgerStore(redis, ttl_s=job.ttl_s)
        today = DailyLedger(store, MemoryCostBook(), job.caps, clock=SystemClock()).today()
        (sums,) = await store.sums(today, (user,))
    return sums


def _charge(job: Job, call_id: str, cost: Nano) -> None:
    Path(job.meter).write_text(f"{call_id} {cost}\n", encoding="utf-8")


def _meter(job: Job) -> list[Nano]:
    lines = Path(job.meter).read_text(encoding="utf-8").splitlines()
    return [int(line.split()[1]) for line in lines]


def _charged_calls(job: Job) -> int:
    return len(_meter(job)) - 1


def _charged(job: Job) -> Nano:
    return sum(_meter(job))


def _past(job: Job) -> Nano:
    return max(0, _charged(job) - job.cap)


def _usd(nano_usd: Nano) -> str:
    return f"$ {nano_usd / NANO_PER_USD:.6f}" if nano_usd else "$ 0"
