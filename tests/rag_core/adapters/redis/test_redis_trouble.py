"""Redis slow, full, frozen or gone: counted, gone without, and never waited for by a save."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from itertools import repeat

import pytest
import redis.asyncio

from rag_core.domain import Tokenizer, UserId
from rag_core.embedded import OwnValkey
from tests.rag_core.adapters.redis.fake_server import FakeServer, Fault
from tests.rag_core.adapters.redis.scenes import (
    CACHED,
    FRESH,
    HARVEST,
    NOTES,
    REVALIDATED,
    provenances,
    settings_on,
)
from tests.rag_core.embedded.processes import eventually
from tests.rag_core.library import edited, note
from tests.rag_core.scene import ANSWER, Scene, open_scene

MENDING = {b"PING", b"HELLO", b"CLIENT"}
"""What a client asks in the background for as long as Redis is away."""

FULL = b"-OOM command not allowed when used memory > 'maxmemory'.\r\n"


@pytest.fixture
async def troubled(
    fake: FakeServer, database_url: str, user: UserId, tokenizer: Tokenizer
) -> AsyncIterator[Scene]:
    """An application on a Redis that is well until it is told otherwise."""
    settings = settings_on(database_url, fake.url, redis_budget_s=0.5)
    async with open_scene(settings, user, tokenizer) as scene:
        yield scene


def asked(fake: FakeServer) -> Counter[bytes]:
    """Commands that came from requests and saves."""
    return Counter({name: n for name, n in fake.commands.items() if name not in MENDING})


@pytest.mark.parametrize("trouble", [None, Fault.CUT, Fault.STALL, FULL, b"WHAT\r\n"])
async def test_a_save_asks_redis_nothing_whatever_state_it_is_in(
    troubled: Scene, fake: FakeServer, trouble: bytes | Fault | None
) -> None:
    """So it can neither wait for it nor fail with it."""
    await troubled.store(*NOTES)
    assert await provenances(troubled) == [FRESH]
    if trouble is not None:
        fake.always(trouble)
        fake.cut_all()
    before = asked(fake)
    await troubled.store(edited(note("grace"), "gift", "present"))
    await troubled.delete("storm")
    await troubled.store(note("storm"))
    assert asked(fake) == before
    assert await provenances(troubled) == [FRESH]
    assert "present" in troubled.generator.prompts[-1].context.render()


@pytest.mark.parametrize("trouble", [Fault.CUT, Fault.STALL, b"WHAT\r\n"])
async def test_after_its_first_failure_no_request_asks_redis_until_it_is_mended(
    troubled: Scene, fake: FakeServer, trouble: bytes | Fault
) -> None:
    await troubled.store(*NOTES)
    fake.always(trouble)

    async def left_alone() -> bool:
        before = asked(fake)
        await troubled.ask()
        return asked(fake) == before

    async def asked_again() -> bool:
        await troubled.ask()
        return asked(fake)[b"GET"] > before[b"GET"]

    await eventually(left_alone)
    before = asked(fake)
    assert CACHED not in await provenances(troubled, times=5)
    assert asked(fake) == before
    stats = (await troubled.application.pipeline.stats())["answer"]
    assert stats.unavailable >= 6
    assert stats.hits == 0
    fake.behave()
    fake.cut_all()
    await eventually(asked_again)


async def test_redis_dead_from_the_start_costs_hits_and_comes_back_by_itself(
    valkey: OwnValkey, database_url: str, user: UserId, tokenizer: Tokenizer
) -> None:
    await valkey.kill()
    settings = settings_on(database_url, valkey.url)
    async with open_scene(settings, user, tokenizer, repeat(ANSWER)) as scene:
        await scene.store(*NOTES)
        assert await provenances(scene, times=3) == [FRESH] * 3
        stats = await scene.application.pipeline.stats()
        assert stats["answer"].unavailable == 3
        assert stats["answer"].hits == 0
        assert (stats["answer"].entries, stats["answer"].size_bytes) == (None, None)
        await valkey.start()
        await eventually(lambda: cached_again(scene))


async def test_redis_frozen_under_way_costs_hits_and_comes_back_by_itself(
    valkey: OwnValkey, database_url: str, user: UserId, tokenizer: Tokenizer
) -> None:
    settings = settings_on(database_url, valkey.url, redis_budget_s=0.05)
    async with open_scene(settings, user, tokenizer, repeat(ANSWER)) as scene:
        await scene.store(*NOTES)
        await eventually(lambda: cached_again(scene))
        with valkey.frozen():
            seen = await provenances(scene, times=10)
            assert set(seen) <= {FRESH, REVALIDATED}
            await scene.store(edited(note("grace"), "gift", "present"))
            assert await provenances(scene) == [FRESH]
            assert "present" in scene.generator.prompts[-1].context.render()
        await eventually(lambda: cached_again(scene))
        assert "present" in (await scene.ask()).citations[0].quote


async def test_redis_restarted_under_way_costs_what_it_held_and_no_more(
    valkey: OwnValkey, database_url: str, user: UserId, tokenizer: Tokenizer
) -> None:
    settings = settings_on(database_url, valkey.url)
    async with open_scene(settings, user, tokenizer, repeat(ANSWER)) as scene:
        await scene.store(*NOTES)
        await eventually(lambda: cached_again(scene))
        await valkey.kill()
        assert set(await provenances(scene, times=3)) == {FRESH}
        await valkey.start()
        await eventually(lambda: cached_again(scene))


async def test_a_full_redis_still_gives_what_it_has(
    valkey: OwnValkey,
    database_url: str,
    user: UserId,
    tokenizer: Tokenizer,
) -> None:
    async with open_scene(settings_on(database_url, valkey.url), user, tokenizer) as scene:
        await scene.store(*NOTES)
        assert await provenances(scene, times=2) == [FRESH, CACHED]
        async with redis.asyncio.from_url(valkey.url) as server:
            await server.config_set("maxmemory-policy", "noeviction")
            await server.config_set("maxmemory", "1")
        assert await provenances(scene) == [CACHED]
        assert await provenances(scene, HARVEST, times=2) == [FRESH, FRESH]


async def cached_again(scene: Scene) -> bool:
    return (await scene.ask()).provenance is CACHED
