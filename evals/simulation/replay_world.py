"""What a replay needs beside the caches: evidence on a timeline, real prose, expiry in its time."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from evals.project import GOLDEN
from rag_core.adapters.documents import read_notes
from rag_core.adapters.llama_tokenizer import LlamaTokenizer
from rag_core.adapters.redis import RedisClient, RedisEmbeddingCache
from rag_core.cache import CacheSize, RememberedCounts
from rag_core.clock import Clock
from rag_core.domain import (
    Hit,
    Note,
    Query,
    Ranking,
    SentenceChunker,
    Tokenizer,
    UserId,
    split_sentences,
)

if TYPE_CHECKING:
    from rag_core.domain import Vector

_NOTES = GOLDEN / "notes" / "golden-gospels.jsonl"
PASSAGES = 200
"""Chosen: pieces of prose that evidence is made of."""
CITED = 3
"""Notes that the scripted answer quotes and cites."""


@dataclass(frozen=True, slots=True)
class Prose:
    """Real chunks of real notes, and the tokenizer that cut them."""

    tokenizer: Tokenizer
    chunks: tuple[tuple[Note, str], ...]

    @property
    def answer(self) -> str:
        """An answer as long as real ones are: two sentences from each of three notes, cited."""
        return "\n".join(
            f"{' '.join(split_sentences(text)[:2])} [{number}]"
            for number, (_, text) in enumerate(self.chunks[:CITED], start=1)
        )


@cache
def prose() -> Prose:
    """The first `PASSAGES` chunks of a golden user's notes; read once."""
    tokenizer = RememberedCounts(LlamaTokenizer())
    chunker = SentenceChunker(tokenizer)
    cut = ((note, chunk.text) for note in read_notes(_NOTES) for chunk in chunker(note))
    return Prose(tokenizer, tuple(itertools.islice(cut, PASSAGES)))


class TimelineRetriever:
    """A Retriever whose evidence is what the timeline says it is for the request at hand.

    `turn_to` names the request's key and version before it is asked: another version is the same
    notes with one of them edited. Each request has a turn of its own, and so have tasks that it
    begins.
    """

    def __init__(self, found: Sequence[tuple[Note, str]]) -> None:
        self._found = found
        self._turn: ContextVar[tuple[int, int]] = ContextVar("turn", default=(0, 0))

    def turn_to(self, key: int, version: int) -> None:
        """The next search is for question number `key`, whose evidence is at `version`."""
        self._turn.set((key, version))

    async def search(self, user: UserId, query: Query, *, k: int) -> Ranking:
        """See `Retriever`."""
        key, version = self._turn.get()
        places = [(key * k + place) % len(self._found) for place in range(k)]
        edited = (f" Edited: {version}.", *[""] * k)
        return Ranking(tuple(map(self._hit, places, edited)))

    def _hit(self, place: int, edited: str) -> Hit:
        note, text = self._found[place]
        text += edited
        return Hit(
            note_id=note.id, position=place, title=note.title, heading="", text=text,
            start=0, end=len(text), author=note.author, date=note.date, tags=note.tags,
            verses=note.verses, score=0.9,
        )  # fmt: skip


class TimedEmbeddings:
    """The real embedding cache, on a server whose keys expire by the injected clock.

    Answers carry their own deadlines; a vector is only bytes, and the server that ends it knows
    the machine's time alone. So the TTL that the real cache sets is read back from the server, and
    a key whose time has come by the clock is deleted just before it is looked for.
    """

    def __init__(self, redis: RedisClient, *, ttl_s: float, clock: Clock) -> None:
        self._redis = redis
        self._clock = clock
        self._cache = RedisEmbeddingCache(redis, ttl_s=ttl_s)
        self._gone_at: dict[str, float] = {}

    async def get(self, key: str) -> Vector | None:
        """See `EmbeddingCache`."""
        if self._clock.now() >= self._gone_at.get(key, float("inf")):
            await self._redis.execute("DEL", key)
            del self._gone_at[key]
        return await self._cache.get(key)

    async def put(self, key: str, vector: Vector) -> None:
        """See `EmbeddingCache`."""
        await self._cache.put(key, vector)
        # PTTL has lost the fraction of a second that passed since: seconds are exact enough.
        left_ms = await self._redis.execute("PTTL", key)
        self._gone_at[key] = self._clock.now() + round(left_ms / 1000)

    async def forget(self, user: UserId) -> None:
        """See `EmbeddingCache`."""
        await self._cache.forget(user)

    async def size(self) -> CacheSize:
        """See `EmbeddingCache`."""
        return await self._cache.size()
