"""A world in which caches could go wrong: notes with a history, a lossy Redis, crashing writers."""

from __future__ import annotations

import asyncio
import itertools
import random
import re
import signal
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from rag_core.adapters.redis.link import RedisLink
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from rag_core.adapters.memory import MemoryNotes, Shelf
from rag_core.cache.epochs import Epoch, EpochBoard
from rag_core.cost import Prices, Usage
from rag_core.embedded.binaries import find_valkey
from rag_core.errors import CacheUnavailable
from rag_core.generation import Completion
from rag_core.guard.breaker import Breaker
from rag_core.prompt import Prompt
from rag_core.user import UserId

T = TypeVar("T")

_MENTION = re.compile(r"<(?P<user>[\w.]+)/(?P<note>\w+)/v(?P<version>\d+)>")


class Crash(Exception):
    """A writer died here."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A version of a note that a text rests on."""

    user: str
    note: str
    version: int

    def __str__(self) -> str:
        return f"<{self.user}/{self.note}/v{self.version}>"


def mentions(text: str) -> set[Mention]:
    """All versions that a text mentions."""
    found = _MENTION.finditer(text)
    return {Mention(m["user"], m["note"], int(m["version"])) for m in found}


@dataclass(slots=True)
class History:
    """Which version of each note was committed from which tick on; -1 for none."""

    ticks: itertools.count[int] = field(default_factory=itertools.count)
    _versions: dict[tuple[str, str], list[tuple[int, int]]] = field(
        default_factory=lambda: defaultdict(lambda: [(-1, -1)])
    )

    def commit(self, user: str, note: str, version: int) -> None:
        """From now on `version` is what the note says."""
        self._versions[user, note].append((next(self.ticks), version))

    def current(self, user: str, note: str) -> int:
        """The committed version; -1 for a note that is not there."""
        return self._versions[user, note][-1][1]

    def notes_of(self, user: str) -> set[str]:
        """All notes the user ever had."""
        return {note for owner, note in self._versions if owner == user}

    def during(self, user: str, note: str, first: int, last: int) -> set[int]:
        """The versions that were committed at some tick from `first` to `last`."""
        entries = self._versions[user, note]
        ends = [tick for tick, _ in entries[1:]] + [last + 1]
        return {
            version
            for (begin, version), end in zip(entries, ends, strict=True)
            if begin <= last and end >= first
        }


class HistoricNotes(MemoryNotes):
    """Notes that write down the very moment each version is committed."""

    def __init__(self, history: History, *, embedder_digest: str) -> None:
        super().__init__(embedder_digest=embedder_digest)
        self._history = history

    def commit(self, user: UserId, shelf: Shelf) -> None:
        """See `MemoryNotes`."""
        super().commit(user, shelf)
        live = {
            mention.note: mention.version
            for item, _ in shelf.notes.values()
            for mention in mentions(item.note.body)
        }
        for note in live.keys() | self._history.notes_of(user):
            if live.get(note, -1) != self._history.current(user, note):
                self._history.commit(user, note, live.get(note, -1))


class CrashingBoard:
    """An EpochBoard whose writer may die before or after each of its calls."""

    def __init__(self, board: EpochBoard, chance: random.Random, *, rate: float) -> None:
        self._board = board
        self._chance = chance
        self._rate = rate

    async def announce(self, user: UserId, epoch: Epoch) -> bool:
        """See `EpochBoard`."""
        self._maybe_crash()
        announced = await self._board.announce(user, epoch)
        self._maybe_crash()
        return announced

    async def confirm(self, user: UserId, epoch: Epoch) -> None:
        """See `EpochBoard`."""
        self._maybe_crash()
        await self._board.confirm(user, epoch)
        self._maybe_crash()

    def _maybe_crash(self) -> None:
        if self._chance.random() < self._rate:
            raise Crash


class LossyLink(RedisLink):
    """A link that loses requests and replies, and lets others go first."""

    def __init__(
        self,
        client: Redis,
        *,
        breaker: Breaker,
        call_timeout_s: float,
        chance: random.Random,
        rate: float,
    ) -> None:
        super().__init__(client, breaker=breaker, call_timeout_s=call_timeout_s)
        self._chance = chance
        self._rate = rate

    async def call(self, command: Awaitable[T], *, timeout_s: float | None = None) -> T:
        """See `RedisLink`."""
        await let_others_go(self._chance)
        if self._chance.random() < self._rate:
            if asyncio.iscoroutine(command):
                command.close()
            raise CacheUnavailable("the request was lost")
        reply = await super().call(command, timeout_s=timeout_s)
        await let_others_go(self._chance)
        if self._chance.random() < self._rate:
            raise CacheUnavailable("the reply was lost")
        return reply


async def let_others_go(chance: random.Random) -> None:
    """Step back for a random number of turns of the event loop."""
    for _ in range(chance.randrange(4)):
        await asyncio.sleep(0)


class EchoGenerator:
    """Says exactly what its context says, so that an answer shows what it rests on."""

    name, model = "echo", "echo-v1"
    prices = Prices()

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.calls = 0

    async def generate(self, prompt: Prompt, *, max_tokens: int) -> Completion:
        """See `Generator`."""
        self.calls += 1
        await let_others_go(self._chance)
        text = " ".join(f"{source.text} [{source.number}]" for source in prompt.context.sources)
        return Completion(text, Usage(100, 10), self.model)

    async def stream(
        self, prompt: Prompt, *, max_tokens: int
    ) -> AsyncGenerator[str | Completion, None]:
        """See `Generator`."""
        completion = await self.generate(prompt, max_tokens=max_tokens)
        yield completion.text
        yield completion


class MortalValkey:
    """A Valkey that can be killed and comes back, now and then with an old snapshot."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = folder / "valkey.sock"
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """For `redis.asyncio.from_url`."""
        return f"unix://{self._socket}"

    async def start(self) -> None:
        """Start it, with the last snapshot if there is one, and wait until it answers."""
        self._process = await asyncio.create_subprocess_exec(
            find_valkey(), "--port", "0", "--unixsocket", self._socket, "--dir", self._folder,
            "--save", "", "--loglevel", "warning",
            stdout=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        client: Redis = Redis.from_url(self.url)
        async with asyncio.timeout(10):
            while True:
                try:
                    await client.ping()
                    break
                except (ConnectionError, OSError, RedisConnectionError):
                    await asyncio.sleep(0.005)
        await client.aclose()

    async def kill(self) -> None:
        """kill -9."""
        if self._process and self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
            await self._process.wait()
        self._socket.unlink(missing_ok=True)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, SIGSTOP or SIGCONT say."""
        assert self._process is not None, "start it first"
        self._process.send_signal(number)
