"""What hedging does to the tail of two stub providers, beside the same calls without it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path

import numpy as np

from evals.bench.figures import Figure
from evals.results.numbers import number, share
from loadtests.stub_provider import Behaviour, Latency, LognormalLatency, StubProvider, running_stub
from rag_core.adapters.generators.chat_completions import ChatCompletionsGenerator
from rag_core.adapters.llama_tokenizer import LlamaTokenizer
from rag_core.bootstrap import provider_guard
from rag_core.clock import SystemClock
from rag_core.domain import Context, Question, assemble_prompt
from rag_core.events import ignore
from rag_core.providers import Call, Hedging, Provider, Router
from rag_core.settings import Settings

# Chosen: rounds of calls with and without hedging in turn, calls in each, and at once.
ROUNDS = 4
CALLS = 600
AT_ONCE = 10

GAIN = 0.4
"""By how much the 99th percentile shall fall, by the requirement."""
EXTRA = 0.03
"""Extra calls allowed, as a share of all, by the requirement."""

TAILS: dict[str, Sequence[Behaviour]] = {
    "2 % of calls held up": [
        LognormalLatency(median_s=0.04, sigma=0.3, seed=1),
        Latency(0.8, share=0.02, seed=2),
    ],
    "lognormal, sigma 1.5": [LognormalLatency(median_s=0.03, sigma=1.5, seed=1)],
}
"""Latencies of both providers, made up: how long a real tail is, only a real provider shows."""

_PROMPT = assemble_prompt(Question("What does Paul call grace?"), Context(), canary="0" * 16)


async def hedged_tail(folder: Path) -> list[Figure]:
    """p50, p99 and extra calls with and without hedging, in turn on the same two stubs."""
    del folder  # nothing is stored
    tokenizer = LlamaTokenizer()
    async with _stubs(tokenizer) as (stubs, providers):
        figures: list[Figure] = []
        for tail, behaviours in TAILS.items():
            figures += await _of_tail(tail, behaviours, stubs, providers, tokenizer)
        return figures


@asynccontextmanager
async def _stubs(
    tokenizer: LlamaTokenizer,
) -> AsyncIterator[tuple[list[StubProvider], list[Provider]]]:
    settings, clock = Settings(), SystemClock()
    async with AsyncExitStack() as stack:
        stubs, providers = [], []
        for name in ("first", "second"):
            stub = await stack.enter_async_context(running_stub())
            generator = await stack.enter_async_context(
                aclosing(
                    ChatCompletionsGenerator(name, "stub", tokenizer=tokenizer, base_url=stub.url)
                )
            )
            guard = provider_guard(name, settings, timeout_s=30, clock=clock, listener=ignore)
            stubs.append(stub)
            providers.append(Provider(generator, guard))
        yield stubs, providers


async def _of_tail(
    tail: str,
    behaviours: Sequence[Behaviour],
    stubs: Sequence[StubProvider],
    providers: Sequence[Provider],
    tokenizer: LlamaTokenizer,
) -> list[Figure]:
    hedging = Hedging(EXTRA)
    routers = {
        "alone": Router(providers, clock=SystemClock()),
        "hedged": Router(providers, clock=SystemClock(), hedging=hedging),
    }
    seen: dict[str, list[float]] = {name: [] for name in routers}
    await _round(routers["hedged"], tokenizer, stubs, behaviours)  # learns what is usual
    asked, extra = hedging.calls, hedging.extra
    for _ in range(ROUNDS):
        for name, router in routers.items():
            seen[name] += await _round(router, tokenizer, stubs, behaviours)
    asked, extra = hedging.calls - asked, hedging.extra - extra
    (p50, p99), (hedged_p50, hedged_p99) = (
        map(float, np.percentile(seen[name], (50, 99))) for name in ("alone", "hedged")
    )
    gain = 1 - hedged_p99 / p99
    return [
        Figure(f"{tail}: p50", number(hedged_p50, "ms"), f"{number(p50, 'ms')} alone"),
        Figure(f"{tail}: p99", number(hedged_p99, "ms"), f"{number(p99, 'ms')} alone"),
        Figure(f"{tail}: p99 falls by", share(gain), f"≥ {share(GAIN)}", gain >= GAIN),
        Figure(
            f"{tail}: extra calls of {asked:,}",
            share(extra / asked),
            f"≤ {share(EXTRA)}",
            extra <= EXTRA * asked + 1,
        ),
    ]


async def _round(
    router: Router,
    tokenizer: LlamaTokenizer,
    stubs: Sequence[StubProvider],
    behaviours: Sequence[Behaviour],
) -> list[float]:
    """Milliseconds of each of `CALLS` calls, `AT_ONCE` at a time; the stubs begin anew."""
    for stub in stubs:
        await stub.behave(*behaviours)
    call = Call(_PROMPT, 50, streamed=False, count=tokenizer.count)
    waiting, took_ms = iter(range(CALLS)), list[float]()

    async def asking() -> None:
        for _ in waiting:
            began = time.perf_counter()
            async with aclosing(router.write(call)) as items:
                async for _ in items:
                    pass
            took_ms.append((time.perf_counter() - began) * 1000)

    await asyncio.gather(*(asking() for _ in range(AT_ONCE)))
    return took_ms
