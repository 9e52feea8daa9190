"""How much a run tries: a quick look, all that is reported, or what takes hours."""

from __future__ import annotations

from pathlib import Path

from evals.run.runner import CELL_TIMEOUT_S

PROFILES = ("smoke", "full", "bench")
"""From the quickest to the longest."""
NOT_IN = {"09_load": ("smoke",), "10_hnsw": ("smoke",)}
"""Profiles for which a notebook takes too long: a minute and more, and nothing runs beside it."""
NEEDS = {"06_safety": "attacks.jsonl", "07_validity": "planted.jsonl"}
"""Files of the golden folder without which a notebook has nothing to measure."""
_IN_BENCH = ("10_hnsw",)
"""Notebooks that have more to try than the profile full has time for."""
_BENCH_TIMEOUT_S = 6 * 3600
"""A cell that takes longer hangs: graphs over 100,000 rows take hours to build."""


def profile_of(notebook: str, profile: str) -> str:
    """The profile that a notebook gets in a run by `profile`: bench where it has one, else full."""
    return "full" if profile == "bench" and notebook not in _IN_BENCH else profile


def cell_timeout_s(profile: str) -> float:
    """Seconds after which a cell of a run by `profile` is taken to hang."""
    return _BENCH_TIMEOUT_S if profile == "bench" else CELL_TIMEOUT_S


def takes_part(notebook: str, profile: str, golden: Path) -> bool:
    """Whether it runs unless asked for by name; says so where it does not."""
    if profile in NOT_IN.get(notebook, ()):
        print(f"{notebook} is left out of profile {profile}; --only runs it")
        return False
    needed = NEEDS.get(notebook)
    if needed is None or (golden / needed).exists():
        return True
    print(f"{notebook} is left out: {golden.name} has no {needed}")
    return False
