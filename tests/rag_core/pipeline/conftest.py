"""A user with three notes, whose questions go through the pipeline; some tests have their own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from rag_core.domain import Tokenizer, UserId
from tests.rag_core.library import note
from tests.rag_core.scene import Scene, open_scene, settings_for


@pytest.fixture
async def scene(database_url: str, user: UserId, tokenizer: Tokenizer) -> AsyncIterator[Scene]:
    """A user with three notes, and a generator that always says the same."""
    async with open_scene(settings_for(database_url), user, tokenizer) as scene:
        await scene.store(note("grace"), note("storm"), note("harvest"))
        scene.embedder.texts.clear()
        scene.embedder.calls = 0
        yield scene
