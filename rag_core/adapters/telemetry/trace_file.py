"""Who asked what when, and whose notes changed, as lines that the cache study reads.

Users, questions and notes stand in it as keyed hashes: the same name for the same thing as long as
the key is the same, in every process, and nothing that can be looked up without the key. A question
is hashed together with its user, so that nobody can see that two of them asked the same.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

import msgspec

from rag_core.clock import Clock, SystemClock, recurring
from rag_core.domain.question import MAX_CHARACTERS, normalise
from rag_core.domain.user import UserId
from rag_core.errors import ConfigurationError

WRITTEN_S = 1.0
"""Seconds between two writings: as much may be lost with a process that is killed."""

MAX_LINES = 100_000
"""Number of lines that wait for a disk that does not write; what comes then is not recorded."""

HASH_BYTES = 8
"""Among a million names, two that share a hash have a chance of one in 37 million."""

_LOG = logging.getLogger(__name__)


class Trace(Protocol):
    """Takes down what happens; never waits and never raises."""

    def asked(self, user: UserId, question: str) -> None:
        """A user asked `question`."""
        ...

    def edited(self, user: UserId, note_id: str) -> None:
        """A note of the user was written, changed or deleted."""
        ...


class NoTrace:
    """Trace that keeps nothing."""

    def asked(self, user: UserId, question: str) -> None:
        """See `Trace`."""

    def edited(self, user: UserId, note_id: str) -> None:
        """See `Trace`."""


class TraceFile:
    """Trace that appends to a file of JSON lines, from as many processes as there are.

    Args:
        key: of the hashes.
    """

    def __init__(self, path: Path, key: bytes, clock: Clock) -> None:
        self._path, self._key, self._clock = path, key, clock
        self._lines: list[bytes] = []
        self._dropped = 0

    def asked(self, user: UserId, question: str) -> None:
        """See `Trace`; what is no question, as nothing can be read in it, is not taken down.

        Two questions are one where they are one to the answer cache: up to white space, letter
        case and invisible characters.
        """
        text = normalise(question).casefold() if len(question) <= MAX_CHARACTERS else ""
        if text:
            self._add(user, "request", question=self._hash("question", user, text))

    def edited(self, user: UserId, note_id: str) -> None:
        """See `Trace`."""
        self._add(user, "edit", note=self._hash("note", user, note_id))

    async def write(self) -> None:
        """Append what has come since the last time; what cannot be written is lost, and logged."""
        lines, self._lines = self._lines, []
        dropped, self._dropped = self._dropped, 0
        if dropped:
            _LOG.error("%d lines of the trace are lost: the disk does not keep up", dropped)
        if lines:
            try:
                await asyncio.to_thread(_append, self._path, b"".join(lines))
            except OSError as error:
                _LOG.error("%d lines of the trace are lost: %s", len(lines), error.strerror)

    def _add(self, user: UserId, kind: str, **subject: str) -> None:
        if len(self._lines) >= MAX_LINES:
            self._dropped += 1
            return
        time = round(self._clock.now(), 3)
        row = {"time": time, "user": self._hash("user", user), "kind": kind, **subject}
        self._lines.append(msgspec.json.encode(row) + b"\n")

    def _hash(self, *names: str) -> str:
        message = "\x00".join(names).encode(errors="surrogatepass")
        return hmac.digest(self._key, message, "sha256")[:HASH_BYTES].hex()


@asynccontextmanager
async def open_trace_file(path: Path, key: bytes, clock: Clock) -> AsyncIterator[TraceFile]:
    """A trace that is written every `WRITTEN_S`, and for the last time when the block ends.

    The file is made if need be, for its owner alone, and opened anew each time, so that it may be
    moved away.

    Raises:
        ConfigurationError: the file cannot be written.
    """
    try:
        await asyncio.to_thread(_append, path, b"")
    except OSError as error:
        problem = f"{str(path)!r} cannot be written: {error.strerror}"
        raise ConfigurationError("RAG_TRACE_FILE", problem, "Make its folder") from None
    trace = TraceFile(path, key, clock)
    try:
        async with recurring("the trace is written", trace.write, WRITTEN_S, SystemClock()):
            yield trace
    finally:
        await trace.write()


def _append(path: Path, text: bytes) -> None:
    """One call of `write`: lines of other processes come before it or after it, not within."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        while text:
            text = text[os.write(file, text) :]
    finally:
        os.close(file)
