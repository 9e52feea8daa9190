"""A connection on which one statement is asked again and again, by libpq's own means.

What every request needs should cost as little as it can: no pool, no task and no cursor are in the
way here. (What is reached with it, `python -m evals bench cache --only cached` prints.)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import psycopg
from psycopg import generators
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult

from rag_core.adapters.postgres.connection import Connection

_NAME = b"line"

Rows = list[tuple[str, ...]]
Answered = Callable[[Rows | None], None]
"""Takes the rows; None when the line broke before they came."""


class Line:
    """Asks one question at a time, in text; broken for good by its first failure.

    Args:
        connection: of the line alone from now on.
        statement: takes one parameter, `$1`, and gives columns of text that are never NULL.
        prepare: ask a prepared statement.
    """

    def __init__(self, connection: Connection, statement: str, *, prepare: bool) -> None:
        self._connection = connection
        self._pgconn = connection.pgconn
        self._statement = statement.encode()
        self._prepare = prepare
        self._answered: Answered | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._results: list[PGresult] = []
        self.broken = asyncio.Event()

    async def open(self) -> None:
        """Prepare the statement, and listen from now on.

        Raises:
            psycopg.OperationalError: the connection was lost.
        """
        if self._prepare:
            self._pgconn.send_prepare(_NAME, self._statement)
            (prepared,) = await self._connection.wait(generators.execute(self._pgconn))
            if prepared.status != ExecStatus.COMMAND_OK:
                raise psycopg.OperationalError("the line's statement could not be prepared")
        self._socket = self._pgconn.socket  # a lost connection no longer tells
        asyncio.get_running_loop().add_reader(self._socket, self._readable)

    @property
    def idle(self) -> bool:
        """Whether a question can be sent: no other one is under way and the line is not broken."""
        return self._answered is None and not self.broken.is_set()

    def ask(self, parameter: str, answered: Answered, *, timeout_s: float) -> None:
        """Send the question; `answered` is called once, within `timeout_s`, but not from here."""
        self._answered = answered
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(timeout_s, self.close)
        try:
            if self._prepare:
                self._pgconn.send_query_prepared(_NAME, [parameter.encode()])
            else:
                self._pgconn.send_query_params(self._statement, [parameter.encode()])
            self._pgconn.flush()  # so little fits into any socket
        except psycopg.OperationalError:
            loop.call_soon(self.close)

    def close(self) -> None:
        """Hang up; a question that is under way gets None."""
        if self.broken.is_set():
            return
        self.broken.set()
        asyncio.get_running_loop().remove_reader(self._socket)
        self._pgconn.finish()
        self._answer(None)

    def _readable(self) -> None:
        try:
            self._pgconn.consume_input()
            while not self._pgconn.is_busy():  # else `get_result` would block until there is more
                result = self._pgconn.get_result()
                if result is None:
                    return self._finish()
                self._results.append(result)
        except psycopg.OperationalError:
            self.close()

    def _finish(self) -> None:
        """Hand on the rows of a whole reply; close the line at any other one."""
        results, self._results = self._results, []
        if not results and self._answered is None:
            return  # nothing was asked: a notice perhaps
        if len(results) != 1 or results[0].status != ExecStatus.TUPLES_OK:
            return self.close()
        (result,) = results
        columns = range(result.nfields)
        self._answer(
            [
                tuple((result.get_value(row, column) or b"").decode() for column in columns)
                for row in range(result.ntuples)
            ]
        )
        return None

    def _answer(self, rows: Rows | None) -> None:
        answered, self._answered = self._answered, None
        if self._timer:
            self._timer.cancel()
        if answered:
            answered(rows)
