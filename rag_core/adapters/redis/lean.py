"""redis-py without what nobody here asks of it: no retries, no telemetry, no events of its pool.

They take half of the CPU of a GET. What remains are its connections, its parsers and its
callbacks; `python -m evals bench cache --only cached` and `bench http` print what is reached.
"""

from __future__ import annotations

from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection


class LeanRedis(Redis):
    """A client whose every command takes a connection, asks, reads the reply and gives it back."""

    async def execute_command(self, *command: Any, **options: Any) -> Any:
        """The reply, as redis-py would read it.

        A connection on which it could not be sent or read whole is closed by the connection itself;
        the pool opens it again for whoever takes it next.
        """
        pool = self.connection_pool
        connection = await pool.get_connection()
        try:
            await connection.send_command(*command, check_health=False)
            return await self.parse_response(connection, command[0], **options)
        finally:
            await pool.release(connection)


class WaitingPool(BlockingConnectionPool):
    """Whoever finds no free connection waits for one; where one is free, nothing is locked."""

    def __init__(self, **options: Any) -> None:
        """A pool that is not connected yet; `options` are redis-py's."""
        super().__init__(**options)
        self._waiting = 0

    async def get_connection(self, *_: Any, **__: Any) -> Any:
        """A connected connection."""
        if not self.can_get_connection():
            return await self._free_connection()
        connection = self.get_available_connection()  # type: ignore[no-untyped-call]
        try:
            await self.ensure_connection(connection)
        except BaseException:
            await self.release(connection)
            raise
        return connection

    async def release(self, connection: AbstractConnection) -> None:
        """Give a connection back, to whoever waits for one."""
        self._in_use_connections.remove(connection)
        if connection.should_reconnect():
            await connection.disconnect()
        self._available_connections.append(connection)
        if self._waiting:
            async with self._condition:
                self._condition.notify()

    async def _free_connection(self) -> Any:
        self._waiting += 1
        try:
            return await super().get_connection()  # type: ignore[no-untyped-call]
        finally:
            self._waiting -= 1
