"""Saving one note: beside many others, and whatever Redis does meanwhile."""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from pathlib import Path

from redis.asyncio import Redis

from evals.bench.figures import Figure
from evals.bench.world import Bench, bench, notes, with_and_without_redis
from evals.results.numbers import number
from rag_core.bootstrap import Application
from rag_core.domain import Note, UserId

# Chosen: saves that are timed, and the notes of a large library.
ROUNDS = 60
MANY = 50_000

_pages = itertools.count()


async def many_notes(folder: Path) -> list[Figure]:
    """A user of 50,000 notes and one of a single note, in alternating rounds."""
    few, many = UserId("few"), UserId("many")
    async with bench(folder, chunks=1, cache="memory") as world:
        await world.application.ingest.run(many, _short_notes(MANY))
        await world.application.ingest.run(few, _short_notes(1))
        times: dict[UserId, list[float]] = {few: [], many: []}
        for _ in range(ROUNDS):
            for user, spent in times.items():
                spent.append(await _save_ms(world.application, user))
    one, beside = statistics.median(times[few]), statistics.median(times[many])
    ratio = beside / one
    return [
        Figure("saving a note beside one other", number(one, "ms"), "p50"),
        Figure(f"saving a note beside {MANY:,}", number(beside, "ms"), "p50"),
        Figure("beside many / beside one", number(ratio, "×"), "≤ 1.5 ×", ratio <= 1.5),
    ]


async def redis_states(folder: Path) -> list[Figure]:
    """Saving with Redis up, full, frozen and gone, each beside saving without any Redis."""
    figures = []
    async with with_and_without_redis(folder, chunks=100) as (valkey, application, world):
        figures.append(await _beside_none("up", application, world))
        async with Redis.from_url(valkey.url) as redis:
            await redis.config_set("maxmemory-policy", "noeviction")
            await redis.config_set("maxmemory", "1")
        figures.append(await _beside_none("full", application, world))
        with valkey.frozen():
            figures.append(await _beside_none("frozen", application, world))
        await valkey.kill()
        figures.append(await _beside_none("down", application, world))
    return figures


async def _beside_none(state: str, application: Application, world: Bench) -> Figure:
    """Questions come in meanwhile, so that the state of Redis is known."""
    with_redis, without = [], []
    for turn in range(ROUNDS):
        if turn % 10 == 0:
            question = f"What of the covenant, {state} {turn}?"
            await asyncio.gather(application.pipeline.answer(question, UserId("bench")))
        with_redis.append(await _save_ms(application, UserId("saver")))
        without.append(await _save_ms(world.application, UserId("saver")))
    ratio = statistics.median(with_redis) / statistics.median(without)
    p50 = f"{number(statistics.median(with_redis), 'ms')}, {number(ratio, '×')} without Redis"
    return Figure(f"saving a note, Redis {state}", p50, "0.8 to 1.2 ×", 0.8 <= ratio <= 1.2)


async def _save_ms(application: Application, user: UserId) -> float:
    note = Note(id="edited", title="", body=f"Page {next(_pages)} of zebra accounting.")
    began = time.perf_counter()
    report = await application.ingest.run(user, [note])
    assert report.notes_written == 1
    return (time.perf_counter() - began) * 1000


def _short_notes(count: int) -> list[Note]:
    return [Note(id=note.id, title="", body=note.body[:80]) for note in notes(count)]
