"""The pipeline with its caches on Redis: shared by processes, and done without when it must be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import repeat
from typing import Any

import pytest
import redis.asyncio

from rag_core.adapters.redis.client import RedisClient
from rag_core.adapters.redis.connect import primaries
from rag_core.adapters.scripted import Outcome
from rag_core.answer import Provenance
from rag_core.errors import ProviderUnavailable
from rag_core.settings import Settings
from rag_core.tokens import Tokenizer
from rag_core.user import UserId
from tests.rag_core.adapters.redis.own_valkey import OwnValkey
from tests.rag_core.embedded.processes import eventually
from tests.rag_core.library import edited, note
from tests.rag_core.scene import ANSWER, QUESTION, Scene, open_scene, settings_for
from tests.servers.counting_proxy import counting_proxy

HARVEST = "What is the harvest short of?"
NOTES = (note("grace"), note("storm"), note("harvest"))
FRESH, CACHED, REVALIDATED, STALE = (
    Provenance.FRESH,
    Provenance.CACHED,
    Provenance.REVALIDATED,
    Provenance.STALE,
)


def settings_on(database_url: str, redis_url: str, **changes: Any) -> Settings:
    """Patient with Redis: a busy machine must not look like a broken server."""
    options = {"cache": "redis", "redis_url": redis_url, "redis_budget_s": 10.0} | changes
    return settings_for(database_url, **options)


@pytest.fixture
async def scene(
    database_url: str, redis_url: str, user: UserId, tokenizer: Tokenizer
) -> AsyncIterator[Scene]:
    settings = settings_on(database_url, redis_url)
    async with open_scene(settings, user, tokenizer, latency_s=3.5) as scene:
        await scene.store(*NOTES)
        yield scene


@pytest.fixture
async def elsewhere(
    database_url: str, redis_url: str, user: UserId, tokenizer: Tokenizer
) -> AsyncIterator[Scene]:
    """The same user in another process."""
    async with open_scene(settings_on(database_url, redis_url), user, tokenizer) as scene:
        yield scene


async def provenances(
    scene: Scene, question: str = QUESTION, *, times: int = 1
) -> list[Provenance]:
    return [(await scene.ask(question)).provenance for _ in range(times)]


async def keys_of(client: RedisClient, pattern: str) -> set[bytes]:
    """The keys that match, on all servers."""
    servers = await primaries(client.driver)
    return {key for server in servers async for key in server.scan_iter(pattern, count=1000)}


async def test_an_answer_is_fresh_then_cached_in_every_process(
    scene: Scene, elsewhere: Scene
) -> None:
    first = await scene.ask()
    second, third = await scene.ask(), await elsewhere.ask()
    assert (first.provenance, second.provenance, third.provenance) == (FRESH, CACHED, CACHED)
    assert (
        (second.text, second.citations)
        == (third.text, third.citations)
        == (
            first.text,
            first.citations,
        )
    )
    assert third.cost_usd == 0
    assert elsewhere.generator.calls == 0


async def test_an_edit_in_one_process_is_obeyed_in_the_other_at_once(
    scene: Scene, elsewhere: Scene
) -> None:
    await scene.ask(HARVEST)
    assert await provenances(elsewhere, HARVEST) == [CACHED]
    await scene.store(edited(note("storm"), "Waves", "Billows"))
    assert await provenances(elsewhere, HARVEST, times=2) == [REVALIDATED, CACHED]
    assert await provenances(scene, HARVEST) == [CACHED]
    await elsewhere.store(edited(note("harvest"), "few", "many"))
    assert await provenances(scene, HARVEST) == [FRESH]
    assert "many" in scene.generator.prompts[-1].context.render()


async def test_no_context_is_kept_until_a_note_matches(scene: Scene, elsewhere: Scene) -> None:
    question = "Who grumbled about vineyard wages?"
    assert await provenances(scene, question, times=2) == [Provenance.NO_CONTEXT] * 2
    assert (await scene.application.pipeline.stats())["answer"].hits == 1
    await elsewhere.store(note("vineyard"))
    assert await provenances(scene, question) == [FRESH]


async def test_a_save_asks_nothing_of_redis(
    valkey: OwnValkey, database_url: str, user: UserId, tokenizer: Tokenizer
) -> None:
    """However it is: up, frozen or gone, it cannot keep a save waiting."""
    async with counting_proxy(valkey.url) as proxy:
        settings = settings_on(database_url, proxy.url)
        async with open_scene(settings, user, tokenizer) as scene:
            await scene.store(*NOTES)
            asked = proxy.round_trips
            proxy.freeze()
            await scene.store(edited(note("storm"), "Waves", "Billows"), note("vineyard"))
            await scene.delete("harvest")
            assert proxy.round_trips == asked
            proxy.resume()


async def test_a_fail_over_brings_no_answer_back_whose_note_was_changed(
    valkey: OwnValkey, redis_url: str, database_url: str, user: UserId, tokenizer: Tokenizer
) -> None:
    """One process has gone over to the new server, the other still talks to the old one."""
    async with (
        open_scene(settings_on(database_url, redis_url), user, tokenizer) as here,
        open_scene(settings_on(database_url, valkey.url), user, tokenizer) as there,
    ):
        await here.store(*NOTES)
        assert await provenances(here, HARVEST, times=2) == [FRESH, CACHED]
        assert await provenances(there, HARVEST, times=2) == [FRESH, CACHED]
        await here.store(edited(note("harvest"), "few", "many"))
        for scene in (there, here):
            assert await provenances(scene, HARVEST) == [FRESH]
            assert "many" in scene.generator.prompts[-1].context.render()


async def test_users_never_meet_each_others_answers(scene: Scene, other_user: UserId) -> None:
    await scene.ask()
    assert (await scene.ask(user=other_user)).provenance is Provenance.NO_CONTEXT
    await scene.store(note("grace", "Grace before meals: say thanks. Paul ate."), user=other_user)
    theirs = await scene.ask(user=other_user)
    assert theirs.provenance is FRESH
    assert theirs.citations[0].quote.startswith("Grace before meals")
    assert (await scene.ask()).citations[0].quote != theirs.citations[0].quote


async def test_past_its_soft_ttl_an_answer_is_served_only_while_no_provider_can(
    database_url: str, redis_url: str, client: RedisClient, user: UserId, tokenizer: Tokenizer
) -> None:
    down = ProviderUnavailable("the provider is down")
    script: list[Outcome] = [ANSWER, down, down]
    settings = settings_on(database_url, redis_url)
    async with open_scene(settings, user, tokenizer, script, latency_s=3.5) as scene:
        await scene.store(*NOTES)
        assert await provenances(scene) == [FRESH]
        scene.clock.advance(2 * 86_400)
        for flight in await keys_of(client, f"rag:{{{user}}}:flight:*"):
            await client.execute("UNLINK", flight)
        stale = await scene.ask()
        assert (stale.provenance, stale.text, stale.cost_usd) == (STALE, ANSWER, 0.0)
        stats = (await scene.application.pipeline.stats())["answer"]
        assert stats.stale_serves == 1
        await scene.store(edited(note("grace"), "gift", "present"))
        with pytest.raises(ProviderUnavailable):
            await scene.ask()


async def test_stats_count_what_each_level_did_and_saved(scene: Scene) -> None:
    fresh = await scene.ask(HARVEST)
    await provenances(scene, HARVEST, times=2)
    await scene.store(edited(note("storm"), "Waves", "Billows"))
    await provenances(scene, HARVEST)
    stats = await scene.application.pipeline.stats()
    answers = stats["answer"]
    assert (answers.hits, answers.misses, answers.revalidations) == (2, 1, 1)
    assert (answers.stale_serves, answers.unavailable) == (0, 0)
    assert fresh.cost_usd > 0
    assert answers.saved_usd == pytest.approx(3 * fresh.cost_usd)
    assert 3 * 3_500 <= answers.saved_ms <= 3 * fresh.timings_ms["total"]
    assert answers.entries
    assert answers.size_bytes
    assert (stats["embedding"].hits, stats["embedding"].misses) == (1, 1)
    assert stats["embedding"].entries
    assert (stats["context"].misses, stats["context"].entries) == (2, 2)


async def test_fifty_identical_questions_at_once_are_one_generation_that_one_of_them_pays(
    scene: Scene,
) -> None:
    answers = await asyncio.gather(*(scene.ask() for _ in range(50)))
    assert scene.generator.calls == 1
    assert {answer.text for answer in answers} == {ANSWER}
    assert [answer.cost_usd > 0 for answer in answers].count(True) == 1
    assert [answer.provenance for answer in answers].count(FRESH) == 1
    stats = (await scene.application.pipeline.stats())["answer"]
    assert (stats.hits, stats.misses) == (49, 1)
    assert stats.saved_usd == pytest.approx(49 * max(answer.cost_usd for answer in answers))


async def test_every_key_of_a_run_names_its_user(
    scene: Scene, client: RedisClient, user: UserId, other_user: UserId
) -> None:
    """And none holds the text of a question."""
    before = await keys_of(client, "*")
    await scene.store(note("grace"), user=other_user)
    for one in (user, other_user):
        await scene.ask(user=one)
        await scene.ask(user=one)
    after = await keys_of(client, "*")
    new = {key.decode() for key in after - before}
    assert all(f"{{{user}}}" in key or f"{{{other_user}}}" in key for key in new)
    kinds = {key.split(":")[2] for key in new}
    assert {"answer", "embedding"} <= kinds <= {"answer", "embedding", "flight"}
    assert not any(word in key.lower() for key in new for word in QUESTION.lower().split())


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


async def test_a_full_redis_still_gives_what_it_has(
    valkey: OwnValkey, database_url: str, user: UserId, tokenizer: Tokenizer
) -> None:
    async with open_scene(settings_on(database_url, valkey.url), user, tokenizer) as scene:
        await scene.store(*NOTES)
        assert await provenances(scene, times=2) == [FRESH, CACHED]
        async with redis.asyncio.from_url(valkey.url) as client:
            await client.config_set("maxmemory-policy", "noeviction")
            await client.config_set("maxmemory", "1")
        assert await provenances(scene) == [CACHED]
        assert await provenances(scene, HARVEST, times=2) == [FRESH, FRESH]


async def cached_again(scene: Scene) -> bool:
    scene.clock.advance(1)
    return (await scene.ask()).provenance is CACHED
