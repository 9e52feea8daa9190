"""Progress of long work on stderr: a bar on a terminal, now and then a line elsewhere.

Quick work shows nothing, and neither does a notebook, whose output is kept.
"""

from __future__ import annotations

import io
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
)
from typing import Protocol, TextIO, TypeVar

from tqdm import tqdm

T = TypeVar("T")

FIRST_LINE_S = 1.0
EVERY_S = 10.0
_BAR_DELAY_S = 0.3


class Progress(Protocol):
    """What is told of work that was done."""

    def update(self, n: int = 1) -> object:
        """So much more is done."""
        ...


class Lines:
    """Says how far the work is after a second, then every ten, and at the end if it said so before.

    Where `total` is None, nobody knows how much there is to do: then first after ten seconds.
    """

    def __init__(
        self,
        total: int | None,
        label: str,
        unit: str,
        *,
        write: Callable[[str], object],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._total, self._label, self._unit = total, label, unit
        self._write, self._now = write, now
        self._began = now()
        self._due_s = EVERY_S if total is None else FIRST_LINE_S
        self._done = 0
        self._has_spoken = False

    def update(self, n: int = 1) -> None:
        """So much more is done."""
        self._done += n

    def tick(self) -> None:
        """Say how far it is, if it is time to."""
        if (took_s := self._took_s) >= self._due_s:
            self._due_s = took_s + EVERY_S
            self._has_spoken = True
            self._write(f"{self._label}: {self._how_far()}{took_s:.0f} s\n")

    def end(self) -> None:
        """Say how long it took, if anything was said before."""
        if self._has_spoken:
            done = "done" if self._total is None else f"{self._done:,} {self._unit}s"
            self._write(f"{self._label}: {done} in {self._took_s:.0f} s\n")

    @property
    def wait_s(self) -> float:
        """Seconds until the next line is due."""
        return max(0.0, self._due_s - self._took_s)

    @property
    def _took_s(self) -> float:
        return self._now() - self._began

    def _how_far(self) -> str:
        if not self._total:
            return ""
        percent = 100 * self._done / self._total
        return f"{self._done:,} of {self._total:,} {self._unit}s ({percent:.0f} %), "


@contextmanager
def progress_bar(
    total: int | None, label: str, unit: str = "", *, stream: TextIO | None = None
) -> Iterator[Progress]:
    """Shows on `stream`, or stderr, how far the work of the block is.

    Without a total, only that it goes on, and for how long.
    """
    stream = stream or sys.stderr
    if stream.isatty() and total is not None:
        with tqdm(total=total, desc=label, unit=unit, file=stream, delay=_BAR_DELAY_S) as bar:
            yield bar
        return
    with _lines(total, label, unit, stream) as lines:
        yield lines


@asynccontextmanager
async def entered(context: AbstractAsyncContextManager[T], label: str) -> AsyncIterator[T]:
    """`context`, saying that it goes on where entering it takes long."""
    async with AsyncExitStack() as stack:
        with progress_bar(None, label):
            value = await stack.enter_async_context(context)
        yield value


@contextmanager
def _lines(total: int | None, label: str, unit: str, stream: TextIO) -> Iterator[Lines]:
    def write(line: str) -> None:
        if isinstance(stream, io.TextIOWrapper):  # a notebook's is of another kind
            stream.write(line)
            stream.flush()

    lines = Lines(total, label, unit, write=write)
    ended = threading.Event()
    ticking = threading.Thread(target=_tick, args=(lines, ended), daemon=True)
    ticking.start()
    try:
        yield lines
    finally:
        ended.set()
        ticking.join()
        lines.tick()
        lines.end()


def _tick(lines: Lines, ended: threading.Event) -> None:
    """Nothing may be updated for minutes, as while a notebook runs."""
    while not ended.wait(lines.wait_s):
        lines.tick()
