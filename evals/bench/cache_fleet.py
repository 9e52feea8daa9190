"""Single-flight over several processes: how many LLM calls, and how soon a dead leader's heir."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from asyncio.subprocess import Process
from pathlib import Path

from redis.asyncio import Redis

from evals.bench.figures import Figure
from evals.bench.world import QUESTION, USER, bench, bench_settings, scripted
from evals.results.numbers import number
from rag_core.adapters.embedders import HashingEmbedder
from rag_core.adapters.redis import LEASE_S
from rag_core.bootstrap import assemble
from rag_core.domain import WholeNoteChunker

# Chosen: a small fleet, and far more questions at once than it has processes.
PROCESSES = 4
MISSES = 1_000


async def simultaneous_misses(folder: Path) -> list[Figure]:
    """The same question, asked 1,000 times at once by 4 processes."""
    async with bench(folder, chunks=500) as world:
        workers = [
            await _worker(world.database_url, world.redis_url, MISSES // PROCESSES, 1.0)
            for _ in range(PROCESSES)
        ]
        for worker in workers:
            await _line(worker)  # all are ready
        for worker in workers:
            _go(worker)
        calls = answers = 0
        for worker in workers:
            made, given = (await _line(worker)).split()
            calls, answers = calls + int(made), answers + int(given)
            await worker.wait()
    met = calls == 1 and answers == MISSES
    return [
        Figure(f"answers to {MISSES:,} misses, {PROCESSES} processes", f"{answers:,}", "1,000"),
        Figure("LLM calls they made", str(calls), "exactly 1", met),
    ]


async def killed_leader(folder: Path) -> list[Figure]:
    """kill -9 of the process that generates, while another follows."""
    async with bench(folder, chunks=500) as world:
        leader = await _worker(world.database_url, world.redis_url, 1, 60.0)
        follower = await _worker(world.database_url, world.redis_url, 1, 0.0)
        await _line(leader)
        await _line(follower)
        redis: Redis = Redis.from_url(world.redis_url)
        _go(leader)
        flight = b""
        while not flight:
            flight = next(iter([k async for k in redis.scan_iter("rag:*:flight:*")]), b"")
        _go(follower)
        await asyncio.sleep(2 * LEASE_S)  # renewed meanwhile: the follower is following
        leader.send_signal(signal.SIGKILL)
        killed = time.perf_counter()
        left_ms = await redis.pttl(flight)
        await redis.aclose()
        calls, _ = (await _line(follower)).split()
        waited_ms = (time.perf_counter() - killed) * 1000
        await asyncio.gather(leader.wait(), follower.wait())
    after_ms = waited_ms - left_ms
    return [
        Figure("lease left when the leader died", f"{left_ms} ms", f"of {LEASE_S * 1000:.0f}"),
        Figure(
            "answer after that lease's end", number(after_ms, "ms"), "≤ 1,000", after_ms <= 1000
        ),
        Figure("LLM calls by the heir", calls, "1", calls == "1"),
    ]


async def _worker(database_url: str, redis_url: str, asks: int, latency_s: float) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, database_url, redis_url, str(asks), str(latency_s),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def _line(worker: Process) -> str:
    assert worker.stdout is not None
    return (await worker.stdout.readline()).decode().strip()


def _go(worker: Process) -> None:
    assert worker.stdin is not None
    worker.stdin.write(b"go\n")


async def _work(database_url: str, redis_url: str, asks: int, latency_s: float) -> None:
    """One worker: says it is ready, waits for a word, asks, says what came of it."""
    generator = scripted(latency_s)
    async with assemble(
        bench_settings(database_url, redis_url),
        embedder=HashingEmbedder(),
        generator=generator,
        chunker=WholeNoteChunker(),
    ) as application:
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        answers = await asyncio.gather(
            *(application.pipeline.answer(QUESTION, USER) for _ in range(asks))
        )
        print(generator.calls, sum(bool(a.citations) for a in answers), flush=True)


if __name__ == "__main__":
    database, redis, asks, latency = sys.argv[1:]
    asyncio.run(_work(database, redis, int(asks), float(latency)))
