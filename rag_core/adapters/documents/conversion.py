"""Files to notes, in another process: whatever a file does there, it does not do here."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from tempfile import TemporaryDirectory
from types import TracebackType

import msgspec

from rag_core.adapters.documents import converter
from rag_core.adapters.documents.converter import LENGTH_BYTES, Read, Refused, Task
from rag_core.domain.documents import MAX_DOCUMENT_BYTES, Document
from rag_core.errors import ConfigurationError, InvalidInput

TIMEOUT_S = 20
"""For one file: a PDF of a thousand pages takes about that; chosen."""
MEMORY_BYTES = 512 * 1024 * 1024
"""Of address space, which is more than what is used of it; bounded on Linux alone."""

_PROGRAM = f"from {converter.__name__} import main; main()"

_decoder: msgspec.msgpack.Decoder[Read | Refused] = msgspec.msgpack.Decoder(Read | Refused)


class Conversion:
    """Converts files one after the other, in a process that is started when it is needed.

    One that a file has killed is started anew for the next. An async context manager.
    """

    def __init__(self, *, timeout_s: int = TIMEOUT_S, memory_bytes: int = MEMORY_BYTES) -> None:
        self._limits = (timeout_s, memory_bytes)
        self._process: Process | None = None
        self._turn = asyncio.Lock()
        self._folder: TemporaryDirectory[str] | None = None

    async def __aenter__(self) -> Conversion:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self._end()
        if self._folder:
            self._folder.cleanup()

    async def convert(self, note_id: str, content: bytes) -> Document:
        """A file as a note of that id, unless the file gives itself one.

        Raises:
            InvalidInput: the file is too large, of no type that can be read, encrypted, scanned,
                broken, or takes more time or memory than it may.
            ConfigurationError: what reads its type is not installed.
        """
        if len(content) > MAX_DOCUMENT_BYTES:
            problem = f"has {len(content):,} bytes, more than {MAX_DOCUMENT_BYTES:,}"
            raise InvalidInput("file", problem, "Split it, or take the pictures out")
        async with self._turn:
            try:
                answer = await self._ask(msgspec.msgpack.encode(Task(note_id, content)))
            except (EOFError, ConnectionError):
                raise await self._killed() from None
            except asyncio.CancelledError:
                await self._end()  # half an answer may be on its way
                raise
        if isinstance(answer, Read):
            return answer.document
        if answer.setting:
            raise ConfigurationError(answer.field, answer.problem, answer.fix)
        raise InvalidInput(answer.field, answer.problem, answer.fix)

    async def _ask(self, task: bytes) -> Read | Refused:
        process = self._process = self._process or await self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(len(task).to_bytes(LENGTH_BYTES, "big") + task)
        await process.stdin.drain()
        length = int.from_bytes(await process.stdout.readexactly(LENGTH_BYTES), "big")
        return _decoder.decode(await process.stdout.readexactly(length))

    async def _start(self) -> Process:
        """With nothing of our environment in it: no key or password is of use there."""
        self._folder = self._folder or TemporaryDirectory(prefix="rag-convert-")
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-c", _PROGRAM, *map(str, self._limits)),
            cwd=self._folder.name,
            env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "LANG": "C.UTF-8"},
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
        )

    async def _killed(self) -> InvalidInput:
        """What the file did to the process, in words."""
        process, self._process = self._process, None
        assert process is not None
        _, said = await process.communicate()
        last = said.decode(errors="replace").strip().rpartition("\n")[2][:200]
        if process.returncode == -signal.SIGALRM:
            return InvalidInput(
                "file", f"takes longer than {self._limits[0]} s to read", "Split it"
            )
        if last.startswith("MemoryError") or process.returncode == -signal.SIGKILL:
            megabytes = self._limits[1] // 2**20
            return InvalidInput("file", f"takes more than {megabytes} MB to read", "Split it")
        why = last or f"the reader ended with {process.returncode}"
        return InvalidInput("file", f"is broken: {why}", "Open it and save it again")

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process and process.returncode is None:
            process.kill()
            await process.communicate()
