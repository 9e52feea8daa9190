"""Flights of one process, and a work that ends when a test tells it to."""

from __future__ import annotations

import pytest

from rag_core.cache import SingleFlight
from tests.rag_core.cache.parts import Work


@pytest.fixture
async def work() -> Work:
    return Work()


@pytest.fixture
def flights() -> SingleFlight:
    return SingleFlight()
