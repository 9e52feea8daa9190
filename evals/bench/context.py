"""CPU of a context and of a quoted answer: chunks counted at ingest, beside counting each time."""

from __future__ import annotations

import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from pathlib import Path

from msgspec.structs import replace

from evals.bench.figures import Figure
from evals.bench.world import notes
from evals.results.numbers import number
from rag_core.adapters.embedders import HashingEmbedder
from rag_core.adapters.generators import ExtractiveGenerator
from rag_core.adapters.llama_tokenizer import LlamaTokenizer
from rag_core.cache import RememberedCounts
from rag_core.domain import (
    Context,
    Hit,
    Note,
    Question,
    Ranking,
    SentenceChunker,
    Tokenizer,
    Verses,
    assemble_prompt,
    build_context,
    count_chunk,
    hit_of,
)

# Chosen: chunks of full length, as many as are asked for by default; contexts built of them.
TOP_K = 5
RANKINGS = 40
MOST_TOKENS = 1200
CUT_TOKENS = 700
"""A limit at which the fourth or fifth chunk fits in part."""

ALLOWED_MS = 0.3
"""What the step may take, by the requirement."""

Call = Callable[[Ranking], Awaitable[object]]


async def built_context(folder: Path) -> list[Figure]:
    """The context step on rankings that no process saw before, in alternating rounds."""
    tokenizer = LlamaTokenizer()
    rankings = _rankings(tokenizer)

    async def counting(ranking: Ranking) -> object:
        return _built(Ranking(tuple(replace(hit, cost=None) for hit in ranking.hits)), tokenizer)

    remembered = RememberedCounts(tokenizer)

    async def counted(ranking: Ranking) -> object:
        return _built(ranking, remembered)

    async def cut(ranking: Ranking) -> object:
        return _built(ranking, RememberedCounts(tokenizer), CUT_TOKENS)

    each, once, part = await _alternating(rankings, counting, counted, cut)
    tokens = statistics.median(_built(ranking, tokenizer).tokens for ranking in rankings)
    return [
        Figure("context, each chunk counted", f"{number(each, 'ms')} CPU", f"{tokens:.0f} tokens"),
        Figure(
            "context, counts from ingest",
            f"{number(once, 'ms')} CPU",
            f"≤ {ALLOWED_MS} ms",
            once <= ALLOWED_MS,
        ),
        Figure("context, the last chunk cut", f"{number(part, 'ms')} CPU", "its beginning counted"),
    ]


async def quoted_answer(folder: Path) -> list[Figure]:
    """What the ladder's last rung does without its embedding, prompt counted or not."""
    tokenizer = LlamaTokenizer()
    rankings = _rankings(tokenizer)
    contexts = {id(ranking): _built(ranking, tokenizer) for ranking in rankings}
    remembered = RememberedCounts(tokenizer)

    def quoting(counting: Tokenizer) -> Call:
        generator = ExtractiveGenerator(HashingEmbedder(), counting)

        async def call(ranking: Ranking) -> object:
            question = Question("What did I note about the rainbow after the flood?")
            prompt = assemble_prompt(question, contexts[id(ranking)], canary="0" * 16)
            return await generator.generate(prompt, max_tokens=400)

        return call

    async def whole(ranking: Ranking) -> object:
        return tokenizer.count(contexts[id(ranking)].render())

    quoted, counted = await _alternating(rankings, quoting(remembered), whole)
    return [
        Figure("quoted answer, hashed vectors", f"{number(quoted, 'ms')} CPU", ""),
        Figure("counting its context, now spared", f"{number(counted, 'ms')} CPU", ""),
    ]


async def ingested_count(folder: Path) -> list[Figure]:
    """What counting adds to the ingest of a chunk."""
    tokenizer = LlamaTokenizer()
    note = _note()
    chunks = SentenceChunker(tokenizer)(note)
    began = time.process_time()
    for chunk in chunks:
        count_chunk(note, chunk, tokenizer)
    spent_ms = (time.process_time() - began) / len(chunks) * 1000
    return [Figure("counted at ingest, a chunk", f"{number(spent_ms, 'ms')} CPU", "")]


def _built(ranking: Ranking, tokenizer: Tokenizer, most: int = MOST_TOKENS) -> Context:
    return build_context(ranking, tokenizer=tokenizer, max_tokens=most, min_score=0.1)


def _note() -> Note:
    return Note(
        id="henry",
        title="On Noah, the flood and the covenant",
        body="\n\n".join(note.body for note in notes(400)),
        author="Matthew Henry",
        date=date(2026, 3, 1),
        tags=("flood", "covenant"),
        verses=(Verses("Gen", 9, 1, 17),),
    )


def _rankings(tokenizer: Tokenizer) -> list[Ranking]:
    """Rankings of chunks that stand apart in one long note, none in two of them."""
    note = _note()
    chunks = [count_chunk(note, chunk, tokenizer) for chunk in SentenceChunker(tokenizer)(note)]
    hits = [hit_of(note, chunk, 0.9) for chunk in chunks]
    step = len(hits) // TOP_K
    return [Ranking(_apart(hits, start, step)) for start in range(min(RANKINGS, step))]


def _apart(hits: Sequence[Hit], start: int, step: int) -> tuple[Hit, ...]:
    return tuple(hits[start + step * rank] for rank in range(TOP_K))


async def _alternating(rankings: Sequence[Ranking], *calls: Call) -> list[float]:
    """Median CPU milliseconds of each call; all have their turn at each ranking."""
    spent: list[list[float]] = [[] for _ in calls]
    for ranking in rankings:
        for call, times in zip(calls, spent, strict=True):
            began = time.process_time_ns()
            await call(ranking)
            times.append((time.process_time_ns() - began) / 1e6)
    return [statistics.median(times) for times in spent]
