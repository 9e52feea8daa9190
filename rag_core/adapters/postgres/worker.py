"""The worker of the queue of documents: procrastinate's, that outlives Postgres and its own kind.

What a killed worker was doing is begun again when its heart has not beaten for a while; what is
done twice must therefore be worth no more than done once.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol

from procrastinate import App, BaseRetryStrategy, JobContext, PsycopgConnector, RetryDecision
from procrastinate.connector import BaseConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager
from procrastinate.sql import queries
from procrastinate.worker import Worker
from psycopg import Error
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from rag_core.adapters.postgres.connection import Connection, HungUpAt, connection_options
from rag_core.adapters.postgres.document_sql import LEAST_PRIORITY, QUEUE, TASK
from rag_core.domain.user import UserId
from rag_core.errors import DatabaseUnavailable, RagError

AWAY = (ConnectorException, DatabaseUnavailable, OSError, TimeoutError)
"""What it is when Postgres is away."""

_QUERY_S = 5.0
"""Seconds that a worker waits for a connection, and that it has on top to stop; chosen."""

# The lock is held to the end of its transaction: who is next sees what was begun under it. Postgres
# takes it from a process that was frozen meanwhile.
_OUR_TURN = f"""
SELECT set_config('idle_in_transaction_session_timeout', '{_QUERY_S * 1000:.0f}', true) IS NOT NULL
    AND pg_try_advisory_xact_lock(hashtextextended(%(queue)s, 0)) AS yes
"""
_FREE_PLACE = """
SELECT count(*) < %(places)s AS yes FROM procrastinate_jobs
WHERE queue_name = %(queue)s AND status = 'doing'
"""

_LOG = logging.getLogger(__name__)
logging.getLogger("procrastinate").setLevel(logging.CRITICAL + 1)  # its lines name users


class Reader(Protocol):
    """What the worker has done."""

    async def run(self, user: UserId, document_id: str, *, last: bool) -> None:
        """Make notes of what waits of a document; `last`: a failure is not tried again."""
        ...

    async def give_up(self, user: UserId, document_id: str) -> None:
        """It killed its worker too often."""
        ...


class Requeue(Protocol):
    """Puts what waits without a job into the queue again; how much that was."""

    def __call__(self) -> Awaitable[int]:
        """Do so."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOptions:
    """How a worker works; the numbers are chosen."""

    concurrency: int = 1
    """Number of documents that it reads at once."""
    fleet_concurrency: int | None = None
    """Number of documents that all workers together read at once; None: no such bound."""
    attempts: int = 5
    """Number of times that a document is tried."""
    backoff_s: float = 2.0
    """Seconds until the second attempt; each further wait is twice as long."""
    poll_s: float = 0.5
    """Seconds until an idle worker looks again: a document waits half of that on the average."""
    beat_s: float = 3.0
    """Seconds between two beats of its heart, and between two looks for the dead."""
    dead_after_s: float = 15.0
    """Seconds without a beat after which its jobs are begun again."""
    shutdown_s: float = 10.0
    """Seconds in which what it has begun may end when it is told to stop."""
    prepare: bool = True
    """Use prepared statements; False behind pgbouncer before 1.21."""


class DocumentWorker:
    """Does the jobs of the queue of documents while the block of `working` runs.

    It listens to no channel, so that pgbouncer may share out its two connections.
    """

    def __init__(
        self, url: str, reader: Reader, requeue: Requeue, options: WorkerOptions | None = None
    ) -> None:
        self._url, self._reader, self._requeue = url, reader, requeue
        self._options = options or WorkerOptions()
        self._running: set[int] = set()
        self._suspects: set[int] = set()
        self._worker: Worker | None = None
        self._stopped = asyncio.Event()

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Work while the block runs; then what it has begun may end, for `shutdown_s`."""
        self._stopped.clear()
        work = asyncio.create_task(self._work_for_ever())
        try:
            yield
        finally:
            self._stop()
            await asyncio.wait({work}, timeout=self._options.shutdown_s + _QUERY_S)
            work.cancel()  # Postgres does not answer
            await asyncio.wait({work}, timeout=_QUERY_S)

    def _stop(self) -> None:
        """It is told, not cancelled: `asyncio.wait_for` of Python 3.11 may lose a cancellation."""
        self._stopped.set()
        if self._worker:
            self._worker.stop()

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopped.wait(), seconds)

    async def _work_for_ever(self) -> None:
        """Where Postgres is away, go on when it is back."""
        while not self._stopped.is_set():
            try:
                with suppress(*AWAY):
                    await self._work()
            except Exception:  # noqa: BLE001 - logged; documents wait for it
                _LOG.exception("the reading of documents begins again")
            await self._pause(self._options.poll_s)

    async def _work(self) -> None:
        options = self._options
        pool = AsyncConnectionPool(
            self._url,
            min_size=1,
            max_size=2,
            timeout=_QUERY_S,
            kwargs=connection_options(options.prepare),
            check=AsyncConnectionPool.check_connection,
            open=False,
        )
        app = App(connector=PsycopgConnector())
        if options.fleet_concurrency:
            app.job_manager = _BoundedJobs(app.connector, pool, options.fleet_concurrency)
        retry = _Backoff(options.attempts, options.backoff_s)
        app.task(name=TASK, queue=QUEUE, retry=retry, pass_context=True)(self._job)
        async with pool, app.open_async(pool):
            worker = Worker(
                app,
                queues=[QUEUE],
                concurrency=options.concurrency,
                fetch_job_polling_interval=options.poll_s,
                shutdown_graceful_timeout=options.shutdown_s,
                listen_notify=False,
                delete_jobs="successful",
                install_signal_handlers=False,
                update_heartbeat_interval=options.beat_s,
                stalled_worker_timeout=options.dead_after_s,
            )
            await self._work_and_rescue(app, worker)

    async def _work_and_rescue(self, app: App, worker: Worker) -> None:
        if self._stopped.is_set():
            return
        self._worker = worker
        rescuing = asyncio.create_task(self._rescue_until_stopped(app, worker))
        try:
            await worker.run()
        finally:
            self._worker = None
            rescuing.cancel()
            await asyncio.wait({rescuing}, timeout=_QUERY_S)

    async def _job(self, context: JobContext, user: str, document: str) -> None:
        job_id = context.job.id or 0
        self._running.add(job_id)
        try:
            last = context.job.attempts + 1 >= self._options.attempts
            await self._reader.run(UserId(user), document, last=last)
        finally:
            self._running.discard(job_id)

    async def _rescue_until_stopped(self, app: App, worker: Worker) -> None:
        while self._worker is worker:
            with suppress(*AWAY):
                await self._rescue(app, worker)
            await self._pause(self._options.beat_s)

    async def _rescue(self, app: App, worker: Worker) -> None:
        """Begin again what the dead were doing, and what got lost on its way to us or from us."""
        manager = app.job_manager
        dead = await manager.get_stalled_jobs(
            queue=QUEUE, seconds_since_heartbeat=self._options.dead_after_s
        )
        await self._begin_again(app, dead)
        if worker.worker_id is not None:
            ours = await manager.list_jobs_async(
                queue=QUEUE, status=Status.DOING.value, worker_id=worker.worker_id
            )
            lost = [job for job in ours if job.id not in self._running]
            await self._begin_again(app, [job for job in lost if job.id in self._suspects])
            self._suspects = {job.id for job in lost if job.id}
        await self._requeue()

    async def _begin_again(self, app: App, jobs: Iterable[Job]) -> None:
        manager = app.job_manager
        for job in jobs:
            with suppress(ConnectorException):  # another worker was faster
                if job.attempts + 1 < self._options.attempts:
                    await manager.retry_job(job)
                    continue
                given: dict[str, Any] = job.task_kwargs
                await self._reader.give_up(UserId(given["user"]), given["document"])
                await manager.finish_job(job, Status.FAILED, delete_job=False)


class _BoundedJobs(JobManager):
    """Begins no job while as many as may be are being done, whoever does them.

    They are counted and the next one is begun under one lock, so no two workers see one place
    free. What is being done is what procrastinate's table says: the place of a killed worker is
    free once its job waits again.
    """

    def __init__(
        self, connector: BaseConnector, pool: AsyncConnectionPool[Connection], places: int
    ) -> None:
        super().__init__(connector)
        self._pool, self._places = pool, places

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        """See `JobManager`; None, too, where no place is free, or another worker is looking."""
        try:
            async with self._pool.connection() as connection:
                with HungUpAt(connection, time.monotonic() + _QUERY_S):
                    async with connection.transaction():
                        return await self._fetched(connection, queues, worker_id)
        except Error as error:
            raise ConnectorException from error

    async def _fetched(
        self, connection: Connection, queues: Iterable[str] | None, worker_id: int
    ) -> Job | None:
        async with connection.cursor(row_factory=dict_row) as cursor:
            asked = {"queue": QUEUE, "places": self._places}
            for condition in (_OUR_TURN, _FREE_PLACE):
                await cursor.execute(condition, asked)
                row = await cursor.fetchone()
                if not (row and row["yes"]):
                    return None
            fetching = {"queues": queues, "worker_id": worker_id}
            await cursor.execute(queries["fetch_job"], fetching)
            row = await cursor.fetchone()
        return Job.from_row(row) if row and row["id"] is not None else None


class _Backoff(BaseRetryStrategy):
    """Waits twice as long each time; those that a stopping worker gave up do not wait."""

    def __init__(self, attempts: int, first_s: float) -> None:
        self._attempts, self._first_s = attempts, first_s

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """See `BaseRetryStrategy`; others of the same lock go first."""
        if isinstance(exception, asyncio.CancelledError):
            return RetryDecision(retry_in={"seconds": 0})
        unforeseen = None if isinstance(exception, RagError) else exception
        kind = type(exception).__name__
        _LOG.warning("a document was not stored: %s", kind, exc_info=unforeseen)
        if job.attempts + 1 >= self._attempts:
            return None
        wait_s = self._first_s * 2**job.attempts
        milliseconds = int(wait_s * 1000)
        return RetryDecision(retry_in={"milliseconds": milliseconds}, priority=-2 * LEAST_PRIORITY)
