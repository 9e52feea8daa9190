"""How long an answer takes, by where it comes from: generated, cached, without context, refused."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from evals.datasets.golden import GoldenQuestion
from evals.measures.asking import ask_all
from evals.measures.observations import Observation
from evals.measures.scores import Aggregate, Score, Scored, Unscored, aggregate
from evals.results.numbers import reasons, span
from evals.results.result import Table
from rag_core.adapters.generators import ScriptedGenerator
from rag_core.bootstrap import Application, assemble
from rag_core.domain import FREE, Provenance
from rag_core.embedded import OwnValkey
from rag_core.settings import Settings

COLD = (Provenance.FRESH, Provenance.NO_CONTEXT, Provenance.REFUSED)
"""What a question asked for the first time comes to."""


@dataclass(frozen=True, slots=True)
class ProvenanceLatency:
    """Median and 95th percentile of the calls that were answered from one `source`, in ms."""

    source: str
    p50: Aggregate
    p95: Aggregate


async def latency_by_provenance(
    settings: Settings, application: Application, asked: Sequence[Observation], *, seed: int = 0
) -> tuple[ProvenanceLatency, ...]:
    """Of the questions as `asked` cold, and of those answered then, asked again of warm caches.

    `settings` are those of `application`. The warm caches are others', filled with the same
    answers: no provider is paid twice, and it does not matter which run asked.
    """
    fresh = _answered(asked, Provenance.FRESH)
    questions = [seen.question for seen in fresh]
    texts = [seen.answer.text for seen in fresh if seen.answer]
    warm = {
        "CACHED, memory": await _warm(settings, application, questions, texts),
        "CACHED, Valkey": await _of_valkey(settings, application, questions, texts),
    }
    cold = {each: _answered(asked, each) for each in COLD}
    return (
        *(_latency(str(each), seen, each, seed) for each, seen in cold.items()),
        *(_latency(source, seen, Provenance.CACHED, seed) for source, seen in warm.items()),
    )


def provenance_table(latencies: Sequence[ProvenanceLatency]) -> Table:
    """A row per source, for the report."""
    rows = [
        (
            each.source, each.p50.n, each.p50.value, span(each.p50.low, each.p50.high, "ms"),
            each.p95.value, span(each.p95.low, each.p95.high, "ms"), reasons(each.p95.reasons),
        )
        for each in latencies
    ]  # fmt: skip
    columns = ("answered from", "calls", "p50 ms", "p50, 95 %", "p95 ms", "p95, 95 %", "why no p95")
    return Table(
        "Latency by provenance",
        columns,
        tuple(rows),
        "One call at a time. CACHED: the questions that were answered, asked once more; Valkey is "
        "a real one on this machine.",
    )


async def _of_valkey(
    settings: Settings,
    application: Application,
    questions: Sequence[GoldenQuestion],
    texts: Sequence[str],
) -> list[Observation]:
    with tempfile.TemporaryDirectory(prefix="rag-latency-") as folder:
        async with OwnValkey(Path(folder)) as valkey:
            cached = settings.model_copy(
                update={"cache": "redis", "redis_url": SecretStr(valkey.url)}
            )
            return await _warm(cached, application, questions, texts)


async def _warm(
    settings: Settings,
    application: Application,
    questions: Sequence[GoldenQuestion],
    texts: Sequence[str],
) -> list[Observation]:
    async with assemble(
        settings,
        embedder=application.embedder,
        tokenizer=application.tokenizer,
        generator=ScriptedGenerator(itertools.cycle(texts), prices=FREE),
    ) as other:
        await ask_all(other, questions, evidence=False)
        return await ask_all(other, questions, evidence=False)


def _answered(asked: Sequence[Observation], provenance: Provenance) -> list[Observation]:
    return [seen for seen in asked if seen.answer and seen.answer.provenance is provenance]


def _latency(
    source: str, asked: Sequence[Observation], wanted: Provenance, seed: int
) -> ProvenanceLatency:
    scores = {seen.question.id: _milliseconds(seen, wanted) for seen in asked}
    groups = {seen.question.id: seen.question.group for seen in asked}
    return ProvenanceLatency(
        source,
        aggregate(source, scores, clusters=groups, seed=seed, statistic="p50"),
        aggregate(source, scores, clusters=groups, seed=seed, statistic="p95"),
    )


def _milliseconds(seen: Observation, wanted: Provenance) -> Score:
    if seen.answer is None:
        return Unscored(seen.failure)
    if seen.answer.provenance is not wanted:
        return Unscored(f"answered as {seen.answer.provenance}")
    return Unscored("not timed") if seen.latency_ms is None else Scored(seen.latency_ms)
