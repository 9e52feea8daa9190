"""Sessions on Redis: they outlive a process, and nothing of them outlives what they rest on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from rag_core.adapters.redis import RedisClient
from rag_core.conversation import Reply
from rag_core.domain import Tokenizer, UserId
from rag_core.settings import Settings
from tests.rag_core.adapters.redis.scenes import NOTES, keys_of, settings_on
from tests.rag_core.scene import QUESTION, Scene, open_scene

FOLLOW_UP = "Why did he call it that?"


@pytest.fixture
def settings(database_url: str, redis_url: str) -> Settings:
    return settings_on(database_url, redis_url)


@pytest.fixture
async def scene(settings: Settings, user: UserId, tokenizer: Tokenizer) -> AsyncIterator[Scene]:
    async with open_scene(settings, user, tokenizer) as scene:
        await scene.store(*NOTES)
        yield scene


async def converse(scene: Scene, *questions: str, session_id: str = "") -> tuple[str, Reply]:
    """The session, and the last reply in it."""
    app = scene.application
    session_id = session_id or (await app.conversations.begin(scene.user)).id
    for question in questions:
        reply = await app.conversations.answer(app.pipeline, question, scene.user, session_id)
    return session_id, reply


async def words_of(client: RedisClient, user: UserId) -> str:
    """All that Redis holds of a user, keys and values."""
    found = sorted(await keys_of(client, f"rag:{{{user}}}:*"))
    dumped = [await client.execute("DUMP", key) for key in found]
    return " ".join([*found, *(each.decode("latin-1") for each in dumped if each)])


async def test_a_conversation_goes_on_in_another_process(
    scene: Scene, settings: Settings, user: UserId, tokenizer: Tokenizer
) -> None:
    session_id, _ = await converse(scene, QUESTION)
    async with open_scene(settings, user, tokenizer) as elsewhere:
        _, reply = await converse(elsewhere, FOLLOW_UP, session_id=session_id)
    assert reply.resolution.question == f"{QUESTION} {FOLLOW_UP}"


async def test_a_session_holds_no_word_of_a_note(
    scene: Scene, client: RedisClient, user: UserId
) -> None:
    session_id, reply = await converse(scene, "What of grace?")
    assert reply.answer.citations
    (kept,) = await client.execute("LRANGE", f"rag:{{{user}}}:session:{session_id}", 0, -1)
    quoted = {word for each in reply.answer.citations for word in each.quote.lower().split()}
    words = quoted | set(reply.answer.text.lower().split())
    asked = {"what", "of", "grace?", "grace", "is", "a", "it", "to", "that", "no", "in", "be", "by"}
    assert not [word for word in words - asked if word.encode() in kept.lower()]


async def test_what_was_asked_of_a_deleted_note_goes_when_it_is_read_or_purged(
    scene: Scene, client: RedisClient, user: UserId
) -> None:
    purge, conversations = scene.application.purge, scene.application.conversations
    read, _ = await converse(scene, QUESTION)
    purged, _ = await converse(scene, QUESTION)
    await scene.delete("grace")
    assert (await conversations.read(user, read)).turns == ()
    assert not await client.execute("EXISTS", f"rag:{{{user}}}:session:{read}")
    await purge.run(datetime.now(UTC) + timedelta(days=1))
    assert not await client.execute("EXISTS", f"rag:{{{user}}}:session:{purged}")
    assert len(await conversations.sessions(user)) == 2, "the sessions themselves are there"


async def test_after_delete_all_redis_holds_no_word_of_the_user(
    scene: Scene, client: RedisClient, user: UserId
) -> None:
    await converse(scene, QUESTION, FOLLOW_UP)
    before = (await words_of(client, user)).lower()
    assert "grace" in before
    assert "session" in before
    await scene.application.purge.everything(user)
    after = (await words_of(client, user)).lower()
    assert not [word for word in ("grace", "paul", "session", "answer", "why") if word in after]
