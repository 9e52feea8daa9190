"""What waits to be read, as operators are told of it."""

from __future__ import annotations

from dataclasses import replace

from rag_core.domain import Tokenizer, UserId
from rag_core.events import DocumentsWaiting, Event
from tests.rag_core.embedded.processes import eventually
from tests.rag_core.scene import open_scene, settings_for


async def test_how_much_waits_to_be_read_is_told_until_it_is_deleted(
    own_database: str, user: UserId, tokenizer: Tokenizer
) -> None:
    async with open_scene(settings_for(own_database), user, tokenizer) as scene:
        documents, reading = scene.application.documents, scene.application.reading
        assert await reading.store.queued() == (0, 0.0)
        given = await documents.add(user, "storm.md", b"The disciples feared the storm.")
        heard: list[Event] = []
        async with replace(reading, listener=heard.append).watched():
            await eventually(lambda: bool(heard))
        (event,) = heard
        assert isinstance(event, DocumentsWaiting)
        assert event.versions == 1
        assert event.oldest_s >= 0
        await documents.delete(user, given.document.id)
        assert await reading.store.queued() == (0, 0.0)
