"""Reads of epochs that a test ends, and what the event loop has to complain of."""

from __future__ import annotations

import asyncio

import pytest

from rag_core.cache import Epoch
from tests.rag_core.cache.parts import ANN, BEN, EpochReads


@pytest.fixture
def reads() -> EpochReads:
    reads = EpochReads()
    reads.epochs = {ANN: Epoch("a1"), BEN: Epoch("b1")}
    return reads


@pytest.fixture
async def complaints() -> list[object]:
    """What the event loop has to complain of, such as an error that nobody asked for."""
    said: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: said.append(context))
    return said
