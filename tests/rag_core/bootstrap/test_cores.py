"""Cores of a machine, shared by its workers."""

from __future__ import annotations

from rag_core.adapters.embedders import available_cores
from rag_core.bootstrap import own_cores
from rag_core.settings import Settings


def test_workers_share_the_cores_and_each_has_one_at_least() -> None:
    assert own_cores(Settings(workers=1)) == available_cores()
    assert own_cores(Settings(workers=available_cores())) == 1
    assert own_cores(Settings(workers=256)) == 1
