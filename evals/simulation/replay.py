"""A trace replayed against the real caches, to hold the simulator against.

The pipeline that is deployed answers every request of a sampled trace through the real caches on a
real Valkey; time is an injected clock that jumps from request to request, edits are committed
through the store, every epoch is read anew, and the evidence changes where the timeline says. With
jitter 0 each request must then end as the simulator says.
"""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import numpy as np

from evals.simulation.replay_result import EntryBytes, Replay
from evals.simulation.replay_world import TimedEmbeddings, TimelineRetriever, prose
from evals.simulation.simulator import CacheOutcome, Policy, Setting
from evals.simulation.timeline import Timeline
from evals.simulation.traffic import Traffic
from rag_core.adapters.embedders import HashingEmbedder
from rag_core.adapters.generators import ScriptedGenerator
from rag_core.adapters.memory import MemoryNotes
from rag_core.adapters.redis import RedisAnswerCache, RedisClient, open_client, primaries
from rag_core.bootstrap import CacheStores, Parts, wire_pipeline
from rag_core.cache import NoFleet, SharedEpochs
from rag_core.cli import progress_bar
from rag_core.clock import ManualClock
from rag_core.domain import (
    FREE,
    Note,
    Provenance,
    UserId,
    WholeNoteChunker,
    authenticated,
)
from rag_core.embedded import embedded_stack
from rag_core.errors import InvalidInput
from rag_core.ingest import Ingest
from rag_core.providers import Router
from rag_core.settings import Settings

PATIENCE_S = 30.0
"""For the Redis work of one request: what a busy machine delays must not look like a miss."""

_OUTCOMES = {
    Provenance.FRESH: CacheOutcome.MISS,
    Provenance.CACHED: CacheOutcome.HIT,
    Provenance.REVALIDATED: CacheOutcome.REVALIDATED,
}


def sample(traffic: Traffic, requests: int, *, seed: int = 7) -> Traffic:
    """Whole users, drawn at random, with at least `requests` requests together if there are.

    A trace of few users with many requests each is cut in time, to just that number.
    """
    users = np.random.default_rng(seed).permutation(np.unique(traffic.user))
    counts = np.bincount(traffic.user)[users]
    enough = int(np.searchsorted(counts.cumsum(), requests)) + 1
    chosen = traffic.of_users(users[:enough])
    few_users = len(chosen) > 2 * requests
    return chosen.until(float(chosen.time_s[requests])) if few_users else chosen


@asynccontextmanager
async def replay_server() -> AsyncIterator[str]:
    """URL of a Valkey of one's own, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="rag-replay-") as home:
        async with embedded_stack(Path(home), postgres=False) as urls:
            yield urls.redis_url


async def replay(timeline: Timeline, setting: Setting, redis_url: str) -> Replay:
    """Answer every request of the timeline's trace through real caches at `redis_url`.

    Keys are of users of their own, so that replays may share a server.

    Raises:
        InvalidInput: a policy that the pipeline does not follow, or jitter, which is random.
    """
    if setting.policy is not Policy.EVIDENCE_REVALIDATION:
        raise InvalidInput("policy", f"the pipeline does not follow {setting.policy!r}")
    if setting.jitter:
        raise InvalidInput("jitter", f"must be 0 in a replay, got {setting.jitter!r}")
    began = time.perf_counter()
    clock = ManualClock(float(min(timeline.traffic.time_s[0], _first_edit_s(timeline))))
    async with open_client(redis_url, call_timeout_s=PATIENCE_S) as redis:
        player = _Player(timeline, setting, redis, clock)
        await player.play()
        return Replay(
            setting=setting,
            timeline=timeline,
            outcomes=np.array(player.seen, dtype=np.uint8),
            llm_calls=player.generator.calls,
            levels=await player.pipeline.stats(),
            changed_evidence=player.changed_evidence,
            entry_bytes=await player.entry_bytes(),
            seconds=time.perf_counter() - began,
        )


def _first_edit_s(timeline: Timeline) -> float:
    edits = timeline.traffic.edit_time_s
    return float(edits[0]) if len(edits) else np.inf


def _settings(setting: Setting) -> Settings:
    """What the pipeline is told, for the caches to behave as the simulator's."""
    return Settings(
        answer_soft_ttl_s=setting.answer_soft_ttl_s,
        answer_hard_ttl_s=setting.answer_hard_ttl_s,
        context_ttl_s=setting.context_ttl_s,
        context_cache_bytes=int(setting.context_capacity_bytes),
        ttl_jitter=0.0,
        redis_budget_s=PATIENCE_S,
    )


class _Player:
    """Plays edits and requests in the order of their times."""

    def __init__(
        self, timeline: Timeline, setting: Setting, redis: RedisClient, clock: ManualClock
    ) -> None:
        self._timeline = timeline
        self._traffic = timeline.traffic
        self._redis = redis
        self._clock = clock
        self._prefix = f"replay-{uuid4().hex[:12]}"
        text = prose()
        embedder = HashingEmbedder()
        self._retriever = TimelineRetriever(text.chunks)
        notes = MemoryNotes(embedder_digest=embedder.digest)
        self._ingest = Ingest(store=notes, embedder=embedder, chunker=WholeNoteChunker())
        self.generator = ScriptedGenerator(itertools.repeat(text.answer), prices=FREE)
        embeddings = TimedEmbeddings(redis, ttl_s=setting.embedding_ttl_s, clock=clock)
        parts = Parts(
            tokenizer=text.tokenizer,
            embedder=embedder,
            retriever=self._retriever,
            router=Router.alone(self.generator),
            # A landed flight stays for two seconds of the server, which are days of a trace.
            stores=CacheStores(RedisAnswerCache(redis, clock=clock), embeddings, NoFleet()),
            epochs=SharedEpochs(notes.epochs),
            clock=clock,
            search_name="timeline",
        )
        self.pipeline, _ = wire_pipeline(_settings(setting), parts)
        self._evidence: dict[tuple[int, int], str] = {}
        self.seen: list[CacheOutcome] = []
        self.changed_evidence = 0

    async def play(self) -> None:
        """Everything, from the first note to the last request."""
        for user in np.unique(self._traffic.user).tolist():
            await self._edit(user, 0)  # a user without any note has no epoch to trust
        # Of each request of the trace, where it stands in the timeline.
        place = np.argsort(self._timeline.order)
        key = self._timeline.key[place].tolist()
        version = self._timeline.version[place].tolist()
        upcoming = 0
        with progress_bar(len(self._traffic), "replay", "request") as bar:
            for row, now in enumerate(self._traffic.time_s.tolist()):
                upcoming = await self._edits_until(now, upcoming)
                self._clock.advance(max(0.0, now - self._clock.now()))
                await self._ask(row, key[row], version[row])
                bar.update()

    async def _edits_until(self, now: float, upcoming: int) -> int:
        """Commit the edits that are due; the number of the next one."""
        t = self._traffic
        while upcoming < len(t.edit_time_s) and t.edit_time_s[upcoming] <= now:
            self._clock.advance(max(0.0, float(t.edit_time_s[upcoming]) - self._clock.now()))
            await self._edit(int(t.edit_user[upcoming]), upcoming + 1)
            upcoming += 1
        return upcoming

    async def _edit(self, user: int, number: int) -> None:
        note = Note(id="edited", title="", body=f"As of change {number}.")
        await self._ingest.run(self._user(user), [note])

    async def _ask(self, row: int, key: int, version: int) -> None:
        self._retriever.turn_to(key, version)
        question = f"What did I note about matter {int(self._traffic.question[row])}?"
        answer = await self.pipeline.answer(question, self._user(int(self._traffic.user[row])))
        self.seen.append(_OUTCOMES[answer.provenance])
        if answer.provenance is Provenance.FRESH:
            self._evidence[key, version] = answer.evidence
        # Evidence that has never been answered from cannot be what a served answer rests on.
        if self._evidence.get((key, version)) != answer.evidence:
            self.changed_evidence += 1

    def _user(self, number: int) -> UserId:
        return authenticated(f"{self._prefix}-{number}")

    async def entry_bytes(self) -> EntryBytes:
        """Measured on what the caches hold now."""
        contexts = (await self.pipeline.stats())["context"]
        return EntryBytes(
            answer=await self._mean_bytes("answer"),
            embedding=await self._mean_bytes("embedding"),
            context=round((contexts.size_bytes or 0) / max(1, contexts.entries or 0)),
        )

    async def _mean_bytes(self, kind: str) -> int:
        (client,) = await primaries(self._redis.driver)
        pattern = f"rag:{{{self._prefix}-*}}:{kind}:*"
        keys = [key async for key in client.scan_iter(match=pattern, count=1_000)]
        pipe = client.pipeline(transaction=False)
        for key in keys[:500]:
            pipe.memory_usage(key, samples=0)
        sizes: Sequence[int] = await pipe.execute()
        return round(float(np.mean(sizes))) if sizes else 0
