"""What is there once the application has started is not looked at by collections of garbage."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from rag_core.bootstrap import settled


@pytest.fixture
def thawed() -> Iterator[None]:
    """As a process starts; all that the suite froze is frozen again afterwards."""
    gc.unfreeze()
    yield
    gc.freeze()


@pytest.mark.usefixtures("thawed")
def test_what_is_there_is_frozen_for_as_long_as_it_serves() -> None:
    with settled():
        assert gc.get_freeze_count() > len(gc.get_objects())
    assert gc.get_freeze_count() == 0


@pytest.mark.usefixtures("thawed")
def test_who_froze_before_decides_what_stays_frozen() -> None:
    gc.freeze()
    frozen, kept = gc.get_freeze_count(), [list[int]() for _ in range(1_000)]
    with settled():
        assert gc.get_freeze_count() <= frozen
    assert 0 < gc.get_freeze_count() <= frozen
    assert len(kept) == 1_000
