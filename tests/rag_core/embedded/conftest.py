"""Fixtures of the embedded stack's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
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
async def home(tmp_path: Path) -> AsyncIterator[Path]:
    """A home that does not exist yet; after the test, nothing may be running in it."""
    yield tmp_path / "home"
    await eventually(lambda: not running_below(tmp_path))


@pytest.fixture
async def start_user(home: Path) -> AsyncIterator[StartUser]:
    """A function that starts a user of a home in another process, killed when the test ends."""
    async with AsyncExitStack() as users:

        async def start(home: Path) -> StackUser:
            return await users.enter_async_context(started_user(home))

        yield start
