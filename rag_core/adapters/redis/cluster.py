"""A cluster of Redis servers as one client: each user's keys are on one of them.

redis-py's own cluster client is not used, for what one bad node does to the users of the others:
whenever a node refuses a connection it asks another for the slots and for all commands, and opens
every connection anew, before the next command of anyone (10 to 16 ms instead of 0.1); and after a
frozen node was replaced it goes on asking the frozen one for as long as that keeps its connections.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from typing import Any, Final, Literal

from redis.asyncio import Redis
from redis.commands.core import (
    AsyncBasicKeyCommands,
    AsyncManagementCommands,
    AsyncScriptCommands,
)
from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot
from redis.event import EventDispatcher
from redis.exceptions import (
    AskError,
    ClusterDownError,
    ConnectionError,
    MovedError,
    RedisError,
    TimeoutError,
)

from rag_core.adapters.redis.address import Address
from rag_core.cancelling import cancel_for_good

REST_S = 0.2
"""Seconds within which the slots are not asked for a second time."""

# Where a command has its (first) key. What is not here is refused, not sent to some node.
_FIRST = (
    *("GET", "SET", "MGET", "HMGET", "STRLEN", "EXISTS", "UNLINK", "DEL", "PEXPIRE", "PTTL"),
    *("DUMP", "LRANGE", "LREM", "ZRANGE"),
)
_KEY_AT: Final = dict.fromkeys(_FIRST, 1) | dict.fromkeys(("EVAL", "EVALSHA"), 3)

_GONE = (ConnectionError, TimeoutError, ClusterDownError)


class ClusterClient(AsyncBasicKeyCommands, AsyncManagementCommands, AsyncScriptCommands):
    """Sends each command to the node that has its key.

    Which that is a node of the cluster tells: before the first command, and in the background
    whenever a command is redirected, refused a connection, or given up. A redirection is followed
    once. Nothing is tried again, and a failing node costs only those whose keys it has.
    """

    _is_async_client: Literal[True] = True

    def __init__(
        self, seeds: Sequence[Address], connect: Callable[[Address], Redis], *, patience_s: float
    ) -> None:
        """Make a client that is not connected yet.

        Args:
            seeds: nodes to ask first; the others are learned from them.
            connect: makes the client of one node.
            patience_s: how long one node is waited for when it is asked for the slots.
        """
        self._event_dispatcher = EventDispatcher()  # what redis-py's commands demand of a client
        self._seeds = list(seeds)
        self._connect = connect
        self._patience_s = patience_s
        self._nodes: dict[Address, Redis] = {}
        self._owners: list[Address | None] = []
        self._to_ask = list(seeds)
        self._round: asyncio.Task[None] | None = None
        self._rested_at = 0.0
        self._reason: Exception | None = None
        self._trials: dict[asyncio.Task[bool], Address] = {}

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """The reply to one command that names a key; PING asks every node, and one reply will do.

        Raises:
            redis.exceptions.RedisError: as a client of one server raises it.
            ValueError: a command for which there is no one node; ask each of `primaries`.
        """
        if args[0] == "PING":
            return await self._ping()
        address = await self._address(args)
        try:
            return await self._reply(address, args, options)
        except MovedError as moved:
            to = moved.host or address[0], moved.port
            self._look_again(first=to)
            return await self._reply(to, args, options)
        except AskError as ask:
            return await self._reply((ask.host or address[0], ask.port), args, options, asking=True)

    async def primaries(self) -> tuple[Redis, ...]:
        """A client for each node that owns slots, as far as is known."""
        await self._known_owners()
        return tuple(self._node(address) for address in self._primaries())

    async def aclose(self) -> None:
        """Close all connections, for good."""
        self._rested_at = math.inf  # what is cancelled here must not ask for the slots again
        tasks = [*self._trials, *([self._round] if self._round else ())]
        await cancel_for_good(*tasks)
        nodes, self._nodes = self._nodes, {}
        await asyncio.gather(*(node.aclose() for node in nodes.values()))

    async def _address(self, args: tuple[Any, ...]) -> Address:
        owners = await self._known_owners()
        at = _KEY_AT.get(args[0])
        if at is None or at >= len(args):
            raise ValueError(f"{args[0]} names no key: send it to each of the primaries")
        key = args[at]
        slot = key_slot(key if isinstance(key, bytes) else str(key).encode())
        if (owner := owners[slot]) is None:
            self._look_again()
            raise ClusterDownError(f"no node of the cluster has slot {slot}")
        return owner

    async def _ping(self) -> bool:
        """Whether any node answers; the others may open their connections a little later."""
        await self._known_owners()
        trials = {self._trial(one) for one in self._primaries() if self._has_room(one)}
        while trials:
            done, trials = await asyncio.wait(trials, return_when=asyncio.FIRST_COMPLETED)
            if any(trial.result() for trial in done):
                return True
        raise ConnectionError("no node of the cluster answers")

    def _trial(self, address: Address) -> asyncio.Task[bool]:
        trial = asyncio.create_task(self._answers(address))
        self._trials[trial] = address
        trial.add_done_callback(self._trials.pop)
        return trial

    def _has_room(self, address: Address) -> bool:
        """Whether one more trial would find a connection: a frozen node must not gather them."""
        under_way = sum(one == address for one in self._trials.values())
        return under_way < self._node(address).connection_pool.max_connections

    async def _answers(self, address: Address) -> bool:
        try:
            async with asyncio.timeout(self._patience_s):
                return bool(await self._reply(address, ("PING",), {}))
        except (RedisError, OSError):
            return False

    async def _reply(
        self, address: Address, args: tuple[Any, ...], options: Any, *, asking: bool = False
    ) -> Any:
        node = self._node(address)
        try:
            if asking:
                pipe = node.pipeline(transaction=False)
                pipe.execute_command("ASKING")
                pipe.execute_command(*args, **options)
                return (await pipe.execute())[-1]
            return await node.execute_command(*args, **options)
        except (*_GONE, asyncio.CancelledError):  # cancelled: its time may have been up
            self._look_again(last=address)
            raise

    def _primaries(self) -> list[Address]:
        return list(dict.fromkeys(owner for owner in self._owners if owner))

    def _node(self, address: Address) -> Redis:
        if address not in self._nodes:
            self._nodes[address] = self._connect(address)
        return self._nodes[address]

    async def _known_owners(self) -> list[Address | None]:
        if not self._owners:
            await asyncio.shield(self._asking())
        if not self._owners:
            raise ConnectionError(f"no node of the cluster tells its slots: {self._reason}")
        return self._owners

    def _look_again(self, *, first: Address | None = None, last: Address | None = None) -> None:
        """Ask for the slots in the background, unless that was done a moment ago."""
        if first:
            self._to_ask = [first, *(one for one in self._to_ask if one != first)]
        if last in self._to_ask:
            self._to_ask = [*(one for one in self._to_ask if one != last), last]
        if asyncio.get_running_loop().time() >= self._rested_at:
            self._asking()

    def _asking(self) -> asyncio.Task[None]:
        if self._round is None or self._round.done():
            self._round = asyncio.create_task(self._ask())
        return self._round

    async def _ask(self) -> None:
        """Ask one node after another until one tells the slots."""
        for address in self._to_ask.copy():
            try:
                async with asyncio.timeout(self._patience_s):
                    shares = await self._node(address).execute_command("CLUSTER SLOTS")
            except (RedisError, OSError) as error:
                self._reason = error
                continue
            if any(owners := owners_of_slots(shares, asked=address)):
                await self._adopt(owners, told_by=address)
                break
        self._rested_at = asyncio.get_running_loop().time() + REST_S

    async def _adopt(self, owners: list[Address | None], *, told_by: Address) -> None:
        self._owners = owners
        primaries = self._primaries()
        self._to_ask = list(dict.fromkeys((told_by, *primaries, *self._seeds)))
        gone = [self._nodes.pop(one) for one in self._nodes.keys() - set(primaries)]
        await asyncio.gather(*(node.aclose() for node in gone))


def owners_of_slots(shares: Sequence[Any], *, asked: Address) -> list[Address | None]:
    """Each slot's primary by the reply to CLUSTER SLOTS; a node without a host is the one asked."""
    owners: list[Address | None] = [None] * REDIS_CLUSTER_HASH_SLOTS
    for first, last, (host, port, *_), *_ in shares:
        owner = host.decode() if host else asked[0], int(port)
        owners[first : last + 1] = [owner] * (last + 1 - first)
    return owners
