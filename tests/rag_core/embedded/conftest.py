"""Fixtures of the embedded stack's tests."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.rag_core.embedded.processes import (
    StackUser,
    StartUser,
    eventually,
    running_below,
    started_user,
)


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder with a name so short that sockets would fit below it."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


@pytest.fixture
async def home(short: Path) -> AsyncIterator[Path]:
    """A home that does not exist yet; after the test, nothing may be running in it."""
    yield short / "home"
    await eventually(lambda: not running_below(short))


@pytest.fixture
async def start_user(home: Path) -> AsyncIterator[StartUser]:
    """A function that starts a user of a home in another process, killed when the test ends."""
    async with AsyncExitStack() as users:

        async def start(home: Path) -> StackUser:
            return await users.enter_async_context(started_user(home))

        yield start
