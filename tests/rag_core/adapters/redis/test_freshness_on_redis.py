"""No answer is served on changed notes, whatever happens to Redis and whoever changes them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import redis.asyncio

from rag_core.adapters.redis import RedisClient
from rag_core.domain import Tokenizer, UserId
from rag_core.embedded import OwnValkey
from tests.rag_core.adapters.redis.scenes import (
    CACHED,
    FRESH,
    NO_CONTEXT,
    NOTES,
    provenances,
    settings_on,
    user_keys,
)
from tests.rag_core.held_generator import HeldGenerator
from tests.rag_core.library import connected, edited, note
from tests.rag_core.scene import ANSWER, Scene, open_scene, settings_for


@pytest.fixture
async def reader(
    database_url: str, redis_url: str, user: UserId, tokenizer: Tokenizer
) -> AsyncIterator[Scene]:
    """A process that has an answer on Redis."""
    async with open_scene(settings_on(database_url, redis_url), user, tokenizer) as scene:
        await scene.store(*NOTES)
        assert await provenances(scene, times=2) == [FRESH, CACHED]
        yield scene


async def test_a_process_without_redis_deletes_and_the_answer_is_gone_at_once(
    reader: Scene, database_url: str, user: UserId, tokenizer: Tokenizer
) -> None:
    async with open_scene(settings_for(database_url), user, tokenizer) as other:
        await other.delete("grace")
    assert await provenances(reader) == [NO_CONTEXT]


async def test_a_process_with_another_redis_edits_and_the_answer_is_made_anew_at_once(
    reader: Scene, valkey: OwnValkey, database_url: str, user: UserId, tokenizer: Tokenizer
) -> None:
    async with open_scene(settings_on(database_url, valkey.url), user, tokenizer) as other:
        await other.store(edited(note("grace"), "gift", "present"))
    assert await provenances(reader) == [FRESH]
    assert "present" in reader.generator.prompts[-1].context.render()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE chunks SET text = 'Grace is a present.' WHERE user_id = %s AND note_id = 'grace'",
        "DELETE FROM chunks WHERE user_id = %s AND note_id = 'grace'",
        "UPDATE notes SET title = 'Of grace' WHERE user_id = %s AND id = 'grace'",
    ],
)
async def test_a_change_by_plain_sql_is_obeyed_at_once(
    reader: Scene, database_url: str, user: UserId, statement: str
) -> None:
    with connected(database_url) as connection:
        connection.execute(statement.encode(), (user,))
    assert CACHED not in await provenances(reader)


async def test_when_redis_fails_over_while_a_writer_still_reaches_the_old_primary_nothing_is_stale(
    valkey: OwnValkey,
    client: RedisClient,
    database_url: str,
    redis_url: str,
    user: UserId,
    tokenizer: Tokenizer,
) -> None:
    """The promoted one has a copy of the answer, and hears nothing of the change."""
    async with (
        open_scene(settings_on(database_url, redis_url), user, tokenizer) as writer,
        open_scene(settings_on(database_url, valkey.url), user, tokenizer) as reader,
    ):
        await writer.store(*NOTES)
        answer = await writer.ask()
        await copy_answers(client, valkey.url, user)
        assert await provenances(reader) == [CACHED]
        await writer.store(edited(note("grace"), "gift", "present"))
        after = await reader.ask()
        assert after.provenance is FRESH
        assert after.evidence != answer.evidence
        assert "present" in reader.generator.prompts[-1].context.render()
        assert await provenances(writer) == [FRESH]


async def copy_answers(client: RedisClient, to_url: str, user: UserId) -> None:
    """As replication does."""
    async with redis.asyncio.from_url(to_url) as replica:
        for key in await user_keys(client, user, "answer"):
            await replica.set(key, await client.execute("GET", key), ex=600)


async def test_an_answer_that_was_being_made_when_its_note_was_deleted_is_served_to_nobody_after(
    database_url: str, redis_url: str, user: UserId, tokenizer: Tokenizer
) -> None:
    """Its maker paused for as long as it likes, and kept it long after the change."""
    held = HeldGenerator()
    settings = settings_on(database_url, redis_url)
    async with (
        open_scene(settings, user, tokenizer, generator=held) as slow,
        open_scene(settings, user, tokenizer) as other,
    ):
        await slow.store(*NOTES)
        making = asyncio.create_task(slow.ask())
        await held.asked()
        await other.delete("grace")
        assert await provenances(other) == [NO_CONTEXT]
        held.say(ANSWER)
        held.end()
        assert (await making).provenance is FRESH, "it was asked before"
        for scene in (slow, other):
            assert await provenances(scene, times=2) == [NO_CONTEXT] * 2
