"""An answer that a provider writes: what the app adds to the call, beside LiteLLM's proxy.

Both stand before the same stub in the same rounds; the client that asks the stub itself says what
the call alone takes. LiteLLM lives in an environment of its own, `.venvs/litellm`, 576 MB.
"""

from __future__ import annotations

import itertools
import json
import statistics
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from evals.bench.environments import made
from evals.bench.figures import Figure
from evals.bench.http_client import NUMBER, Measured, Task
from evals.bench.http_processes import Generator, Server, generator, listening, post
from evals.bench.http_world import HttpWorld, http_world
from evals.bench.world import QUESTION, notes
from evals.results.numbers import number
from loadtests.stub_provider import StubProvider, running_stub
from loadtests.stub_provider.behaviours import Latency, Say
from rag_core.adapters.embedders import HashingEmbedder

LITELLM = ("soundfile==0.13.1", "litellm[proxy]==1.106.2")
"""The proxy, and of what it imports what stands still: soundfile 0.14 comes without its library."""
WORDS = 1_200
"""Of the prompt that LiteLLM hands on: as long as the app's own, by the requirement."""

# Chosen: rounds, and calls in each; one connection, so that nobody waits for anybody else.
ROUNDS = 5
REQUESTS = 100

# Bars of the requirement.
MOST_MS = 2.0
MOST_SHARE = 1 / 8
"""Bars of the requirement: own overhead at p99; of LiteLLM's, in time and in CPU."""

_KEY = "sk-a-key-of-the-benchmark-and-of-nothing-else-4711"
_MODEL = "stub"
_REPLY = "The rainbow is the sign of the covenant with Noah [1], kept to this day [2]."
_NOT_OURS = ("embed", "retrieve")
"""Steps that are the embedder's and the database's."""


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to the stub, and what its calls took."""

    port: int
    request: bytes
    server: Server | None = None
    """Whose CPU is read; None for the stub itself."""
    cpu_us: list[float] = field(default_factory=list)
    seen_ms: list[float] = field(default_factory=list)
    """Of each call, until its last byte; for the app without what is not its own."""

    async def round(self, asking: Generator, first: int, *, counts: bool) -> None:
        """Ask `REQUESTS` times, with numbers from `first`."""
        task = Task(port=self.port, request=self.request, requests=REQUESTS, first=first)
        before = self.server.cpu_s() if self.server else 0.0
        measured = await asking.run(task)
        if not counts:
            return
        self.seen_ms.extend(_own(measured))
        if self.server:
            self.cpu_us.append((self.server.cpu_s() - before) / REQUESTS * 1e6)


async def own_overhead(folder: Path) -> list[Figure]:
    """New questions to the app, and prompts of 1,200 words to LiteLLM's proxy, in turns."""
    python = made("litellm", LITELLM)
    async with (
        running_stub(Say(text=_REPLY), Latency(seconds=0.0)) as stub,
        http_world(folder, HashingEmbedder()) as world,
        generator() as asking,
        _app(world, stub) as app,
        _proxy(python, folder, stub) as proxy,
    ):
        call = post("/v1/chat/completions", _chat())
        paid = post("/v1/chat/completions", _chat(), f"Authorization: Bearer {_KEY}")
        asked = world.ask(question=f"{QUESTION} {NUMBER.decode()}")
        stub_port = int(stub.url.removesuffix("/v1").rpartition(":")[2])
        bare, ours, theirs = (
            _Way(stub_port, call),
            _Way(app.port, asked, app),
            _Way(proxy.port, paid, proxy),
        )
        numbers = itertools.count(step=REQUESTS)
        for turn in range(ROUNDS + 1):  # the first warms up
            for way in (bare, ours, theirs):
                await way.round(asking, next(numbers), counts=turn > 0)
        rss = (app.rss_bytes(), proxy.rss_bytes())
    return _figures(bare, ours, theirs, rss)


def _app(world: HttpWorld, stub: StubProvider) -> AbstractAsyncContextManager[Server]:
    """The app before the stub: with a price, so that money is held and settled."""
    settings = {
        "RAG_GENERATOR": "providers",
        "RAG_PROVIDERS": "stub",
        "RAG_PROVIDER_STUB_BASE_URL": stub.url,
        "RAG_PROVIDER_STUB_MODEL": _MODEL,
        "RAG_PROVIDER_STUB_PRICE_INPUT_USD": "1e-9",
        "RAG_PROVIDER_STUB_PRICE_OUTPUT_USD": "1e-9",
        "RAG_MIN_SCORE": "0.1",
    }
    command = [sys.executable, "-m", "evals.bench.http_hashed", "{port}"]
    return listening("hashed", command, world.folder, world.settings | settings)


@asynccontextmanager
async def _proxy(python: Path, folder: Path, stub: StubProvider) -> AsyncIterator[Server]:
    """LiteLLM's proxy before the stub: one worker, no database, nothing logged."""
    parameters = {"model": f"openai/{_MODEL}", "api_base": stub.url, "api_key": "none"}
    configuration = {
        "model_list": [{"model_name": _MODEL, "litellm_params": parameters}],
        "general_settings": {"master_key": _KEY},
    }
    file = folder / "litellm.json"
    file.write_text(json.dumps(configuration))  # JSON is YAML, too
    command = [str(python.with_name("litellm")), "--config", str(file), "--port", "{port}"]
    quiet = {"LITELLM_LOG": "ERROR", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    command += ["--host", "127.0.0.1", "--num_workers", "1", "--telemetry", "False"]
    async with listening("litellm", command, folder, quiet) as server:
        yield server


def _chat() -> dict[str, object]:
    """A prompt of `WORDS` words of real prose."""
    words = " ".join(note.body for note in notes(60)).split()[: WORDS - 20]
    question = f"<notes>\n{' '.join(words)}\n</notes>\n\nQuestion: {QUESTION}"
    return {
        "model": _MODEL,
        "messages": [{"role": "user", "content": question}],
        "max_tokens": 400,
    }


def _own(measured: Measured) -> list[float]:
    """Each call's time without the steps that are the embedder's and the database's."""
    steps = [measured.steps_ms[step] for step in _NOT_OURS if step in measured.steps_ms]
    others = [sum(each) for each in zip(*steps, strict=True)] or [0.0] * len(measured.answered_ms)
    return [seen - other for seen, other in zip(measured.answered_ms, others, strict=True)]


def _figures(bare: _Way, ours: _Way, theirs: _Way, rss: Sequence[int]) -> list[Figure]:
    alone_ms = statistics.median(bare.seen_ms)
    added = [[seen - alone_ms for seen in way.seen_ms] for way in (ours, theirs)]
    p50 = [statistics.median(each) for each in added]
    p99 = [statistics.quantiles(each, n=100)[98] for each in added]
    cpu = [statistics.median(way.cpu_us) for way in (ours, theirs)]
    return [
        Figure("the stub alone, p50", number(alone_ms, "ms"), "as the client sees it"),
        *_added("LiteLLM", p50[1], p99[1], cpu[1], rss[1]),
        *_added("rag_core", p50[0], p99[0], cpu[0], rss[0]),
        Figure("own overhead, p99", number(p99[0], "ms"), f"≤ {MOST_MS} ms", p99[0] <= MOST_MS),
        _share("p50 of what LiteLLM adds", p50[0] / p50[1]),
        _share("of LiteLLM's CPU", cpu[0] / cpu[1]),
    ]


def _added(name: str, p50_ms: float, p99_ms: float, cpu_us: float, rss: int) -> list[Figure]:
    times = f"p50 {number(p50_ms, 'ms')}, p99 {number(p99_ms, 'ms')}"
    return [
        Figure(f"added by {name}", times, ""),
        Figure(f"CPU of {name}, a call", number(cpu_us / 1000, "ms"), f"RSS {rss / 1e6:.0f} MB"),
    ]


def _share(name: str, share: float) -> Figure:
    return Figure(
        name, number(share, "share"), f"≤ {number(MOST_SHARE, 'share')}", share <= MOST_SHARE
    )
