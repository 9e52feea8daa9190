"""A clock that tests move by hand, and the epoch of the user."""

from __future__ import annotations

import pytest

from rag_core.cache import Epoch
from rag_core.clock import ManualClock
from tests.rag_core.cache.caches.lookups import USER
from tests.rag_core.cache.parts import KnownEpochs


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def epochs() -> KnownEpochs:
    known = KnownEpochs()
    known.epochs[USER] = Epoch("now")
    return known
