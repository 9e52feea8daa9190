"""Which limits a caller is held to, and whether there is room within them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rag_core.domain.user import UserId
from rag_core.errors import CacheUnavailable
from rag_core.events import Listener, RateLimited, RateLimitsUnknown
from rag_core.throttle.rate_store import RateStore
from rag_core.throttle.rates import Count, RateLimit, Standing


class RateLimiter:
    """Lets a request in if its user and all users together have room for it.

    Where the store cannot be asked, whoever comes is let in: limits protect from too much, and an
    outage of the store is no such thing.

    Args:
        user: limits of each user.
        everyone: limits of all users together.
        plans: limits of users by their id or the name of their plan, in place of `user`.
        tight: whether users are to make do with half of their limits for now.
    """

    def __init__(
        self,
        store: RateStore,
        *,
        user: Sequence[RateLimit] = (),
        everyone: Sequence[RateLimit] = (),
        plans: Mapping[str, Sequence[RateLimit]] | None = None,
        tight: Callable[[], bool] = lambda: False,
        listener: Listener,
    ) -> None:
        self._store, self._listener, self._tight = store, listener, tight
        self._user, self._everyone, self._plans = user, everyone, plans or {}

    @property
    def unlimited(self) -> bool:
        """Whether nobody is held to anything, as behind a gateway that counts."""
        return not (self._user or self._everyone or self._plans)

    def limits(self, user: UserId, plan: str = "") -> tuple[RateLimit, ...]:
        """What a user of that plan is held to now; the user's own name goes before the plan's."""
        own = self._plans.get(user, self._plans.get(plan, self._user))
        if self._tight():
            own = [limit.halved for limit in own]
        return (*own, *self._everyone)

    async def take(self, user: UserId, plan: str = "") -> Count:
        """One more request: whether there is room for it, and where its limits stand then."""
        if not (limits := self.limits(user, plan)):
            return Count(True, ())
        try:
            count = await self._store.take(user, limits)
        except CacheUnavailable:
            self._listener(RateLimitsUnknown())
            return Count(True, ())
        if refusal := count.refusal:
            self._listener(RateLimited(refusal.limit.scope))
        return count

    async def standings(self, user: UserId, plan: str = "") -> tuple[Standing, ...]:
        """Where the user's limits stand; nothing is counted.

        Raises:
            CacheUnavailable: nobody can tell at the moment.
        """
        limits = self.limits(user, plan)
        return await self._store.look(user, limits) if limits else ()
