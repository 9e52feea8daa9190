"""One checkout's side of a probe: answers on stdin's orders, and says how long each call took.

Run by its path with PYTHONPATH set to the checkout that is timed, which may be older than this
file: it uses nothing but what that checkout has had for long. The first line names the notes, the
user, the questions and a folder of kept vectors; each line after it a source and how many calls;
each answer is a line of milliseconds.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from evals.datasets.corpus import held_open
from evals.measures.kept_vectors import kept_vectors
from evals.project import project_settings
from rag_core.adapters.documents import read_notes
from rag_core.bootstrap import assemble
from rag_core.domain import authenticated

Call = Callable[[str], Awaitable[object]]


async def work(asked: Mapping[str, Any]) -> None:
    """Store the notes, then time what is ordered until stdin ends."""
    async with AsyncExitStack() as open_:
        calls = await _calls(asked, open_)
        questions = {source: itertools.cycle(asked["questions"]) for source in calls}
        for question in asked["questions"]:  # caches filled, statements prepared
            for call in calls.values():
                await call(question)
        _say(sorted(calls))
        while order := await asyncio.to_thread(sys.stdin.readline):
            source, count = json.loads(order)
            _say([await _timed(calls[source], next(questions[source])) for _ in range(count)])


async def _calls(asked: Mapping[str, Any], open_: AsyncExitStack) -> dict[str, Call]:
    """What is timed, by source: search and context of known vectors, answers new and cached."""
    settings = await open_.enter_async_context(held_open(project_settings()))
    cached = await open_.enter_async_context(assemble(settings))
    user = authenticated(asked["user"])
    off = settings.model_copy(update={"cache": "off"})
    embedder, tokenizer = cached.embedder, cached.tokenizer
    fresh = await open_.enter_async_context(assemble(off, embedder=embedder, tokenizer=tokenizer))
    known = open_.enter_context(kept_vectors(embedder, Path(asked["vectors"])))
    search = await open_.enter_async_context(assemble(off, embedder=known, tokenizer=tokenizer))
    await search.ingest.run(user, await asyncio.to_thread(read_notes, Path(asked["notes"])))
    return {
        "retrieval": lambda question: search.pipeline.retrieve(question, user),
        "FRESH": lambda question: fresh.pipeline.answer(question, user),
        "CACHED": lambda question: cached.pipeline.answer(question, user),
    }


async def _timed(call: Call, question: str) -> float:
    """Milliseconds of one call."""
    began = time.perf_counter()
    await call(question)
    return (time.perf_counter() - began) * 1000


def _say(value: object) -> None:
    print(json.dumps(value), flush=True)


if __name__ == "__main__":
    asyncio.run(work(json.loads(sys.stdin.readline())))
