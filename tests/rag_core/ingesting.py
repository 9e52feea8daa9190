"""A process that ingests: python ingesting.py DATABASE_URL USER NOTES [STOP_AFTER_CALLS].

It says a line when it has begun. After so many calls of its embedder it waits to be killed.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rag_core.adapters.embedders import HashingEmbedder
from rag_core.adapters.llama_tokenizer import LlamaTokenizer
from rag_core.adapters.postgres import open_database
from rag_core.domain import authenticated
from tests.rag_core.library import ingest_over, library

if TYPE_CHECKING:
    from rag_core.domain import Matrix


class Stopping(HashingEmbedder):
    """Embeds so many batches, then never comes back."""

    def __init__(self, calls: int) -> None:
        self._left = calls

    async def embed(self, texts: Sequence[str]) -> Matrix:
        self._left -= 1
        if self._left < 0:
            await asyncio.Event().wait()
        return await super().embed(texts)


async def main(url: str, user: str, count: int, calls: int) -> None:
    async with open_database(url) as database:
        ingest = ingest_over(database, LlamaTokenizer(), Stopping(calls))
        print("begun", flush=True)
        await ingest.run(authenticated(user), library(count))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
