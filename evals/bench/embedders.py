"""Every way to run the configured embedding model, side by side, on the golden notes' sentences."""

from __future__ import annotations

import json
import statistics
import time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from evals.bench.figures import Figure
from evals.project import GOLDEN, project_settings
from rag_core.adapters.embedders import Backend, load_embedder
from rag_core.domain import Embedder, split_sentences

if TYPE_CHECKING:
    from rag_core.domain import Matrix

QUERY = "What did I say about forgiving someone who has wronged you?"
NOTES = GOLDEN / "notes" / "golden-law.jsonl"
# Chosen: seconds of work, and a median that stays where it is.
ROUNDS = 50
TEXTS = 500
IN_BYTES = ":int8"


async def backends(folder: Path) -> list[Figure]:
    """CPU of a query, texts a second in bulk, and how far the vectors agree."""
    settings = project_settings()
    texts = _texts()
    figures: list[Figure] = []
    vectors: list[Matrix] = []
    whole = settings.embedder_model.removesuffix(IN_BYTES)
    ways: list[tuple[str, str, Backend]] = [(each, whole, each) for each in get_args(Backend)]
    for name, model, backend in [*ways, ("onnx, int8", whole + IN_BYTES, "onnx")]:
        embedder = load_embedder(model, backend=backend, cache_dir=settings.home / "models")
        query_ms = await _query_cpu_ms(embedder)
        began, used = time.perf_counter(), time.process_time()
        vectors.append(await embedder.embed(texts))
        took_s, cpu_s = time.perf_counter() - began, time.process_time() - used
        figures += [
            Figure(f"{name}: a query, p50 of {ROUNDS}", f"{query_ms:.1f} ms CPU", ""),
            Figure(f"{name}: {TEXTS} texts in bulk", f"{TEXTS / took_s:.1f} /s", ""),
            Figure(f"{name}: each of them", f"{1000 * cpu_s / TEXTS:.1f} ms CPU", ""),
        ]
    first, second, in_bytes = vectors
    cosine = float((first * second).sum(1).min())
    agree = Figure(
        f"least cosine, {' and '.join(get_args(Backend))}",
        f"{cosine:.6f}", "≥ 0.9999", cosine >= 0.9999,
    )  # fmt: skip
    near = Figure("least cosine, int8 and float32", f"{(first * in_bytes).sum(1).min():.4f}", "")
    return [*figures, agree, near]


async def _query_cpu_ms(embedder: Embedder) -> float:
    await embedder.embed([QUERY])
    spent: list[float] = []
    for _ in range(ROUNDS):
        used = time.process_time()
        await embedder.embed([QUERY])
        spent.append(time.process_time() - used)
    return 1000 * statistics.median(spent)


def _texts() -> list[str]:
    with NOTES.open(encoding="utf-8") as lines:
        sentences = (text for line in lines for text in split_sentences(json.loads(line)["body"]))
        return list(islice(sentences, TEXTS))
