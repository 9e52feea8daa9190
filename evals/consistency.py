"""Does a cache ever serve changed evidence? Many workers, two users, and everything that fails.

Clients ask, edit and delete at random through several pipelines over one real Valkey, while
requests and replies are lost, writers crash between announcing and confirming, keys are evicted,
the clock jumps, and the server is killed and comes back empty or with an old snapshot. Every
answer says which versions of which notes it rests on; each must have been the committed one at
some moment while the question was being answered.

    python -m evals.consistency --steps 100000
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Literal, NoReturn

from rag_core.adapters.redis.epochs import RedisEpochs
from rag_core.adapters.redis.flights import RedisFlights
from rag_core.adapters.redis.link import open_link
from rag_core.cache.levels import AnswerTtl, CacheLevels
from tqdm import tqdm

from evals.consistency_world import (
    Crash,
    CrashingBoard,
    EchoGenerator,
    HistoricNotes,
    History,
    LossyLink,
    Mention,
    MortalValkey,
    let_others_go,
    mentions,
)
from rag_core.adapters.embedders.hashing import HashingEmbedder
from rag_core.adapters.llama_tokenizer import LlamaTokenizer
from rag_core.adapters.redis.answers import RedisAnswerCache
from rag_core.adapters.redis.embeddings import RedisEmbeddingCache
from rag_core.answer import Answer, Provenance
from rag_core.budgets import Budgets
from rag_core.cache.answers import AnswerCache, Look
from rag_core.cache.contexts import ContextCache
from rag_core.cache.epochs import EpochBoard, NoBoard
from rag_core.chunks import WholeNoteChunker
from rag_core.clock import ManualClock, SystemClock
from rag_core.events import ignore
from rag_core.guard.breaker import Breaker
from rag_core.ingest import Ingest
from rag_core.notes import Note
from rag_core.pipeline import Pipeline
from rag_core.user import UserId

USERS = (UserId("anna"), UserId("boas"))
TOPICS = ("grace", "mercy", "exile", "harvest", "temple")

Broken = Literal["nothing", "epoch check", "announcement"]
"""What is broken on purpose, to see that this test would notice."""


@dataclass(slots=True)
class Outcome:
    """What a run saw."""

    steps: int = 0
    changed_evidence: int = 0
    """Answers resting on a version that was not committed at any moment of the request."""
    other_user: int = 0
    """Answers that mention a note of someone else."""
    provenances: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    seconds: float = 0.0


class TrustingCache:
    """An AnswerCache with the epoch check broken: every entry looks current."""

    def __init__(self, cache: AnswerCache) -> None:
        self._cache = cache
        self.store, self.size = cache.store, cache.size

    async def look(self, user: UserId, key: str) -> Look:
        """See `AnswerCache`."""
        look = await self._cache.look(user, key)
        return replace(look, epoch=look.entry.epoch) if look.entry else look


class Trial:
    """One run: workers, clients and whoever makes trouble, over one history."""

    def __init__(self, *, seed: int, steps: int, broken: Broken, folder: Path) -> None:
        self._chance = random.Random(seed)
        self._steps = steps
        self._broken = broken
        self._clock = ManualClock()
        self._history = History()
        self._embedder = HashingEmbedder()
        self._notes = HistoricNotes(self._history, embedder_digest=self._embedder.digest)
        self._valkey = MortalValkey(folder)
        self._tokenizer = LlamaTokenizer()
        self._boards: list[EpochBoard] = []
        self._versions = iter(range(10**9))
        self._pipelines: list[Pipeline] = []
        self._restarting = asyncio.Lock()
        self.outcome = Outcome()

    async def run(self, *, workers: int = 6, clients: int = 16) -> Outcome:
        """All steps, by `clients` tasks over `workers` pipelines."""
        began = time.monotonic()
        await self._valkey.start()
        try:
            async with AsyncExitStack() as stack:
                for _ in range(workers):
                    await self._hire(stack)
                with tqdm(total=self._steps, unit="step", file=sys.stderr, disable=None) as bar:
                    async with asyncio.TaskGroup() as group:
                        for _ in range(clients):
                            group.create_task(self._client(bar))
        finally:
            await self._valkey.kill()
        self.outcome.seconds = time.monotonic() - began
        return self.outcome

    async def _hire(self, stack: AsyncExitStack) -> None:
        """One more worker process, as far as the caches can tell."""
        breaker = Breaker("redis", clock=self._clock, failures=1_000_000)
        make = partial(LossyLink, chance=self._chance, rate=0.005)
        link = await stack.enter_async_context(
            open_link(self._valkey.url, clock=self._clock, breaker=breaker, make=make)
        )
        epochs = RedisEpochs(link, self._notes, clock=self._clock)
        answers: AnswerCache = RedisAnswerCache(link, epochs, clock=self._clock)
        if self._broken == "epoch check":
            answers = TrustingCache(answers)
        board: EpochBoard = NoBoard() if self._broken == "announcement" else epochs
        self._boards.append(CrashingBoard(board, self._chance, rate=0.03))
        caches = CacheLevels(
            answers=answers,
            embeddings=RedisEmbeddingCache(link),
            contexts=ContextCache(clock=self._clock, max_bytes=200_000),
            fleet=RedisFlights(link, clock=SystemClock()),
            epochs=self._notes,
            ttl=AnswerTtl(soft_s=600, hard_s=3600),
            clock=self._clock,
            listener=ignore,
            jitter=self._chance,
        )
        self._pipelines.append(
            Pipeline(
                tokenizer=self._tokenizer,
                embedder=self._embedder,
                retriever=self._notes,
                generator=EchoGenerator(self._chance),
                caches=caches,
                budgets=Budgets(top_k=2, min_score=0.35),
                clock=self._clock,
                listener=ignore,
                canary="0123456789abcdef",
                retrieval_name="exact",
            )
        )

    async def _client(self, bar: tqdm[NoReturn]) -> None:
        actions = {
            self._ask: 76, self._edit: 13, self._delete: 3, self._evict: 4, self._wait: 3.7,
            self._flush: 0.2, self._snapshot: 0.3, self._restart: 0.2,
        }  # fmt: skip
        while self.outcome.steps < self._steps:
            self.outcome.steps += 1
            bar.update(1)
            (action,) = self._chance.choices(list(actions), list(actions.values()))
            self.outcome.events[action.__name__.strip("_")] += 1
            await action()

    async def _ask(self) -> None:
        user, topic = self._chance.choice(USERS), self._chance.choice(TOPICS)
        pipeline = self._chance.choice(self._pipelines)
        first = next(self._history.ticks)
        question = f"What did I note about {topic}?"
        answer = await _answer(pipeline, question, user, stream=self._chance.random() < 0.1)
        self._judge(user, topic, answer, first, next(self._history.ticks))

    def _judge(self, user: UserId, topic: str, answer: Answer, first: int, last: int) -> None:
        self.outcome.provenances[answer.provenance] += 1
        seen = mentions(answer.text)
        if any(mention.user != user for mention in seen):
            self.outcome.other_user += 1
        stale = [
            str(mention)
            for mention in seen
            if mention.version not in self._history.during(user, mention.note, first, last)
        ]
        # What was there all the time must be found.
        lacking = topic not in {m.note for m in seen} and -1 not in self._history.during(
            user, topic, first, last
        )
        if stale or lacking:
            self.outcome.changed_evidence += 1
            self.outcome.examples.append(f"{answer.provenance}: {stale or f'no {topic}'}")

    async def _edit(self) -> None:
        user, topic = self._chance.choice(USERS), self._chance.choice(TOPICS)
        mention = Mention(user, topic, next(self._versions))
        note = Note(id=topic, title="", body=f"About {topic} {topic}: {mention}")
        ingest = Ingest(store=self._writer(), embedder=self._embedder, chunker=WholeNoteChunker())
        try:
            await ingest.run(user, [note])
        except Crash:
            self.outcome.events["crash"] += 1

    async def _delete(self) -> None:
        try:
            await self._writer().delete(self._chance.choice(USERS), self._chance.choice(TOPICS))
        except Crash:
            self.outcome.events["crash"] += 1

    def _writer(self) -> HistoricNotes:
        """The store, as one worker sees it."""
        self._notes.board = self._chance.choice(self._boards)
        return self._notes

    async def _evict(self) -> None:
        await self._admin("evict")

    async def _flush(self) -> None:
        await self._admin("flush")

    async def _snapshot(self) -> None:
        await self._admin("snapshot")

    async def _admin(self, what: str) -> None:
        """Something done to the server behind everyone's back."""
        async with self._restarting, open_link(self._valkey.url, clock=SystemClock()) as link:
            match what:
                case "evict":
                    if key := await link.client.randomkey():
                        await link.client.delete(key)
                case "flush":
                    await link.client.flushall()
                case _:
                    await link.client.save()

    async def _restart(self) -> None:
        async with self._restarting:
            await self._valkey.kill()
            await let_others_go(self._chance)
            await self._valkey.start()

    async def _wait(self) -> None:
        self._clock.advance(self._chance.choice((0.5, 3, 12, 400)))


async def _answer(pipeline: Pipeline, question: str, user: UserId, *, stream: bool) -> Answer:
    if not stream:
        return await pipeline.answer(question, user)
    async for item in pipeline.stream(question, user):
        if isinstance(item, Answer):
            return item
    raise AssertionError("a stream ends with its Answer")


def try_to_break(*, steps: int, seed: int, broken: Broken = "nothing") -> Outcome:
    """Run one trial in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="rag-consistency-") as folder:

        async def run() -> Outcome:
            trial = Trial(seed=seed, steps=steps, broken=broken, folder=Path(folder))
            return await trial.run()

        return asyncio.run(run())


def main(arguments: list[str] | None = None) -> int:
    """Print what a run saw; exit code 1 when a cache served what it must not."""
    parser = argparse.ArgumentParser(prog="python -m evals.consistency", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--break", dest="broken", choices=("nothing", "epoch check", "announcement"),
        default="nothing", help="break this rule on purpose",
    )  # fmt: skip
    parsed = parser.parse_args(arguments)
    outcome = try_to_break(steps=parsed.steps, seed=parsed.seed, broken=parsed.broken)
    print(json.dumps({"provenances": outcome.provenances, "events": outcome.events}, indent=2))
    print("\n".join(outcome.examples[:5]))
    served = sum(outcome.provenances.values()) - outcome.provenances[Provenance.FRESH]
    print(f"{outcome.changed_evidence} answers on changed evidence, {outcome.other_user} across")
    print(f"users, in {outcome.steps:,} steps ({served:,} answers came without generating)")
    return 1 if outcome.changed_evidence or outcome.other_user else 0


if __name__ == "__main__":
    sys.exit(main())
