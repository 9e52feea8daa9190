"""A process's use of a home's servers: a connection to their supervisor, which ends with it."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import socket
import sys
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rag_core.embedded.child import python_environment
from rag_core.embedded.home import StackHome, log_tail, open_log, socket_folder, unwritable
from rag_core.errors import EmbeddedServerError

Urls = Mapping[str, str]


@dataclass(frozen=True)
class _Line:
    reader: StreamReader
    writer: StreamWriter
    starts_supervisor: bool


@contextlib.asynccontextmanager
async def lease(
    home: StackHome, servers: Sequence[str], *, timeout_s: float
) -> AsyncIterator[Urls]:
    """Hold the named servers for a block, and get their URLs by name.

    Whoever leaves last also waits until they are stopped.

    Raises EmbeddedServerError when a server does not start, or nothing answers in time.
    """
    line, granted = await _take(home, servers, timeout_s)
    try:
        yield granted
    finally:
        await _give_back(line)


async def _take(home: StackHome, servers: Sequence[str], timeout_s: float) -> tuple[_Line, Urls]:
    try:
        async with asyncio.timeout(timeout_s):
            while True:
                line = await _connect(home)
                if line and (granted := await _ask(home, line, servers)):
                    return line, granted
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise EmbeddedServerError(
            f"the supervisor of {home.root} does not answer after {timeout_s:g} s; "
            f"{home.supervisor_log} ends with:\n{log_tail(home.supervisor_log)}\n",
            f"See which process holds {home.lock} (fuser), and end it",
        ) from None


async def _connect(home: StackHome) -> _Line | None:
    """Reach the supervisor, or become the one who starts it; None if it is coming or going."""
    with _lock(home) as lock:
        if lock is not None:
            return await _start_supervisor(home, lock)
    control = home.lock.read_text()
    if not control:  # its holder is about to write it
        return None
    try:
        return _Line(*await asyncio.open_unix_connection(control), starts_supervisor=False)
    except (FileNotFoundError, ConnectionRefusedError):
        return None


async def _ask(home: StackHome, line: _Line, servers: Sequence[str]) -> Urls | None:
    """Ask for servers; None if the supervisor was already on its way out."""
    answer = b""
    try:
        with contextlib.suppress(ConnectionError):
            line.writer.write(json.dumps({"servers": list(servers)}).encode() + b"\n")
            answer = await line.reader.readline()
        if answer:
            return _granted(json.loads(answer))
        if line.starts_supervisor:  # ours, so it was not going: it broke
            raise _broken(home)
        return None
    finally:
        if not answer or b'"urls"' not in answer:
            line.writer.close()


def _granted(reply: dict[str, object]) -> Urls:
    match reply:
        case {"urls": dict(urls)}:
            return urls
        case _:
            raise EmbeddedServerError(str(reply["problem"]), str(reply["fix"]))


async def _give_back(line: _Line) -> None:
    try:
        line.writer.write_eof()
        async with asyncio.timeout(30):
            await line.reader.read()
    except (ConnectionError, TimeoutError):
        pass  # the supervisor is gone, or will finish without us
    finally:
        line.writer.close()


@contextlib.contextmanager
def _lock(home: StackHome) -> Iterator[int | None]:
    """The home's lock if nobody holds it, else None.

    Closing our descriptor does not free a lock whose copy the supervisor has inherited.
    """
    try:
        descriptor = os.open(home.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except PermissionError as error:
        raise EmbeddedServerError(
            f"{home.root} belongs to another user's servers",
            "Set RAG_HOME to a folder of your own",
        ) from error
    except OSError as error:
        raise unwritable(home.root, error) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield descriptor
    finally:
        os.close(descriptor)


async def _start_supervisor(home: StackHome, lock: int) -> _Line:
    """Listen in the supervisor's name and connect, then start it: no moment without an owner.

    Our connection waits in the queue of the socket that the supervisor inherits.
    """
    control = socket_folder(home.root, owner=os.geteuid()) / "control.sock"
    control.unlink(missing_ok=True)
    os.ftruncate(lock, 0)
    os.pwrite(lock, os.fsencode(control), 0)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(control))
        listener.listen(128)
        line = _Line(*await asyncio.open_unix_connection(control), starts_supervisor=True)
        with contextlib.ExitStack() as undo:
            undo.callback(line.writer.close)
            await _spawn_supervisor(home, listener.fileno(), lock)
            undo.pop_all()
    return line


async def _spawn_supervisor(home: StackHome, listener: int, lock: int) -> None:
    with open_log(home.supervisor_log) as log:
        starter = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "rag_core.embedded.supervisor"),
            *(str(home.root), str(listener), str(lock)),
            cwd=home.root,
            env=python_environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(listener, lock),
            start_new_session=True,
        )
    if await starter.wait() != 0:
        raise _broken(home)


def _broken(home: StackHome) -> EmbeddedServerError:
    return EmbeddedServerError(
        f"the supervisor of the embedded servers ended at once; {home.supervisor_log} ends with:\n"
        f"{log_tail(home.supervisor_log)}\n",
        "Mend what it names, or use servers of your own: RAG_DATABASE_URL, RAG_REDIS_URL",
    )
