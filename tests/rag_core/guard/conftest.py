"""A clock that tests move by hand."""

from __future__ import annotations

import pytest

from rag_core.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()
