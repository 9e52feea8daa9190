"""The drills' own server answers by the vectors of the one that it was copied from."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from evals.drills.own_postgres import own_postgres
from rag_core.adapters.embedders import HashingEmbedder
from rag_core.adapters.generators import ScriptedGenerator
from rag_core.adapters.llama_tokenizer import LlamaTokenizer
from rag_core.bootstrap import Application, assemble
from rag_core.domain import Embedder, UserId
from tests.rag_core.library import CountingEmbedder, OtherEmbedder, note
from tests.rag_core.scene import settings_for

QUESTION = "a storm over the lake and waves"


@asynccontextmanager
async def application(url: str, embedder: Embedder) -> AsyncIterator[Application]:
    settings = settings_for(url, min_answerability=0)
    generator = ScriptedGenerator(["Grace is a gift [1]."] * 3)
    async with assemble(
        settings, embedder=embedder, generator=generator, tokenizer=LlamaTokenizer()
    ) as app:
        yield app


async def test_notes_are_found_by_each_embedder_that_covered_them_and_embedded_by_none(
    own_database: str, user: UserId, tmp_path: Path
) -> None:
    embedders = [CountingEmbedder(each) for each in (HashingEmbedder(), OtherEmbedder())]
    async with application(own_database, embedders[0]) as first:
        await first.ingest.run(user, [note("grace"), note("storm")])
        await first.vectors.register({each.digest: "" for each in embedders})
    async with application(own_database, embedders[1]) as second:
        await second.pipeline.retrieve(QUESTION, user)
    async with own_postgres(tmp_path, own_database, [user]) as copied:
        for embedder in embedders:
            embedder.texts.clear()
            async with application(copied.url, embedder) as app:
                found = await app.pipeline.retrieve(QUESTION, user)
            assert found.ranking.hits[0].note_id == "storm"
            assert embedder.texts == [QUESTION]
