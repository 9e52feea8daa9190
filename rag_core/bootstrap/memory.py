"""What starting leaves behind: memory that was freed, and that the process keeps all the same."""

from __future__ import annotations

import ctypes
import gc


def return_freed_memory() -> None:
    """Give the system back what loading models and tokenizers took for a while.

    glibc keeps it, some 25 MB, for allocations to come; other C libraries have no such call.
    """
    gc.collect()
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)
