from __future__ import annotations

from evals.results.machine import machine


def test_the_machine_is_described() -> None:
    found = machine()
    assert found.cores >= 1
    assert found.memory_gb > 0
    assert found.python.count(".") == 2
    assert found.cpu in str(found)
