"""Whoever makes trouble: sessions ended, connections cut and held, caches lost, clocks set."""

from __future__ import annotations

import random
from collections.abc import Sequence

from evals.consistency.database import Backstage
from evals.consistency.valkeys import ValkeyPair
from evals.consistency.workers import HOUR_S, Worker
from evals.consistency.world import Actions


class Trouble:
    """Everything that goes wrong around the workers."""

    def __init__(
        self,
        workers: Sequence[Worker],
        valkeys: ValkeyPair,
        backstage: Backstage,
        chance: random.Random,
    ) -> None:
        self._workers = workers
        self._valkeys = valkeys
        self._backstage = backstage
        self._chance = chance

    @property
    def actions(self) -> Actions:
        """What may happen, with how often in 100 steps."""
        return {
            self.end_session: 0.3, self.cut: 0.2, self.hold: 0.2, self.fail_over: 0.3,
            self.move: 1.0, self.demote: 0.3, self.kill: 0.05, self.freeze: 0.1,
            self.snapshot: 0.1, self.flush: 0.05, self.hang_up: 0.1, self.evict: 1.0,
            self.wait: 2.0, self.set_clock: 0.5,
        }  # fmt: skip

    async def end_session(self) -> None:
        """The server ends somebody's session."""
        if sessions := await self._backstage.sessions():
            await self._backstage.end([self._chance.choice(sessions)])

    async def cut(self) -> None:
        """A worker's connections to Postgres break."""
        self._chance.choice(self._workers).proxy.cut()

    async def hold(self) -> None:
        """Nothing passes between a worker and Postgres for a while."""
        proxy = self._chance.choice(self._workers).proxy
        await proxy.hold(self._chance.choice((0.005, 0.05, 0.3, 1.5)))

    async def fail_over(self) -> None:
        """The replica is promoted; whoever has not moved talks to the old primary."""
        await self._valkeys.fail_over()

    async def move(self) -> None:
        """A worker learns of the new primary."""
        url = self._valkeys.primary.url
        behind = [w.redis for w in self._workers if w.redis and w.redis.url != url]
        if behind:
            await self._chance.choice(behind).move(url)

    async def demote(self) -> None:
        """The old primary becomes the replica, workers or no workers."""
        await self._valkeys.demote()

    async def kill(self) -> None:
        """A Valkey dies and comes back."""
        await self._valkeys.kill()

    async def freeze(self) -> None:
        """A Valkey does not answer for a while."""
        await self._valkeys.freeze()

    async def snapshot(self) -> None:
        """A Valkey saves what it will come back with."""
        await self._valkeys.snapshot()

    async def flush(self) -> None:
        """A Valkey loses all keys."""
        await self._valkeys.flush()

    async def hang_up(self) -> None:
        """A Valkey cuts all connections."""
        await self._valkeys.hang_up()

    async def evict(self) -> None:
        """A Valkey drops a key."""
        await self._valkeys.evict()

    async def wait(self) -> None:
        """Time goes by, for one worker or for all, at its own pace."""
        seconds = self._chance.choice((0.5, 3.0, 12.0, 400.0))
        everyone = self._chance.random() < 0.5
        for worker in self._workers if everyone else [self._chance.choice(self._workers)]:
            worker.clock.advance(seconds * (0.8 + 0.4 * self._chance.random()))

    async def set_clock(self) -> None:
        """Somebody sets a worker's wall clock."""
        skew_s = self._chance.choice((-HOUR_S, -60.0, 0.0, 300.0, HOUR_S))
        self._chance.choice(self._workers).clock.set_wall(skew_s)
