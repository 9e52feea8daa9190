"""RAG_MAX_STALENESS_S: how late an answer may be, what it spares, and that 0 is strict."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from rag_core.domain import Provenance, Tokenizer, UserId
from rag_core.errors import DatabaseUnavailable
from tests.rag_core.embedded.processes import eventually
from tests.rag_core.library import edited, note
from tests.rag_core.scene import Scene, open_scene, settings_for
from tests.servers.counting_proxy import CountingProxy, counting_proxy

FRESH, CACHED = Provenance.FRESH, Provenance.CACHED
PERMITTED_S = 10.0


@pytest.fixture
async def proxy(database_url: str) -> AsyncIterator[CountingProxy]:
    """The way of the reader to Postgres; its writer has another."""
    async with counting_proxy(database_url) as proxy:
        yield proxy


@pytest.fixture
async def writer(database_url: str, user: UserId, tokenizer: Tokenizer) -> AsyncIterator[Scene]:
    async with open_scene(settings_for(database_url), user, tokenizer) as scene:
        await scene.store(note("grace"), note("storm"))
        yield scene


@pytest.fixture
async def reader(
    proxy: CountingProxy, writer: Scene, user: UserId, tokenizer: Tokenizer
) -> AsyncIterator[Scene]:
    """A process that believes an epoch for ten seconds, and has an answer."""
    settings = settings_for(proxy.url, max_staleness_s=PERMITTED_S)
    async with open_scene(settings, user, tokenizer) as scene:
        assert (await scene.ask()).provenance is FRESH
        yield scene


async def test_an_answer_is_never_later_than_permitted(reader: Scene, writer: Scene) -> None:
    await writer.store(edited(note("grace"), "gift", "present"))
    reader.clock.advance(PERMITTED_S - 0.001)
    assert (await reader.ask()).provenance is CACHED
    reader.clock.advance(0.001)
    assert (await reader.ask()).provenance is FRESH
    assert "present" in reader.generator.prompts[-1].context.render()


async def test_an_answer_that_is_made_meanwhile_is_not_kept_for_those_who_ask_strictly(
    reader: Scene, writer: Scene
) -> None:
    """It is kept with the epoch that was believed, which is not the one of now."""
    await writer.store(edited(note("grace"), "gift", "present"))
    assert (await reader.ask("What does Paul say of grace?")).provenance is FRESH
    reader.clock.advance(PERMITTED_S)
    assert (await reader.ask("What does Paul say of grace?")).provenance is Provenance.REVALIDATED


async def cost_of_five(scene: Scene, proxy: CountingProxy) -> int:
    """Round trips that five cached answers took together."""
    before = proxy.round_trips
    for _ in range(5):
        assert (await scene.ask()).provenance is CACHED
    return proxy.round_trips - before


async def test_within_that_time_postgres_is_not_asked(reader: Scene, proxy: CountingProxy) -> None:
    async def nothing() -> bool:
        return await cost_of_five(reader, proxy) == 0

    await eventually(nothing)  # once the pools beside it have opened their connections


async def test_with_postgres_away_answers_are_served_for_so_long_and_then_none(
    reader: Scene, proxy: CountingProxy
) -> None:
    proxy.refuse()
    reader.clock.advance(PERMITTED_S - 0.001)
    assert (await reader.ask()).provenance is CACHED
    reader.clock.advance(0.001)
    with pytest.raises(DatabaseUnavailable):
        await reader.ask()


async def test_strictly_a_cached_answer_asks_once_and_with_postgres_away_there_is_none(
    proxy: CountingProxy, writer: Scene, user: UserId, tokenizer: Tokenizer
) -> None:
    async with open_scene(settings_for(proxy.url), user, tokenizer) as strict:
        assert (await strict.ask()).provenance is FRESH

        async def one_each() -> bool:
            return await cost_of_five(strict, proxy) == 5

        await eventually(one_each)
        proxy.refuse()
        with pytest.raises(DatabaseUnavailable):
            await strict.ask()
