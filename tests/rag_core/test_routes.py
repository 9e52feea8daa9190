"""The ways of a question and of a note: which files they pass, in order."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from types import FrameType

import rag_core
from rag_core.domain import Tokenizer, UserId
from tests.rag_core.library import note
from tests.rag_core.scene import open_scene, settings_for

PACKAGE = Path(rag_core.__file__).parent
QUESTION = (
    "request.py",
    "domain/question.py",
    "safety/injection.py",
    "lanes.py",
    "cache/caches.py",
    "search/retrieval.py",
    "domain/evidence.py",
    "providers/generation.py",
    "cache/caches.py",
    "request.py",
)
"""From `answer` to the stored answer; the pipeline itself stands between any two of them."""

NOTE = (
    "domain/notes.py",
    "adapters/postgres/notes.py",
    "domain/chunks.py",
    "bootstrap/trace.py",
)
"""From `run` to the stored note, which the trace takes down where there is one; the embedder, which
comes before the last, is the tests' own."""

TIMED = {"step", "__enter__", "__exit__", "bound", "keeping", "in_time", "elapsed_ms", "__bool__"}
"""Asked on the way without passing anything on."""


@contextmanager
def passed_from(use_case: str) -> Iterator[list[str]]:
    """The files that `use_case` calls straight, one after the other."""
    passed: list[str] = []

    def called(frame: FrameType, event: str, argument: object) -> None:
        if event != "call" or frame.f_back is None or frame.f_code.co_name in TIMED:
            return
        caller, callee = (Path(each.f_code.co_filename) for each in (frame.f_back, frame))
        inside = callee != caller and callee.is_relative_to(PACKAGE)
        if caller == PACKAGE / use_case and inside and callee.name != "single_flight.py":
            passed.append(callee.relative_to(PACKAGE).as_posix())

    sys.setprofile(called)
    try:
        yield passed
    finally:
        sys.setprofile(None)
        passed[:] = [name for name, _ in groupby(passed)]


async def test_a_question_passes_few_files_and_none_more_than_twice(
    database_url: str, user: UserId, tokenizer: Tokenizer
) -> None:
    async with open_scene(settings_for(database_url), user, tokenizer) as scene:
        await scene.store(note("grace"))
        with passed_from("pipeline.py") as passed:
            await scene.ask()
    assert tuple(passed) == QUESTION
    assert len({"pipeline.py", *passed}) <= 9
    assert max(Counter(passed).values()) <= 2


async def test_a_note_passes_few_files_and_none_more_than_twice(
    database_url: str, user: UserId, tokenizer: Tokenizer
) -> None:
    async with open_scene(settings_for(database_url), user, tokenizer) as scene:
        with passed_from("ingest.py") as passed:
            await scene.store(note("grace"))
    assert tuple(passed) == NOTE
