"""A user with two notes, and a generator that says each piece when a test tells it to."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from rag_core.domain import Tokenizer, UserId
from tests.rag_core.held_generator import HeldGenerator
from tests.rag_core.library import note
from tests.rag_core.scene import Scene, open_scene, settings_for


@pytest.fixture
async def held() -> HeldGenerator:
    return HeldGenerator()


@pytest.fixture
async def scene(
    database_url: str, user: UserId, tokenizer: Tokenizer, held: HeldGenerator
) -> AsyncIterator[Scene]:
    settings = settings_for(database_url)
    async with open_scene(settings, user, tokenizer, generator=held) as scene:
        await scene.store(note("grace"), note("storm"))
        yield scene
