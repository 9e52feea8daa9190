"""Users' epochs, as the transactions that change notes set them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Collection, Mapping
from contextlib import asynccontextmanager, suppress

from rag_core.adapters.postgres.database import Database
from rag_core.adapters.postgres.line import Line, Rows
from rag_core.cache.epochs import Epoch
from rag_core.cancelling import cancel_for_good
from rag_core.domain.user import UserId
from rag_core.errors import DatabaseUnavailable

# One text costs less to pass than a list does; a user id holds no blank.
_EPOCHS = "SELECT id, epoch::text FROM users WHERE id = ANY(string_to_array({}, ' '))"

RECONNECT_PAUSE_S = 0.5

Found = Mapping[UserId, Epoch]


class PostgresEpochs:
    """Reads epochs of many users at once; see `rag_core.cache.epochs.ReadEpochs`.

    While it is connected it has a line of its own to ask on. Where that is broken or busy, it reads
    as everyone does.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._line: Line | None = None

    def __call__(self, users: Collection[UserId]) -> Awaitable[Found]:
        """The committed epochs, in one round trip; on a line, the question has been sent."""
        names, line = " ".join(users), self._line
        if line is None or not line.idle or not self._database.guard.closed:
            return self._fetched(names)
        epochs: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
        until = time.monotonic() + self._database.read_timeout_s

        def answered(rows: Rows | None) -> None:
            if rows is None:
                late = time.monotonic() >= until  # whoever asked has no time for another attempt
                again = self._database.guard.unanswered() if late else self._fetched(names)
                asyncio.ensure_future(again).add_done_callback(
                    lambda fetched: _pass_on(fetched, epochs)
                )
            elif not epochs.done():
                epochs.set_result(dict(rows))  # type: ignore[arg-type]

        line.ask(names, answered, timeout_s=self._database.read_timeout_s)
        return epochs

    @property
    def on_line(self) -> bool:
        """Whether the next read goes over the line."""
        return self._line is not None and self._line.idle

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[PostgresEpochs]:
        """Keep a line open while the block runs; where it breaks, there is soon another."""
        await self._open_line()
        keeping = asyncio.create_task(self._keep_line())
        try:
            yield self
        finally:
            await cancel_for_good(keeping)
            if self._line:
                self._line.close()

    async def _keep_line(self) -> None:
        while True:
            if self._line:
                await self._line.broken.wait()
            await asyncio.sleep(RECONNECT_PAUSE_S)
            await self._open_line()

    async def _open_line(self) -> None:
        self._line = None
        with suppress(DatabaseUnavailable):
            self._line = await self._database.open_line(_EPOCHS.format("$1"))

    async def _fetched(self, names: str) -> Found:
        return dict(await self._database.fetch(_EPOCHS.format("%s"), (names,)))


def _pass_on(fetched: asyncio.Future[Found], waiting: asyncio.Future[Found]) -> None:
    """Give what was fetched, or why it could not be, to who waits for what is found."""
    error = asyncio.CancelledError() if fetched.cancelled() else fetched.exception()
    if waiting.done():
        return
    if error is None:
        waiting.set_result(fetched.result())
    else:
        waiting.set_exception(error)
