"""Progress of long work on stderr: a bar on a terminal, now and then a line elsewhere.

Quick work leaves nothing behind, and a notebook, whose output is kept, is shown nothing: where a
command runs it, it sets NOTEBOOK_PROGRESS, and lines go to the command's stderr.
"""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
)
from dataclasses import dataclass
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, Task, TaskID, TextColumn, TimeElapsedColumn

T = TypeVar("T")

FIRST_LINE_S = 1.0
EVERY_S = 10.0
NOTEBOOK_PROGRESS = "NOTEBOOK_PROGRESS"
"""The variable that a command sets for the notebooks it runs; its stderr must be theirs, too."""
_CLEAR_LINE = "\r\x1b[K"
"""What another bar has drawn on the terminal's last line."""


@dataclass(frozen=True, slots=True)
class Bar:
    """What is told of work that was done."""

    progress: Progress
    task: TaskID

    def update(self, n: int = 1) -> None:
        """So much more is done."""
        self.progress.advance(self.task, n)


@contextmanager
def progress_bar(total: int | None, label: str, unit: str = "") -> Iterator[Bar]:
    """Shows on stderr how far the work of the block is, of a `total` number of units.

    Without a total, only that it goes on, and for how long.
    """
    columns = (
        TextColumn("{task.description}:"),
        BarColumn(),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f} {task.fields[unit]}s" if total else ""),
        TimeElapsedColumn(),
    )
    console = Console(stderr=True)
    progress = Progress(
        *columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False
    )
    bar = Bar(progress, progress.add_task(label, total=total, unit=unit))
    if sys.stderr.isatty() and console.is_interactive:
        with progress:
            yield bar
    elif stream := _plain_stderr():
        with _lines(progress.tasks[0], stream):
            yield bar
    else:
        yield bar


@asynccontextmanager
async def entered(context: AbstractAsyncContextManager[T], label: str) -> AsyncIterator[T]:
    """`context`, saying that it goes on where entering it takes long."""
    async with AsyncExitStack() as stack:
        with progress_bar(None, label):
            value = await stack.enter_async_context(context)
        yield value


def _plain_stderr() -> io.TextIOWrapper | None:
    """Where lines may go; a notebook's own stderr is of another kind, and is kept in it."""
    if isinstance(sys.stderr, io.TextIOWrapper):
        return sys.stderr
    beneath = sys.__stderr__ if NOTEBOOK_PROGRESS in os.environ else None
    return beneath if isinstance(beneath, io.TextIOWrapper) else None


@contextmanager
def _lines(task: Task, stream: io.TextIOWrapper) -> Iterator[None]:
    """Another thread speaks: nothing may be updated for minutes, as while a notebook runs."""
    ended = threading.Event()
    start = _CLEAR_LINE if stream.isatty() else ""

    def speak() -> None:
        for line in lines(task, ended.wait):
            print(start + line, file=stream, flush=True)

    speaker = threading.Thread(target=speak, daemon=True)
    speaker.start()
    try:
        yield
    finally:
        ended.set()
        speaker.join()


def lines(task: Task, ended: Callable[[float], bool]) -> Iterator[str]:
    """How far the task is after a second, then every ten, and at the end if it was said before.

    Where the total is None, nobody knows how much there is to do: then first after ten seconds.
    `ended` waits so many seconds, less if the work ends meanwhile, and says whether it has.
    """
    if ended(EVERY_S if task.total is None else FIRST_LINE_S):
        return
    yield _how_far(task)
    while not ended(EVERY_S):
        yield _how_far(task)
    done = "done" if task.total is None else f"{task.completed:,.0f} {task.fields['unit']}s"
    yield f"{task.description}: {done} in {task.elapsed:.0f} s"


def _how_far(task: Task) -> str:
    done = ""
    if task.total:
        units = f"{task.fields['unit']}s"
        done = f"{task.completed:,.0f} of {task.total:,.0f} {units} ({task.percentage:.0f} %), "
    return f"{task.description}: {done}{task.elapsed:.0f} s"
