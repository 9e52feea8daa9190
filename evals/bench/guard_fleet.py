"""A breaker that eight processes share: probes under way at once, and how far views are apart."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from evals.bench.figures import Figure
from evals.results.numbers import number
from rag_core.adapters.redis import RedisBreakerStore, open_client
from rag_core.clock import SystemClock
from rag_core.embedded import OwnValkey
from rag_core.errors import BreakerOpen
from rag_core.events import BreakerState
from rag_core.guard import Breaker, BreakerRules

# Chosen: outages long enough for failed probes, and pauses for the breaker to close.
PROCESSES = 8
OUTAGES = 3
UP_S, DOWN_S = 3.5, 2.5

CALL_S, PAUSE_S = 0.01, 0.01
"""What a call takes, and the pause of its process after it; chosen."""

PATIENCE_S = 1.0
"""For Redis: eight processes on few cores keep each other waiting for more than 50 ms."""

NAME = "bench"
RULES = BreakerRules(open_s=0.5)


@dataclass(slots=True)
class Calls:
    """What one process did; times in seconds since the Unix epoch."""

    admitted: list[float] = field(default_factory=list)
    """When calls were let through a closed breaker."""
    refused: list[float] = field(default_factory=list)
    probes: list[tuple[float, float]] = field(default_factory=list)
    """When each began and ended."""


async def shared_breaker(folder: Path) -> list[Figure]:
    """Outages of what eight processes call; all clocks are this machine's.

    Calls of every other process hang for as long as an outage lasts: only by looking does it know.
    """
    async with OwnValkey(folder / "own") as valkey:
        workers = [await _worker(valkey.url, hangs=turn % 2) for turn in range(PROCESSES)]
        for worker in workers:
            await _line(worker)  # all are ready
        began = time.time() + PATIENCE_S  # until then all is well
        watching = asyncio.create_task(_transitions(valkey.url, began + OUTAGES * (UP_S + DOWN_S)))
        for worker in workers:
            assert worker.stdin
            worker.stdin.write(f"{began}\n".encode())
        fleet = [Calls(**json.loads(await _line(worker))) for worker in workers]
        for worker in workers:
            await worker.wait()
        transitions = await watching
    most = most_at_once([probe for calls in fleet for probe in calls.probes])
    opened = _ends(transitions, "open")
    closed = _ends(transitions, "closed")
    late_open_ms = 1000 * max((_latest(opened, calls.admitted) for calls in fleet), default=0)
    late_closed_ms = 1000 * max((_latest(closed, calls.refused) for calls in fleet), default=0)
    probes = sum(len(calls.probes) for calls in fleet)
    seen = f"{len(opened)} times opened, {len(closed)} closed"
    whole = len(opened) == len(closed) == OUTAGES
    return [
        Figure(f"{PROCESSES} processes, {OUTAGES} outages", seen, f"{OUTAGES} each", whole),
        Figure(f"probes at once, of {probes}", str(most), "≤ 1", most <= 1 <= probes),
        Figure(
            "last call let through after it opened",
            number(late_open_ms, "ms"),
            "≤ 500",
            late_open_ms <= 500,
        ),
        Figure(
            "last call refused after it closed",
            number(late_closed_ms, "ms"),
            "≤ 500",
            late_closed_ms <= 500,
        ),
    ]


def most_at_once(spans: Sequence[tuple[float, float]]) -> int:
    """The largest number of spans (begin, end) that share a moment."""
    steps = sorted([(begin, 1) for begin, _ in spans] + [(end, -1) for _, end in spans])
    under_way = most = 0
    for _, step in steps:
        under_way += step
        most = max(most, under_way)
    return most


def _ends(transitions: list[tuple[BreakerState, float]], state: BreakerState) -> list[float]:
    """When it opened after it was closed, or closed again."""
    begins = [at for each, at in transitions if each == state]
    if state == "closed":
        return begins[1:]  # it began closed
    was_closed = [before for (before, _) in transitions]
    return [
        at
        for before, (each, at) in zip(was_closed, transitions[1:], strict=False)
        if each == "open" and before == "closed"
    ]


def _latest(moments: list[float], calls: list[float]) -> float:
    """The longest time that a call came after a moment, in seconds; of those within a second."""
    after = (at - moment for moment in moments for at in calls)
    return max((late for late in after if 0 < late < 1), default=0.0)


async def _transitions(url: str, until: float) -> list[tuple[BreakerState, float]]:
    """Every state that the server held until then, and when it was entered by its clock."""
    states: list[tuple[BreakerState, float]] = []
    async with open_client(url, call_timeout_s=PATIENCE_S) as redis:
        store = RedisBreakerStore(redis, NAME, timeout_s=PATIENCE_S)
        while time.time() < until:
            circuit = (await store.read()).circuit
            if not states or states[-1] != (circuit.state, circuit.since):
                states.append((circuit.state, circuit.since))
            await asyncio.sleep(0.005)
    return states


async def _worker(url: str, *, hangs: int) -> Process:
    command = [sys.executable, "-m", __name__, url, str(OUTAGES), str(hangs)]
    return await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, limit=2**24)


async def _line(worker: Process) -> str:
    assert worker.stdout
    return (await worker.stdout.readline()).decode()


async def _work(url: str, outages: int, hangs: bool) -> None:
    """One worker: says it is ready, waits for the time at which it begins, says what it did."""
    calls = Calls()
    async with open_client(url, call_timeout_s=PATIENCE_S) as redis:
        store = RedisBreakerStore(redis, NAME, timeout_s=PATIENCE_S)
        breaker = Breaker(NAME, clock=SystemClock(), rules=RULES, store=store)
        print("ready", flush=True)
        began = float(await asyncio.to_thread(sys.stdin.readline))
        while (elapsed := time.time() - began) < outages * (UP_S + DOWN_S):
            down = elapsed % (UP_S + DOWN_S) < DOWN_S
            await _call(breaker, calls, down=down, hangs=hangs)
            await asyncio.sleep(PAUSE_S)
    print(json.dumps(asdict(calls)), flush=True)


async def _call(breaker: Breaker, calls: Calls, *, down: bool, hangs: bool) -> None:
    try:
        ticket = await breaker.admit()
    except BreakerOpen:
        calls.refused.append(time.time())
        return
    began = time.time()
    await asyncio.sleep(CALL_S)
    if ticket.probe:
        calls.probes.append((began, time.time()))
    else:
        calls.admitted.append(began)
        if down and hangs:
            return
    await (breaker.failed(ticket) if down else breaker.succeeded(ticket))


if __name__ == "__main__":
    asyncio.run(_work(sys.argv[1], int(sys.argv[2]), sys.argv[3] == "1"))
