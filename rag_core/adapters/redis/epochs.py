"""Leased copies of users' epochs in Redis. Why this is safe: see `rag_core.cache.epochs`."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from rag_core.adapters.redis.link import RedisLink
from rag_core.cache.epochs import CLOCK_SKEW_S, LEASE_S, Epoch, EpochSource
from rag_core.cache.keys import user_key
from rag_core.clock import Clock
from rag_core.errors import CacheUnavailable
from rag_core.user import UserId

_SETTLED: Final = b"="
_PENDING: Final = b"~"

# Settle an announcement that nobody has replaced; its term is not extended.
_CONFIRM = """
local value = redis.call('GET', KEYS[1])
if value and string.sub(value, 1, #ARGV[1]) == ARGV[1] then
    redis.call('SET', KEYS[1], '=' .. string.sub(value, 2), 'KEEPTTL')
end
"""

# Write a copy unless another one of this server's life is there that is still believed.
_LEASE = """
local value = redis.call('GET', KEYS[1])
local run_id, believed_until = string.match(value or '', '|([^|]*)|([^|]*)$')
if run_id ~= ARGV[2] or tonumber(believed_until) <= tonumber(ARGV[3]) then
    redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[4])
end
"""


@dataclass(frozen=True, slots=True)
class EpochCopy:
    """What Redis holds of an epoch: in which state, from which server process, until when."""

    settled: bool
    epoch: Epoch
    run_id: bytes
    believed_until: float
    """Seconds since the Unix epoch, by the clock of the process that wrote it."""

    def encode(self) -> bytes:
        """`state|epoch|run_id|believed_until`"""
        state = _SETTLED if self.settled else _PENDING
        until = repr(self.believed_until).encode()
        return b"|".join((state, self.epoch.encode(), self.run_id, until))


def decode_copy(value: bytes | None) -> EpochCopy | None:
    """The copy that `value` encodes; None for nothing and for anything else."""
    try:
        state, epoch, run_id, until = (value or b"").split(b"|")
        return EpochCopy(state == _SETTLED, Epoch(epoch.decode()), run_id, float(until))
    except ValueError:  # too few parts, not a number, not UTF-8
        return None


class RedisEpochs:
    """EpochBoard on Redis, and the reader's side of it."""

    def __init__(
        self, link: RedisLink, source: EpochSource, *, clock: Clock, lease_s: float = LEASE_S
    ) -> None:
        self._link = link
        self._source = source
        self._clock = clock
        self._lease_s = lease_s
        self._settle = link.client.register_script(_CONFIRM)
        self._write = link.client.register_script(_LEASE)

    async def announce(self, user: UserId, epoch: Epoch) -> bool:
        """See `EpochBoard`."""
        try:
            await self._announce(user, epoch)
        except CacheUnavailable:
            # Someone else may reach Redis and believe an old copy: outwait it.
            await self._clock.sleep(self._lease_s + CLOCK_SKEW_S)
            return False
        return True

    async def confirm(self, user: UserId, epoch: Epoch) -> None:
        """See `EpochBoard`; where it is lost, the announcement simply runs out."""
        with suppress(CacheUnavailable):
            announced = b"|".join((_PENDING, epoch.encode(), b""))
            await self._link.call(self._settle(keys=[self.key(user)], args=[announced]))

    async def believed(self, user: UserId, value: bytes | None) -> Epoch | None:
        """The user's epoch by the copy `value`, or by the database when that is not believed.

        None while a change is in flight: nothing may be served unchecked, nothing stored.
        """
        copy = decode_copy(value)
        ours = copy and copy.run_id and copy.run_id == self._link.run_id
        if copy and ours and self._clock.now() < copy.believed_until:
            return copy.epoch if copy.settled else None
        async with self._source.hold(user) as epoch:
            if epoch is not None:
                await self._lease(user, epoch)
            return epoch

    def key(self, user: UserId) -> str:
        """Where the copy of the user's epoch is."""
        return user_key(user, "epoch")

    async def _announce(self, user: UserId, epoch: Epoch) -> None:
        await self._link.connected()
        while True:
            run_id = self._link.run_id
            value = self._copy(epoch, settled=False).encode()
            if not await self._link.call(self._link.client.set(self.key(user), value, px=self._px)):
                raise CacheUnavailable("Redis answered SET with something else")
            if run_id == self._link.run_id:  # else another server answered than the copy names
                return

    async def _lease(self, user: UserId, epoch: Epoch) -> None:
        """Leave a copy for the next reader; the caller holds the epoch."""
        copy = self._copy(epoch, settled=True)
        arguments: list[bytes | str | int] = [
            copy.encode(),
            copy.run_id,
            repr(self._clock.now()),
            self._px,
        ]
        with suppress(CacheUnavailable):
            await self._link.call(self._write(keys=[self.key(user)], args=arguments))

    def _copy(self, epoch: Epoch, *, settled: bool) -> EpochCopy:
        return EpochCopy(settled, epoch, self._link.run_id, self._clock.now() + self._lease_s)

    @property
    def _px(self) -> int:
        return int(self._lease_s * 1000)
