"""Progress where there is no terminal: lines at the right moments, by a clock of the test's own."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from rich.progress import Progress

from rag_core.cli import entered, progress, progress_bar
from rag_core.cli.progress import lines
from rag_core.domain import UserId


def told(total: int | None, *, ends_s: float, per_s: int = 0) -> list[str]:
    """The lines of work that does so much a second, by a clock that waiting moves."""
    now_s = 100.0
    bar = Progress(get_time=lambda: now_s)
    number = bar.add_task("ingest", total=total, unit="note")

    def ended(wait_s: float) -> bool:
        nonlocal now_s
        waited_s = min(wait_s, 100.0 + ends_s - now_s)
        now_s += waited_s
        bar.advance(number, per_s * waited_s)
        return waited_s < wait_s

    return list(lines(bar.tasks[0], ended))


def test_work_says_how_far_it_is_after_a_second_and_then_every_ten() -> None:
    assert told(2000, ends_s=25, per_s=80) == [
        "ingest: 80 of 2,000 notes (4 %), 1 s",
        "ingest: 880 of 2,000 notes (44 %), 11 s",
        "ingest: 1,680 of 2,000 notes (84 %), 21 s",
        "ingest: 2,000 notes in 25 s",
    ]


def test_quick_work_says_nothing() -> None:
    assert told(10, ends_s=0.9) == []


def test_work_of_unknown_length_says_that_it_goes_on() -> None:
    assert told(None, ends_s=9.9) == []
    assert told(None, ends_s=12) == ["ingest: 10 s", "ingest: done in 12 s"]


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """First lines come without a second's wait."""
    monkeypatch.setattr(progress, "FIRST_LINE_S", 0.0)


@pytest.mark.usefixtures("at_once")
def test_lines_come_while_nothing_is_updated(monkeypatch: pytest.MonkeyPatch) -> None:
    """As while a notebook runs: another thread speaks."""
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(written))
    with progress_bar(4, "notebooks", "notebook"):
        while not written.getvalue():
            pass
    first, last = written.getvalue().decode().splitlines()
    assert first == "notebooks: 0 of 4 notebooks (0 %), 0 s"
    assert last == "notebooks: 0 notebooks in 0 s"


@pytest.mark.usefixtures("at_once")
def test_a_notebook_keeps_no_progress_among_its_outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    """There stderr is an object of the kernel's, as here one of another kind."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with progress_bar(4, "ask", "question") as bar:
        bar.update(4)
    assert stream.getvalue() == ""


@pytest.mark.usefixtures("at_once")
def test_a_notebook_that_a_command_runs_tells_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    kept, beneath = io.StringIO(), io.BytesIO()
    monkeypatch.setattr(sys, "stderr", kept)
    monkeypatch.setattr(sys, "__stderr__", io.TextIOWrapper(beneath))
    monkeypatch.setenv(progress.NOTEBOOK_PROGRESS, "1")
    with progress_bar(4, "ask", "question"):
        while not beneath.getvalue():
            pass
    assert beneath.getvalue().decode().splitlines()[0] == "ask: 0 of 4 questions (0 %), 0 s"
    assert kept.getvalue() == ""


@pytest.mark.parametrize(("total", "shown"), [(4, "4/4 questions"), (None, "0:00:00")])
def test_a_terminal_shows_a_bar(
    total: int | None, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = pty.openpty()
    with open(theirs, "w", encoding="utf-8") as terminal, monkeypatch.context() as patch:
        patch.setenv("TERM", "xterm")
        patch.setattr(sys, "stderr", terminal)
        with progress_bar(total, "ask", "question") as bar:
            bar.update(4)
    written = "".join(_written_to(ours))
    assert "ask: " in written
    assert shown in written


def _written_to(terminal: int) -> Iterator[str]:
    with open(terminal, encoding="utf-8") as shown, suppress(OSError):  # once nobody writes
        yield from shown


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
from rag_core.cli import progress
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
