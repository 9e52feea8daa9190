"""What starting leaves behind: freed memory that is kept, and objects that stay to the end."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def settled() -> Iterator[None]:
    """For the block, what is there now is there to stay: no collection of garbage looks at it.

    A hundred thousand objects of modules and models, that is, which take a full collection some
    50 ms while every request waits. Where they have been frozen before (`gc.freeze`), whoever did
    it decides. What loading took for a while is given back to the system first: glibc keeps it,
    some 25 MB, for allocations to come; other C libraries have no such call.
    """
    gc.collect()
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)
    if gc.get_freeze_count():
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
