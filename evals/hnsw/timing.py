"""Timed searches: latency of each, what they found, and the CPU of both sides."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from evals.hnsw.grid import Setting
from evals.hnsw.oracle import Oracle
from evals.hnsw.proof import check_count, check_plans, scans
from evals.hnsw.server import cpu_s, own_bytes
from evals.hnsw.statement import parameters, session, statement
from evals.hnsw.tables import connected
from evals.measures.scores import Aggregate, Scored, aggregate
from rag_core.adapters.postgres import Connection

if TYPE_CHECKING:
    from rag_core.domain import Matrix, Vector

WARM_UP = 8
"""Untimed searches of each client before the timed ones: Postgres plans the first five anew."""
LEAST_BEYOND = 5
"""Values that lie beyond a quantile that is told: a p95 wants 100, a p99 500."""


@dataclass(frozen=True, slots=True)
class Search:
    """One timed search: which question, milliseconds, and the rows found."""

    question: int
    ms: float
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Timing:
    """Searches by so many clients at once, and what they took.

    `client_cpu_s` is of this process, `server_cpu_s` of the clients' server processes, and
    `server_bytes` the memory that one of these shares with no other.
    """

    clients: int
    searches: tuple[Search, ...]
    wall_s: float
    client_cpu_s: float
    server_cpu_s: float
    server_bytes: int = 0

    def __add__(self, other: Timing) -> Timing:
        return Timing(
            self.clients,
            self.searches + other.searches,
            self.wall_s + other.wall_s,
            self.client_cpu_s + other.client_cpu_s,
            self.server_cpu_s + other.server_cpu_s,
            max(self.server_bytes, other.server_bytes),
        )

    def quantile_ms(self, share: float) -> float | None:
        """Latency at that share of the searches; None where fewer than 5 lie beyond it."""
        return quantile([each.ms for each in self.searches], share)

    @property
    def qps(self) -> float:
        """Searches a second of all clients together."""
        return len(self.searches) / self.wall_s

    @property
    def client_cpu_us(self) -> float:
        """Microseconds a search on the client's side."""
        return 1e6 * self.client_cpu_s / len(self.searches)

    @property
    def server_cpu_us(self) -> float:
        """Microseconds a search on the server's side."""
        return 1e6 * self.server_cpu_s / len(self.searches)

    def recall(self, oracle: Oracle, *, seed: int = 0) -> Aggregate:
        """Recall@5 over questions, each with its mean over the times that it was asked."""
        found: dict[int, list[float]] = {}
        for each in self.searches:
            found.setdefault(each.question, []).append(oracle.recall(each.question, each.rows))
        scores = {str(number): Scored(float(np.mean(all_))) for number, all_ in found.items()}
        return aggregate("recall@5", scores, seed=seed, proportion=True)

    def short(self, oracle: Oracle) -> int:
        """How many searches found fewer rows than there are to find."""
        return sum(len(each.rows) < oracle.wanted for each in self.searches)


def quantile(values: Sequence[float], share: float) -> float | None:
    """The quantile at `share` of values of any unit; None where fewer than 5 lie beyond it."""
    if round(len(values) * (1 - share), 6) < LEAST_BEYOND:
        return None
    return float(np.quantile(values, share))


class Clients:
    """Connections that search at once."""

    def __init__(self, connections: Sequence[Connection]) -> None:
        self._connections = connections

    @property
    def _pids(self) -> list[int]:
        return [each.info.backend_pid for each in self._connections]

    async def measure(
        self,
        setting: Setting,
        user: str,
        questions: Matrix,
        *,
        passes: int = 1,
        warm: bool = True,
        explain: bool = True,
    ) -> Timing:
        """Ask `questions` float32[m, 384] of one tenant so many times, whoever is free the next.

        Args:
            warm: search before the clock runs.
            explain: see every question's plan, too; without, the index's own count is the proof.

        Raises:
            ConfigurationError: the plan of a question, or a timed search, does not use the index.
        """
        for each in self._connections:
            await _tell(each, setting)
        if warm:
            await self._warm(setting, user, questions)
        before = await scans(self._connections, setting)
        timing = await self._timed(setting, user, questions, passes)
        counted = await scans(self._connections, setting) - before
        check_count(setting, counted, len(timing.searches))
        if explain:  # afterwards: planning reads pages, too
            await check_plans(self._connections[0], setting, user, questions)
        return timing

    async def _warm(self, setting: Setting, user: str, questions: Matrix) -> None:
        for each in self._connections:
            for vector in questions[:WARM_UP]:
                await _search(each, setting, user, vector)

    async def _timed(self, setting: Setting, user: str, questions: Matrix, passes: int) -> Timing:
        waiting = iter(list(range(len(questions))) * passes)
        done: list[Search] = []
        server_s, client_s = cpu_s(self._pids), time.process_time()
        began = time.perf_counter()
        asking = partial(_ask, setting, user, questions, waiting, done.append)
        await asyncio.gather(*map(asking, self._connections))
        wall_s = time.perf_counter() - began
        return Timing(
            len(self._connections),
            tuple(done),
            wall_s,
            time.process_time() - client_s,
            cpu_s(self._pids) - server_s,
            own_bytes(self._pids[0]),
        )


@asynccontextmanager
async def clients(url: str, number: int) -> AsyncIterator[Clients]:
    """So many connections, while in use."""
    async with AsyncExitStack() as stack:
        opened = [await stack.enter_async_context(await connected(url)) for _ in range(number)]
        yield Clients(opened)


async def _tell(connection: Connection, setting: Setting) -> None:
    await connection.execute("RESET ALL")
    for name, value in session(setting).items():
        await connection.execute("SELECT set_config(%s, %s, false)", [name, value])


async def _ask(
    setting: Setting,
    user: str,
    questions: Matrix,
    waiting: Iterator[int],
    ended: Callable[[Search], None],
    connection: Connection,
) -> None:
    for question in waiting:
        began = time.perf_counter()
        rows = await _search(connection, setting, user, questions[question])
        ended(Search(question, (time.perf_counter() - began) * 1000, rows))


async def _search(
    connection: Connection, setting: Setting, user: str, vector: Vector
) -> tuple[int, ...]:
    asked = parameters(setting, user, vector)
    cursor = await connection.execute(statement(setting).encode(), asked, binary=True)
    return tuple(int(row[0]) for row in await cursor.fetchall())
