"""The pipeline with its caches on Redis: what one process knows, all know."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

import pytest

from rag_core.adapters.generators import ScriptItem
from rag_core.adapters.redis import RedisClient
from rag_core.clock import SystemClock
from rag_core.domain import Tokenizer, UserId
from rag_core.errors import ProviderUnavailable
from rag_core.events import StepFinished
from rag_core.guard import budget_left, spend
from tests.rag_core.adapters.redis.scenes import (
    CACHED,
    FRESH,
    HARVEST,
    NO_CONTEXT,
    NOTES,
    REVALIDATED,
    STALE,
    keys_of,
    provenances,
    settings_on,
    user_keys,
)
from tests.rag_core.cache.parts import settled
from tests.rag_core.embedded.processes import eventually
from tests.rag_core.held_generator import HeldGenerator
from tests.rag_core.library import CountingEmbedder, edited, note
from tests.rag_core.scene import ANSWER, QUESTION, Scene, open_scene

if TYPE_CHECKING:
    from rag_core.domain import Matrix


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


class Dawdling(CountingEmbedder):
    """Whatever Redis may take of a request is used up by the time its question is embedded."""

    async def embed(self, texts: Sequence[str]) -> Matrix:
        spend(budget_left(99.0))
        return await super().embed(texts)


async def test_an_answer_is_kept_though_looking_for_it_took_all_the_time_for_redis(
    database_url: str, redis_url: str, user: UserId, tokenizer: Tokenizer
) -> None:
    settings = settings_on(database_url, redis_url)
    async with open_scene(settings, user, tokenizer, embedder=Dawdling()) as scene:
        await scene.store(*NOTES)
        assert await provenances(scene, times=2) == [FRESH, CACHED]


async def test_an_answer_is_fresh_then_cached_in_every_process(
    scene: Scene, elsewhere: Scene
) -> None:
    first = await scene.ask()
    second, third = await scene.ask(), await elsewhere.ask()
    assert (first.provenance, second.provenance, third.provenance) == (FRESH, CACHED, CACHED)
    assert first.text == second.text == third.text
    assert first.citations == second.citations == third.citations
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
    assert await provenances(scene, question, times=2) == [NO_CONTEXT] * 2
    assert (await scene.application.pipeline.stats())["answer"].hits == 1
    await elsewhere.store(note("vineyard"))
    assert await provenances(scene, question) == [FRESH]


async def test_users_never_meet_each_others_answers(scene: Scene, other_user: UserId) -> None:
    await scene.ask()
    assert (await scene.ask(user=other_user)).provenance is NO_CONTEXT
    await scene.store(note("grace", "Grace before meals: say thanks. Paul ate."), user=other_user)
    theirs = await scene.ask(user=other_user)
    assert theirs.provenance is FRESH
    assert theirs.citations[0].quote.startswith("Grace before meals")
    assert (await scene.ask()).citations[0].quote != theirs.citations[0].quote


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


async def test_every_key_of_a_run_names_its_user(
    scene: Scene, client: RedisClient, user: UserId, other_user: UserId
) -> None:
    """And none holds the text of a question."""
    before = await keys_of(client, "*")
    await scene.store(note("grace"), user=other_user)
    for one in (user, other_user):
        await scene.ask(user=one)
        await scene.ask(user=one)
    new = await keys_of(client, "*") - before
    assert all(f"{{{user}}}" in key or f"{{{other_user}}}" in key for key in new)
    kinds = {key.split(":")[2] for key in new}
    assert {"answer", "embedding"} <= kinds <= {"answer", "embedding", "flight"}
    assert not any(word in key.lower() for key in new for word in QUESTION.lower().split())


# One generation in the whole fleet


async def joined(scene: Scene, count: int) -> None:
    """Return once so many questions have looked into the cache and wait for a generation."""

    def looked() -> bool:
        ended = [event.step for event in scene.events if isinstance(event, StepFinished)]
        return ended.count("answer_cache") == count

    await eventually(looked)
    await settled()


async def test_fifty_identical_questions_at_once_are_one_generation_that_one_of_them_pays(
    database_url: str, redis_url: str, user: UserId, tokenizer: Tokenizer
) -> None:
    held = HeldGenerator()
    settings = settings_on(database_url, redis_url)
    async with open_scene(settings, user, tokenizer, generator=held) as scene:
        await scene.store(*NOTES)
        asking = [asyncio.create_task(scene.ask()) for _ in range(50)]
        await joined(scene, 50)
        await held.asked()
        held.say(ANSWER)
        held.end()
        answers = await asyncio.gather(*asking)
        stats = (await scene.application.pipeline.stats())["answer"]
    assert held.calls == 1
    assert {answer.text for answer in answers} == {ANSWER}
    assert [answer.cost_usd > 0 for answer in answers].count(True) == 1
    assert [answer.provenance for answer in answers].count(FRESH) == 1
    assert (stats.hits, stats.misses) == (49, 1)
    assert stats.saved_usd == pytest.approx(49 * max(answer.cost_usd for answer in answers))


async def test_a_question_that_another_process_is_answering_is_answered_by_it(
    database_url: str, redis_url: str, user: UserId, tokenizer: Tokenizer
) -> None:
    """Streamed or not, in both; who follows gets the whole."""
    held, unused = HeldGenerator(), HeldGenerator()
    settings = settings_on(database_url, redis_url)
    async with (
        open_scene(settings, user, tokenizer, generator=held) as scene,
        open_scene(settings, user, tokenizer, generator=unused) as elsewhere,
    ):
        await scene.store(*NOTES)
        leader = asyncio.create_task(scene.stream())
        await held.asked()
        followers = (asyncio.create_task(elsewhere.stream()), asyncio.create_task(elsewhere.ask()))
        await joined(elsewhere, 2)
        held.say(ANSWER)
        held.end()
        _, led = await leader
        pieces, streamed = await followers[0]
        answered = await followers[1]
    assert (led.text, led.provenance) == (ANSWER, FRESH)
    assert pieces == [ANSWER]
    for answer in (streamed, answered):
        assert (answer.text, answer.cost_usd) == (ANSWER, 0.0)
        assert answer.provenance is REVALIDATED
    assert unused.calls == 0


async def test_past_its_soft_ttl_an_answer_is_served_only_while_no_provider_can(
    database_url: str, redis_url: str, client: RedisClient, user: UserId, tokenizer: Tokenizer
) -> None:
    down = ProviderUnavailable("the provider is down")
    script: list[ScriptItem] = [ANSWER, down, down]
    settings = settings_on(database_url, redis_url)
    async with open_scene(settings, user, tokenizer, script, latency_s=3.5) as scene:
        await scene.store(*NOTES)
        assert await provenances(scene) == [FRESH]
        scene.clock.advance(2 * 86_400)
        for key in await user_keys(client, user, "flight"):  # Redis has its own clock
            await client.execute("DEL", key)
        pieces, stale = await scene.stream()
        assert (stale.provenance, stale.text, stale.cost_usd) == (STALE, ANSWER, 0.0)
        assert pieces == [ANSWER]
        stats = (await scene.application.pipeline.stats())["answer"]
        assert stats.stale_serves == 1
        await scene.store(edited(note("grace"), "gift", "present"))
        with pytest.raises(ProviderUnavailable):
            await scene.ask()


async def test_when_the_process_that_answers_gives_up_those_that_wait_for_it_do_not_try_again(
    database_url: str, redis_url: str, client: RedisClient, user: UserId, tokenizer: Tokenizer
) -> None:
    """Its provider hangs, and is one for all: each serves the old answer that it has itself."""
    here, there = HeldGenerator(), HeldGenerator()
    hurried = settings_on(database_url, redis_url, request_timeout_s=3.0, answer_soft_ttl_s=1e-9)
    patient = settings_on(database_url, redis_url, answer_soft_ttl_s=1e-9)
    clock = SystemClock()
    async with (
        open_scene(hurried, user, tokenizer, generator=here, clock=clock) as scene,
        open_scene(patient, user, tokenizer, generator=there, clock=clock) as elsewhere,
    ):
        await scene.store(*NOTES)
        first = asyncio.create_task(scene.ask())
        await here.asked()
        here.say(ANSWER)
        here.end()
        assert (await first).provenance is FRESH
        for key in await user_keys(client, user, "flight"):
            await client.execute("DEL", key)
        leader = asyncio.create_task(scene.ask())
        await here.asked(times=2)
        follower = asyncio.create_task(elsewhere.ask())
        assert [(await one).provenance for one in (leader, follower)] == [STALE, STALE]
        assert there.calls == 0
        for one in (scene, elsewhere):
            assert (await one.application.pipeline.stats())["answer"].stale_serves == 1


async def test_whoever_waits_for_another_process_has_a_deadline_of_its_own(
    database_url: str, redis_url: str, client: RedisClient, user: UserId, tokenizer: Tokenizer
) -> None:
    """The other one has more time; here the old answer is served meanwhile."""
    here, there = HeldGenerator(), HeldGenerator()
    patient = settings_on(database_url, redis_url, answer_soft_ttl_s=1e-9)
    hurried = settings_on(database_url, redis_url, request_timeout_s=3.0, answer_soft_ttl_s=1e-9)
    clock = SystemClock()
    async with (
        open_scene(patient, user, tokenizer, generator=here, clock=clock) as scene,
        open_scene(hurried, user, tokenizer, generator=there, clock=clock) as elsewhere,
    ):
        await scene.store(*NOTES)
        first = asyncio.create_task(scene.ask())
        await here.asked()
        here.say(ANSWER)
        here.end()
        await first
        for key in await user_keys(client, user, "flight"):
            await client.execute("DEL", key)
        leader = asyncio.create_task(scene.ask())
        await here.asked(times=2)
        assert (await elsewhere.ask()).provenance is STALE
        assert (there.calls, here.open) == (0, 1)
        here.say("Grace is a present [1].")
        here.end()
        assert (await leader).provenance is FRESH
