"""Threads that embed: as many as there are cores, and behind what else the process does."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor

NICENESS = 5
"""Of these threads, on Linux, where a thread has its own: where all cores are taken, an answer that
is cached does not wait for the vectors of other questions. At 5 a thread still gets a quarter of
the core that it shares with one other (sched(7): weights of 335 and 1024)."""


def available_cores() -> int:
    """Number of cores that this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def background_threads(name: str, count: int) -> ThreadPoolExecutor:
    """A pool of so many threads of that name, which others go before."""
    return ThreadPoolExecutor(count, thread_name_prefix=name, initializer=_stand_back)


def _stand_back() -> None:
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, 0, os.getpriority(os.PRIO_PROCESS, 0) + NICENESS)
