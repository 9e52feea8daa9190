"""Files read by a worker while it, Valkey and Postgres are killed: none is lost or doubled."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import psutil

from evals.bench.document_files import MadeFile, made_files
from evals.bench.figures import Figure
from evals.drills.own_postgres import OwnPostgres
from evals.project import ROOT, project_settings
from rag_core.adapters.postgres import PostgresDocuments, PostgresNotes, open_database
from rag_core.cli import progress_bar
from rag_core.clock import SystemClock
from rag_core.documents import Documents
from rag_core.domain import DocumentSearch, StoredDocument, UserId
from rag_core.embedded import OwnValkey, PostgresServer, StackHome, ensure_database
from rag_core.errors import Unavailable
from rag_core.migrations import migrate

# Chosen: kills of each run, seconds until a run hangs, until the next look, of a try again.
KILLS, PATIENCE_S, POLL_S, PAUSE_S = 10, 1_500.0, 0.1, 0.2
T = TypeVar("T")
MOST_BYTES = 512 * 1024 * 1024
USER = UserId("reader")


@dataclass
class Converter:
    """What was seen of the processes that files are converted in."""

    peak_bytes: int = 0
    """Of memory in use, of the largest."""
    most_file_bytes: set[str] = field(default_factory=set)
    """What the kernel lets them write into a file."""
    left_behind: set[str] = field(default_factory=set)
    """Names of files in their folder."""

    async def watch(self) -> None:
        """Look at them for ever."""
        while True:
            for process in psutil.process_iter(["cmdline"]):
                if "documents.converter" in " ".join(process.info["cmdline"] or ()):
                    with suppress(OSError, ValueError):  # it has just ended
                        self._look(Path("/proc") / str(process.pid))
            await asyncio.sleep(POLL_S)

    def _look(self, process: Path) -> None:
        status = dict(
            line.split(":", 1) for line in (process / "status").read_text().splitlines() if line
        )
        peak_kb = int(status.get("VmHWM", "0 kB").split()[0])
        self.peak_bytes = max(self.peak_bytes, peak_kb * 1024)
        limits = (process / "limits").read_text().splitlines()
        soft = {line[:25].strip(): line[26:].split()[0] for line in limits[1:]}
        if soft["Max address space"] != "unlimited":  # before, it imports, and reads no file
            self.most_file_bytes.add(soft["Max file size"])
        self.left_behind.update(os.listdir(process / "cwd"))


@dataclass
class Site:
    """The servers and the worker, each of which may be killed."""

    postgres: OwnPostgres
    valkey: OwnValkey
    worker: Process | None = None
    crashes: int = 0
    """Ends of the worker that nobody wanted."""

    async def start_worker(self) -> None:
        """As the command does, with settings of its own."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("RAG_")}
        environment |= {
            "RAG_DATABASE_URL": self.postgres.url,
            "RAG_REDIS_URL": self.valkey.url,
            "RAG_HOME": str(project_settings().home.resolve()),
            "RAG_INGEST_CONCURRENCY": "2",
            "PYTHONPATH": str(ROOT),
        }
        self.worker = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "rag_core", "worker"),
            env=environment,
            stdout=DEVNULL,
            stderr=DEVNULL,
        )

    async def kill(self, victim: str) -> None:
        """kill -9, and start again."""
        if victim == "worker":
            await self.end_worker(signal.SIGKILL)
            await self.start_worker()
        elif victim == "Valkey":
            await self.valkey.kill()
            await self.valkey.start()
        else:
            await self.postgres.restart()

    async def end_worker(self, number: signal.Signals) -> None:
        """Send it a signal, and wait for its end."""
        if self.worker and self.worker.returncode is None:
            self.worker.send_signal(number)
            await self.worker.wait()

    async def look_after(self) -> None:
        """Start a worker that ended by itself, and count that."""
        if self.worker and self.worker.returncode is not None:
            self.crashes += 1
            await self.start_worker()


async def hundred_files(folder: Path) -> list[Figure]:
    """A hundred files."""
    return await read_files(folder, 100)


async def thousand_files(folder: Path) -> list[Figure]:
    """A thousand files; takes some ten minutes."""
    return await read_files(folder, 1_000)


async def read_files(folder: Path, count: int) -> list[Figure]:
    """The number of `count` files, given, read and counted under ten kills.

    Raises:
        Unavailable: files still waited after `PATIENCE_S`.
    """
    files = await asyncio.to_thread(made_files, count)
    given = [each for each in files if not each.name.endswith("jsonl")]
    lines = [each for each in files if each.name.endswith("jsonl")]
    converter = Converter()
    watching = asyncio.create_task(converter.watch())
    try:
        async with _site(folder) as site:
            began = time.perf_counter()
            found, notes = await _read(site, given)
            took_s = time.perf_counter() - began
            rejected = await _ingested(site, folder / "lines", lines)
            figures = _figures(given, found, notes, site)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    bad_lines = sum(not each.good for each in lines)
    return [
        *figures,
        Figure(
            *("files of JSON lines, by ingest", f"{len(lines) - rejected} in, {rejected} rejected"),
            f"{len(lines) - bad_lines}, {bad_lines}",
            rejected == bad_lines,
        ),
        Figure(
            "converter, peak of memory",
            f"{converter.peak_bytes / 2**20:.0f} MB",
            "≤ 512 MB",
            0 < converter.peak_bytes <= MOST_BYTES,
        ),
        Figure(
            "converter, bytes that it may write to a file",
            ", ".join(sorted(converter.most_file_bytes)),
            "0, and nothing in its folder",
            converter.most_file_bytes == {"0"} and not converter.left_behind,
        ),
        Figure("given, read and stored in", f"{took_s:.0f} s", ""),
    ]


@asynccontextmanager
async def _site(folder: Path) -> AsyncIterator[Site]:
    server = PostgresServer(StackHome.prepare(folder / "postgres"))
    url = await server.start()
    try:
        await ensure_database(url, patience_s=15)
        await asyncio.to_thread(migrate, url)
        async with OwnValkey(folder / "valkey") as valkey:
            site = Site(OwnPostgres(server, url), valkey)
            await site.start_worker()
            try:
                yield site
            finally:
                await site.end_worker(signal.SIGTERM)
    finally:
        await server.stop()


async def _read(site: Site, files: list[MadeFile]) -> tuple[list[StoredDocument], list[str]]:
    """All documents, and the ids of all notes, once nothing waits."""
    chance = random.Random(0)
    at = sorted(chance.sample(range(1, len(files)), KILLS))
    victims = [("worker", "Postgres", "Valkey")[n % 3] for n in range(KILLS)]
    deadline = time.monotonic() + PATIENCE_S
    async with open_database(site.postgres.url, write_timeout_s=5) as database:
        documents = Documents(
            store=PostgresDocuments(database), clock=SystemClock(), changed=lambda user, note: None
        )
        giving = asyncio.create_task(_give(documents, files))
        with progress_bar(len(files), "reading", "file") as bar:
            done = 0
            while done < len(files) or not giving.done():
                if time.monotonic() > deadline:
                    raise Unavailable(f"{len(files) - done} files still wait")
                found = await _insisting(partial(_all, documents))
                now = sum(each.newest.status in ("ready", "failed") for each in found)
                bar.update(now - done)
                done = now
                if at and done >= at[0]:
                    at.pop(0)
                    await site.kill(victims[len(at)])
                await site.look_after()
                await asyncio.sleep(POLL_S)
        await giving
        notes = await _insisting(partial(PostgresNotes(database).stored_notes, USER))
        return await _insisting(partial(_all, documents)), list(notes.notes)


async def _give(documents: Documents, files: list[MadeFile]) -> None:
    """As a client does who tries again for as long as he is not told that it went well."""
    for each in files:
        await _insisting(partial(documents.add, USER, each.name, each.content))


async def _all(documents: Documents) -> list[StoredDocument]:
    found: list[StoredDocument] = []
    while page := await documents.search(
        USER, DocumentSearch(after=found[-1].id if found else "", most=500)
    ):
        found += page
    return found


async def _insisting(ask: Callable[[], Awaitable[T]]) -> T:
    while True:
        with suppress(Unavailable):
            return await ask()
        await asyncio.sleep(PAUSE_S)


async def _ingested(site: Site, folder: Path, files: list[MadeFile]) -> int:
    """How many of the files the command rejects."""
    await asyncio.to_thread(_written, folder, files)
    environment = os.environ | {
        "RAG_DATABASE_URL": site.postgres.url,
        "RAG_HOME": str(project_settings().home.resolve()),
        "PYTHONPATH": str(ROOT),
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "rag_core", "ingest", str(folder), "--user", "lines"),
        env=environment,
        stdout=DEVNULL,
        stderr=PIPE,
    )
    _, said = await process.communicate()
    return sum(line.startswith("error: ") for line in said.decode().splitlines())


def _written(folder: Path, files: list[MadeFile]) -> None:
    folder.mkdir()
    for each in files:
        (folder / each.name).write_bytes(each.content)


def _figures(
    given: list[MadeFile], found: list[StoredDocument], notes: list[str], site: Site
) -> list[Figure]:
    good = {each.name for each in given if each.good}
    names = [each.newest.path for each in found]
    ready = {each.newest.path for each in found if each.newest.status == "ready"}
    told = {
        each.newest.path for each in found if each.newest.status == "failed" and each.newest.problem
    }
    lost = {each.name for each in given} - set(names)
    doubled = len(names) - len(set(names)) + len(set(notes)) - len(ready)
    bad = len(given) - len(good)
    return [
        Figure(f"good files in answers, n = {len(good)}", f"{len(good & ready)}", f"{len(good)}",
               good == ready),
        Figure(f"bad files reported with a reason, n = {bad}", f"{len(told - good)}", f"{bad}",
               len(told - good) == bad),
        Figure(f"documents lost under {KILLS} kills", f"{len(lost)}", "0", not lost),
        Figure("documents or notes doubled", f"{doubled}", "0", doubled == 0),
        Figure("crashes of the worker", f"{site.crashes}", "0", site.crashes == 0),
    ]  # fmt: skip
