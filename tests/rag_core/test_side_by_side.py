"""Two embedders over one database: each finds all notes, until one is dropped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from rag_core.adapters.embedders import HashingEmbedder
from rag_core.adapters.generators import ScriptedGenerator
from rag_core.bootstrap import Application, assemble
from rag_core.domain import Embedder, SearchMode, Tokenizer, UserId, authenticated
from rag_core.errors import EmbedderMismatch, RagError
from rag_core.side_by_side import SideBySide
from tests.rag_core.library import CountingEmbedder, connected, edited, long_note, note
from tests.rag_core.scene import settings_for

if TYPE_CHECKING:
    from rag_core.domain import Matrix

NEW = "fedcba9876543210" * 4


class MirroredEmbedder(HashingEmbedder):
    """Another space: what one finds by the other's vectors is wrong."""

    @property
    def digest(self) -> str:
        return NEW

    async def embed(self, texts: Sequence[str]) -> Matrix:
        vectors = await super().embed(texts)
        return vectors[:, ::-1].copy()


@dataclass(frozen=True)
class Fleet:
    """A process by the old model and one by the new."""

    old: Application
    new: Application
    first: CountingEmbedder
    """The old one, counting what it embeds."""
    seen: CountingEmbedder
    """The new one."""
    url: str
    user: UserId

    @property
    def both(self) -> tuple[Application, Application]:
        return self.old, self.new

    async def register(self) -> None:
        await self.old.vectors.register({NEW: "new", HashingEmbedder().digest: "old"})


@pytest.fixture(params=[SearchMode.DENSE, SearchMode.HYBRID])
async def fleet(
    own_database: str, user: UserId, tokenizer: Tokenizer, request: pytest.FixtureRequest
) -> AsyncIterator[Fleet]:
    async with AsyncExitStack() as stack:

        async def opened(embedder: Embedder) -> Application:
            settings = settings_for(own_database, search_mode=request.param, min_answerability=0)
            return await stack.enter_async_context(
                assemble(
                    settings,
                    embedder=embedder,
                    generator=ScriptedGenerator(["Grace is a gift [1]."] * 9),
                    tokenizer=tokenizer,
                )
            )

        seen = CountingEmbedder(MirroredEmbedder())
        first = CountingEmbedder()
        yield Fleet(await opened(first), await opened(seen), first, seen, own_database, user)


async def found(app: Application, user: UserId, question: str) -> str:
    """The note that comes first, by what the pipeline would answer from."""
    hits = (await app.pipeline.retrieve(question, user)).ranking.hits
    return hits[0].note_id if hits else ""


async def test_an_embedder_that_is_not_registered_is_refused_as_ever(fleet: Fleet) -> None:
    await fleet.old.ingest.run(fleet.user, [note("grace")])
    with pytest.raises(EmbedderMismatch):
        await found(fleet.new, fleet.user, "grace")
    with pytest.raises(EmbedderMismatch):
        await fleet.new.ingest.run(fleet.user, [note("storm")])


async def test_a_note_that_either_stores_is_found_by_both(fleet: Fleet) -> None:
    await fleet.old.ingest.run(fleet.user, [note("grace")])
    await fleet.register()
    await fleet.new.ingest.run(fleet.user, [note("storm")])
    await fleet.old.ingest.run(fleet.user, [note("harvest")])
    for app in fleet.both:
        assert await found(app, fleet.user, "A storm over the lake and waves") == "storm"
        assert await found(app, fleet.user, "Harvest workers and ripe fields") == "harvest"
        assert await found(app, fleet.user, "unearned grace, a gift") == "grace"


async def test_a_note_that_one_edits_or_deletes_is_so_for_the_other(fleet: Fleet) -> None:
    await fleet.old.ingest.run(fleet.user, [note("grace"), note("storm")])
    await fleet.register()
    assert await found(fleet.new, fleet.user, "A storm over the lake and waves") == "storm"
    calmed = edited(note("storm"), "Waves filled the boat", "Zebras grazed on a savanna")
    await fleet.new.ingest.run(fleet.user, [calmed])
    for app in fleet.both:
        assert await found(app, fleet.user, "zebras grazed on a savanna") == "storm"
    await fleet.old.notes.delete(fleet.user, "grace")
    for app in fleet.both:
        assert await found(app, fleet.user, "unearned grace, a gift") != "grace"


async def test_the_first_note_of_a_user_may_be_of_either(fleet: Fleet) -> None:
    await fleet.register()
    await fleet.new.ingest.run(fleet.user, [note("grace"), long_note()])
    assert await found(fleet.old, fleet.user, "unearned grace, a gift") == "grace"


async def test_what_is_embedded_is_not_embedded_again(fleet: Fleet) -> None:
    """After a process that was killed in the middle, too: only what it had not committed."""
    await fleet.old.ingest.run(fleet.user, [long_note(600), note("grace")])
    await fleet.register()
    side = SideBySide(fleet.new.vectors, fleet.seen)
    fleet.seen.fail_after = 64
    with pytest.raises(RagError, match="broke"):
        await side.catch_up(fleet.user)
    assert len(fleet.seen.texts) == 64
    fleet.seen.fail_after = None
    assert await side.catch_up(fleet.user)
    assert await side.catch_up(fleet.user)
    assert len(fleet.seen.texts) == len(set(fleet.seen.texts)) > 100
    states = {state.digest: state.vectors for state in await fleet.new.vectors.states()}
    assert len(set(states.values())) == 1


async def test_both_embed_the_same_texts(fleet: Fleet) -> None:
    """What was stored is restored to the letter, titles that chunks cut short included."""
    tall = edited(long_note(), "Sentence", "# A heading\n\nSentence")
    tall = type(tall)(tall.id, "A title that goes on " * 20, tall.body)
    await fleet.old.ingest.run(fleet.user, [tall])
    await fleet.register()
    assert await SideBySide(fleet.new.vectors, fleet.seen).catch_up(fleet.user)
    assert sorted(fleet.seen.texts) == sorted(fleet.first.texts)


async def test_notes_written_while_it_catches_up_are_not_missed(fleet: Fleet) -> None:
    await fleet.old.ingest.run(fleet.user, [long_note(400)])
    await fleet.register()
    side = SideBySide(fleet.new.vectors, fleet.seen)
    topics = ("grace", "storm", "harvest", "vineyard")
    writing = [fleet.old.ingest.run(fleet.user, [note(topic)]) for topic in topics]
    await asyncio.gather(side.catch_up(fleet.user), *writing)
    for topic in topics:
        assert await found(fleet.new, fleet.user, note(topic).body) == topic


async def test_users_do_not_find_each_others_notes(fleet: Fleet) -> None:
    other = authenticated("someone-else")
    await fleet.old.ingest.run(fleet.user, [note("grace")])
    await fleet.register()
    await fleet.new.ingest.run(other, [note("storm")])
    for app in fleet.both:
        assert await found(app, fleet.user, "A storm over the lake and waves") == "grace"
        assert await found(app, other, "unearned grace, a gift") == "storm"


async def test_answers_of_one_are_never_served_by_the_other(fleet: Fleet) -> None:
    assert fleet.old.pipeline.digest != fleet.new.pipeline.digest


async def test_dropping_the_old_leaves_the_new_alone(fleet: Fleet) -> None:
    other = authenticated("someone-else")
    await fleet.old.ingest.run(fleet.user, [note("grace"), note("storm")])
    await fleet.register()
    await fleet.new.ingest.run(other, [note("grace")])
    old = fleet.old.embedder.digest
    vectors = fleet.new.vectors
    assert not await vectors.replace(fleet.user, old, NEW), "nothing is embedded by the new yet"
    await found(fleet.new, fleet.user, "grace")
    await vectors.withdraw(old)
    for user in (fleet.user, other):
        assert await vectors.replace(user, old, NEW)
        assert await vectors.replace(user, old, NEW), "again, after a kill"
    assert await found(fleet.new, fleet.user, "A storm over the lake and waves") == "storm"
    with pytest.raises(EmbedderMismatch):
        await found(fleet.old, fleet.user, "A storm over the lake and waves")
    with connected(fleet.url) as connection:
        for table in ("vectors_beside", "vectors_covered"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


async def test_purging_reaches_the_vectors_of_both(fleet: Fleet) -> None:
    await fleet.old.ingest.run(fleet.user, [note("grace")])
    await fleet.register()
    await fleet.new.ingest.run(fleet.user, [note("storm")])
    for app in fleet.both:
        await found(app, fleet.user, "grace")
    await fleet.new.purge.everything(fleet.user)
    with connected(fleet.url) as connection:
        for table in ("chunk_vectors", "vectors_beside", "chunks", "notes"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
