"""Progress where there is no terminal: lines at the right moments, by a clock of the test's own."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from rag_core.cli import Lines, entered, progress_bar
from rag_core.cli import progress_bar as progresses
from rag_core.domain import UserId


class Told:
    """What was written, over a clock that is set by hand."""

    def __init__(self, total: int | None) -> None:
        self.lines: list[str] = []
        self.now_s = 100.0
        self._progress = Lines(
            total, "ingest", "note", write=self.lines.append, now=lambda: self.now_s
        )

    def at(self, seconds: float, done: int = 0) -> list[str]:
        """The lines that were written at so many seconds after the start, so much more done."""
        self.lines.clear()
        self.now_s = 100.0 + seconds
        self._progress.update(done)
        self._progress.tick()
        return list(self.lines)

    def end(self) -> list[str]:
        self.lines.clear()
        self._progress.end()
        return self.lines

    @property
    def wait_s(self) -> float:
        return self._progress.wait_s


def test_work_says_how_far_it_is_after_a_second_and_then_every_ten() -> None:
    told = Told(2000)
    assert told.at(0.9, 100) == []
    assert told.at(1.0, 100) == ["ingest: 200 of 2,000 notes (10 %), 1 s\n"]
    assert told.at(10.9) == []
    assert told.at(11.0, 800) == ["ingest: 1,000 of 2,000 notes (50 %), 11 s\n"]
    assert told.at(60.0) == ["ingest: 1,000 of 2,000 notes (50 %), 60 s\n"]
    assert told.at(61.0, 1000) == []
    assert told.end() == ["ingest: 2,000 notes in 61 s\n"]


def test_quick_work_says_nothing() -> None:
    told = Told(10)
    assert told.at(0.5, 10) == []
    assert told.end() == []


def test_work_of_unknown_length_says_that_it_goes_on() -> None:
    told = Told(None)
    assert told.at(9.9) == []
    assert told.at(10.0) == ["ingest: 10 s\n"]
    assert told.end() == ["ingest: done in 10 s\n"]


def test_it_knows_how_long_to_wait_for_its_next_line() -> None:
    told = Told(10)
    assert told.wait_s == 1.0
    told.at(3.0)
    assert told.wait_s == 10.0
    told.now_s += 20
    assert told.wait_s == 0.0


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """First lines come without a second's wait."""
    monkeypatch.setattr(progresses, "FIRST_LINE_S", 0.0)
    monkeypatch.setattr(progresses, "_BAR_DELAY_S", 0.0)


@pytest.mark.usefixtures("at_once")
def test_lines_come_while_nothing_is_updated() -> None:
    """As while a notebook runs: another thread speaks."""
    written = io.BytesIO()
    pipe = io.TextIOWrapper(written)
    with progress_bar(4, "notebooks", "notebook", stream=pipe):
        while not written.getvalue():
            pass
    first, last = written.getvalue().decode().splitlines()
    assert first == "notebooks: 0 of 4 notebooks (0 %), 0 s"
    assert last == "notebooks: 0 notebooks in 0 s"


@pytest.mark.usefixtures("at_once")
def test_a_notebook_keeps_no_progress_among_its_outputs() -> None:
    """There stderr is an object of the kernel's, as here one of another kind."""
    stream = io.StringIO()
    with progress_bar(4, "ask", "question", stream=stream) as bar:
        bar.update(4)
    assert stream.getvalue() == ""


@pytest.mark.usefixtures("at_once")
def test_a_terminal_shows_a_bar() -> None:
    ours, theirs = pty.openpty()
    with (
        open(theirs, "w", encoding="utf-8") as terminal,
        progress_bar(4, "ask", "question", stream=terminal) as bar,
    ):
        bar.update(4)
    shown = os.read(ours, 10_000).decode()
    os.close(ours)
    assert "ask: " in shown
    assert "4/4" in shown


async def test_entering_takes_and_gives_what_the_context_does() -> None:
    left = []

    @asynccontextmanager
    async def context() -> AsyncIterator[str]:
        yield "value"
        left.append("value")

    async with entered(context(), "starting") as value:
        assert (value, left) == ("value", [])
    assert left == ["value"]


PIPED = """
import sys
from rag_core.cli import progress_bar
progress.FIRST_LINE_S, progress.EVERY_S = 0.0, 0.05
from rag_core.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


def test_a_piped_ingest_says_that_it_starts_and_how_far_it_is(
    database_url: str, exported_model: Path, tmp_path: Path, user: UserId
) -> None:
    file = tmp_path / "notes.jsonl"
    file.write_text('{"id": "a", "title": "On grace", "body": "Grace is a gift."}')
    done = subprocess.run(
        [sys.executable, "-c", PIPED, "ingest", str(file), "--user", user],
        capture_output=True,
        text=True,
        env=os.environ
        | {"RAG_DATABASE_URL": database_url, "RAG_EMBEDDER_MODEL": str(exported_model)},
        check=True,
    )
    assert done.stdout.startswith("1 notes read")
    assert "starting: connecting to the servers" in done.stderr
    assert "of 1 notes (" in done.stderr
    assert "\r" not in done.stderr
