"""What is taken down: who asked what when, and nobody's name or words."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rag_core.adapters.telemetry import TraceFile, open_trace_file
from rag_core.clock import ManualClock
from rag_core.domain import UserId
from rag_core.errors import ConfigurationError

RUTH, BOAZ = UserId("ruth"), UserId("boaz")
KEY = b"a key that nobody guesses"


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def moved_away(path: Path) -> Path:
    return path.rename(path.with_suffix(".old"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "trace.jsonl"


async def test_requests_and_edits_stand_in_it_with_their_times(path: Path) -> None:
    clock = ManualClock(start_s=1_800_000_000.25)
    async with open_trace_file(path, KEY, clock) as trace:
        trace.asked(RUTH, "What is grace?")
        clock.advance(1.5)
        trace.edited(RUTH, "grace")
    asked, edited = rows(path)
    assert set(asked) == {"time", "user", "kind", "question"}
    assert set(edited) == {"time", "user", "kind", "note"}
    assert [(row["time"], row["kind"]) for row in (asked, edited)] == [
        (1_800_000_000.25, "request"),
        (1_800_000_001.75, "edit"),
    ]
    assert asked["user"] == edited["user"]


async def test_a_question_is_the_same_where_the_answer_cache_takes_it_for_the_same(
    path: Path,
) -> None:
    async with open_trace_file(path, KEY, ManualClock()) as trace:
        for text in ("What is grace?", "  what  IS\ngrace?\u200b"):
            trace.asked(RUTH, text)
        trace.asked(RUTH, "What is grace!")
        trace.asked(BOAZ, "What is grace?")
    same, again, other, boazs = rows(path)
    assert same["question"] == again["question"]
    assert len({same["question"], other["question"], boazs["question"]}) == 3
    assert same["user"] != boazs["user"]


async def test_neither_names_nor_words_stand_in_it_nor_can_be_looked_up_without_the_key(
    path: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.jsonl"
    for file, key in ((path, KEY), (other, b"another key of some length")):
        async with open_trace_file(file, key, ManualClock()) as trace:
            trace.asked(RUTH, "What is grace?")
            trace.edited(RUTH, "grace")
    text = str(rows(path))
    assert not any(word in text for word in ("ruth", "grace", "What", KEY.decode()))
    names = ("user", "question", "note")
    hashes = {row[name] for row in rows(path) for name in names if name in row}
    assert not any(each in str(rows(other)) for each in hashes)


async def test_what_is_no_question_is_not_taken_down(path: Path) -> None:
    async with open_trace_file(path, KEY, ManualClock()) as trace:
        for text in ("", " \n", "\u200b", "x" * 8_001):
            trace.asked(RUTH, text)
    assert rows(path) == []


def test_processes_share_a_file_and_name_users_alike(path: Path) -> None:
    program = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from rag_core.adapters.telemetry import open_trace_file\n"
        "from rag_core.clock import SystemClock\n"
        "async def main():\n"
        "    async with open_trace_file(Path(sys.argv[1]), b'k' * 16, SystemClock()) as trace:\n"
        "        for turn in range(50):\n"
        "            for number in range(40): trace.asked('ruth', f'question {number}')\n"
        "            await trace.write()\n"
        "asyncio.run(main())\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", program, str(path)]) for _ in range(3)]
    assert [process.wait() for process in running] == [0, 0, 0]
    found = rows(path)
    assert len(found) == 3 * 50 * 40
    assert len({row["question"] for row in found}) == 40
    assert len({row["user"] for row in found}) == 1


async def test_a_file_that_was_moved_away_is_made_anew_for_its_owner_alone(path: Path) -> None:
    async with open_trace_file(path, KEY, ManualClock()) as trace:
        trace.asked(RUTH, "one")
        await trace.write()
        old = moved_away(path)
        trace.asked(RUTH, "two")
    assert len(rows(path)) == len(rows(old)) == 1
    assert os.stat(path).st_mode & 0o777 == 0o600


async def test_a_trace_goes_on_where_the_last_one_ended(path: Path) -> None:
    for _ in range(2):
        async with open_trace_file(path, KEY, ManualClock()) as trace:
            trace.asked(RUTH, "one")
    assert len(rows(path)) == 2


async def test_a_file_that_cannot_be_written_is_said_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"RAG_TRACE_FILE.*No such file"):
        async with open_trace_file(tmp_path / "absent" / "t.jsonl", KEY, ManualClock()):
            pass


async def test_what_cannot_be_written_later_is_logged_and_harms_nobody(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_trace_file(path, KEY, ManualClock()) as trace:
        trace.asked(RUTH, "one")
        moved_away(path)
        os.mkdir(path)
        await trace.write()
    assert "1 lines of the trace are lost: Is a directory" in caplog.text


async def test_lines_that_wait_for_a_disk_are_bounded(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("rag_core.adapters.telemetry.trace_file.MAX_LINES", 3)
    trace = TraceFile(path, KEY, ManualClock())
    for number in range(5):
        trace.asked(RUTH, str(number))
    await trace.write()
    assert len(await asyncio.to_thread(rows, path)) == 3
    assert "2 lines of the trace are lost" in caplog.text
