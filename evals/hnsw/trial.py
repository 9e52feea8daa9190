"""One size: every setting tried on questions of dev, those chosen measured on questions of test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evals.hnsw.churn import Churn, Churned
from evals.hnsw.corpus import Corpus
from evals.hnsw.front import Tried
from evals.hnsw.grid import LARGEST, Grid, Setting, tenant_rows
from evals.hnsw.oracle import Oracle, oracles
from evals.hnsw.run import Cold, Seen
from evals.hnsw.server import OwnServer
from evals.hnsw.tables import Built, build_index, fill
from evals.hnsw.timing import Clients, Timing, clients
from rag_core.adapters.postgres import Connection
from rag_core.cli import progress_bar

if TYPE_CHECKING:
    from rag_core.domain import Matrix


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The rows of one size, whose they are, and what is right for each question.

    `vectors` float32[rows, 384]; `tenants` are slices of them. `dev` is the oracle of the largest
    tenant on questions of split dev, `test` that of each tenant on those of split test.
    """

    size: int
    vectors: Matrix
    tenants: Mapping[str, slice]
    dev: Oracle
    test: Mapping[str, Oracle]

    @classmethod
    def of(cls, rows: Corpus, size: int) -> Rows:
        """A tenant of `size` rows, and the others; the corpus holds rows enough."""
        tenants, begin = {}, 0
        for name, count in tenant_rows(size).items():
            tenants[name] = slice(begin, begin + count)
            begin += count
        vectors, large = rows.vectors[:begin], tenants[LARGEST]
        dev = Oracle.of(vectors[large], rows.questions["dev"], first=large.start)
        test = oracles(vectors, rows.questions["test"], tenants)
        return cls(size=size, vectors=vectors, tenants=tenants, dev=dev, test=test)


class Trial:
    """One size on one server."""

    def __init__(
        self, server: OwnServer, grid: Grid, corpus: Corpus, rows: Rows, *, seed: int = 0
    ) -> None:
        self._server, self._grid = server, grid
        self._dev, self._test = corpus.questions["dev"], corpus.questions["test"]
        self._rows, self._seed = rows, seed

    async def fill(self, connection: Connection) -> None:
        """Make the tables; their schema is there."""
        await fill(connection, self._rows.vectors, self._rows.tenants, self._grid.kept)

    async def try_all(self, connection: Connection) -> list[Tried]:
        """Build each index in turn and search by it in every width: quietly, and under load."""
        builds = list(self._grid.builds(self._rows.size))
        tried: list[Tried] = []
        busy = max(self._grid.clients)
        async with clients(self._server.url, 1) as one, clients(self._server.url, busy) as many:
            with progress_bar(len(builds), f"{self._rows.size:,} rows", "build") as bar:
                for build in builds:
                    built = await build_index(connection, build)
                    tried += [
                        await self._try(setting, built, one, many)
                        for setting in self._grid.settings(build)
                    ]
                    bar.update()
        return tried

    async def _try(self, setting: Setting, built: Built, one: Clients, many: Clients) -> Tried:
        passes = self._grid.passes
        quiet = await one.measure(setting, LARGEST, self._dev, passes=passes)
        busy = await many.measure(setting, LARGEST, self._dev, passes=passes, explain=False)
        recall = (quiet + busy).recall(self._rows.dev, seed=self._seed)
        return Tried(self._rows.size, setting, built, quiet, busy, recall)

    async def rebuild(
        self, connection: Connection, settings: Sequence[Setting]
    ) -> dict[Setting, Built]:
        """The index of each of these settings, all at once: each stands over a table of its own."""
        with progress_bar(len(settings), "build those chosen", "build") as bar:
            built = {}
            for setting in settings:
                built[setting] = await build_index(connection, setting.build)
                bar.update()
        return built

    async def look(self, built: Mapping[Setting, Built]) -> list[Seen]:
        """Search by each, for each tenant and by so many clients, on questions of split test.

        Passes over the questions alternate between settings, so that all see the same machine.
        """
        seen: list[Seen] = []
        cases = [(LARGEST, number) for number in self._grid.clients]
        cases += [(tenant, 1) for tenant in self._rows.tenants if tenant != LARGEST]
        with progress_bar(len(cases), "tenants and load", "case") as bar:
            for tenant, number in cases:
                async with clients(self._server.url, number) as asking:
                    timings = await self._in_turns(asking, list(built), tenant, number == 1)
                seen += [self._seen(tenant, built[each], each, timings[each]) for each in built]
                bar.update()
        return seen

    async def _in_turns(
        self, asking: Clients, settings: Sequence[Setting], tenant: str, explain: bool
    ) -> dict[Setting, Timing]:
        timings: dict[Setting, Timing] = {}
        for setting in settings:
            timings[setting] = await asking.measure(setting, tenant, self._test, explain=explain)
        for _ in range(1, self._grid.last_passes):
            for setting in settings:
                again = await asking.measure(setting, tenant, self._test, explain=False)
                timings[setting] += again
        return timings

    def _seen(self, tenant: str, built: Built, setting: Setting, timing: Timing) -> Seen:
        oracle, span = self._rows.test[tenant], self._rows.tenants[tenant]
        return Seen(
            size=self._rows.size,
            tenant=tenant,
            rows=span.stop - span.start,
            setting=setting,
            built=built,
            timing=timing,
            recall=timing.recall(oracle, seed=self._seed),
            short=timing.short(oracle),
        )

    async def look_cold(self, settings: Sequence[Setting]) -> list[Cold]:
        """Each right after a start of the server, which ends all connections."""
        cold = []
        for setting in settings:
            await self._server.restart()
            async with clients(self._server.url, 1) as one:
                timing = await one.measure(setting, LARGEST, self._test, warm=False)
            cold.append(Cold(self._rows.size, setting, timing.searches[0].ms, timing))
        return cold

    async def churn(self, connection: Connection, setting: Setting) -> Churned:
        """Change rows under the graph of this setting, which is over whole or half vectors."""
        async with clients(self._server.url, 1) as one:
            churn = Churn(
                connection, one, setting, self._rows.vectors, self._rows.tenants[LARGEST],
                self._test,
            )  # fmt: skip
            return await churn.run(self._rows.size, passes=self._grid.last_passes, seed=self._seed)
