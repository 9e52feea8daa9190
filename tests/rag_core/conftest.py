"""Fixtures shared by the tests of rag_core."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from rag_core.adapters.llama_tokenizer import LlamaTokenizer
from rag_core.bootstrap import Application, assemble
from rag_core.clock import SystemClock
from rag_core.domain import Generator, Tokenizer, UserId
from tests.rag_core.library import CountingEmbedder, note
from tests.rag_core.scene import settings_for

Open = Callable[..., AbstractAsyncContextManager[Application]]
"""Takes providers and settings."""


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    """The real Llama 3.2 tokenizer: loading it takes a second, so once."""
    return LlamaTokenizer()


@pytest.fixture
def before(own_database: str, user: UserId, tokenizer: Tokenizer) -> Open:
    """Opens an application before the user's one note, on the clock of the system."""

    @asynccontextmanager
    async def opened(*providers: Generator, **settings: Any) -> AsyncIterator[Application]:
        async with assemble(
            settings_for(own_database, provider_retries=0, **settings),
            embedder=CountingEmbedder(),
            providers=providers,
            tokenizer=tokenizer,
            clock=SystemClock(),
        ) as application:
            await application.ingest.run(user, [note("grace")])
            yield application

    return opened
