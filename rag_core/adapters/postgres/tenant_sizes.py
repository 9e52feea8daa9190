"""Which users have so many chunks that an exact scan of them is the slower way."""

from __future__ import annotations

import time
from collections.abc import Callable

from rag_core.adapters.postgres.database import Database
from rag_core.domain.user import UserId

COUNTED_FOR_S = 600.0
"""Chosen: a count costs one short round trip, and a user's notes seldom multiply in ten minutes."""
MOST_USERS = 100_000
"""Remembered at a time; about 100 bytes each."""

_MORE_THAN = """
SELECT count(*) > %(most)b::bigint
FROM (SELECT FROM chunk_vectors WHERE user_id = %(user)b LIMIT %(most)b::bigint + 1) AS counted
"""


class TenantSizes:
    """Counts the chunks of a user, as far as it takes, and believes it for `COUNTED_FOR_S`.

    A count that is out of date makes a search slower, never wrong.

    Args:
        exact_up_to: number of chunks of a user that are scanned; with 0 nobody is counted.
        monotonic: seconds from an arbitrary start.
    """

    def __init__(
        self,
        database: Database,
        exact_up_to: int,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database, self._exact_up_to, self._monotonic = database, exact_up_to, monotonic
        self._larger: dict[UserId, tuple[bool, float]] = {}

    async def larger(self, user: UserId) -> bool:
        """Whether the user has more than `exact_up_to` chunks.

        Raises:
            DatabaseUnavailable: it had to be counted, and there was no reply.
        """
        if not self._exact_up_to:
            return True
        larger, counted_until = self._larger.get(user, (False, float("-inf")))
        if self._monotonic() < counted_until:
            return larger
        asked = {"user": user, "most": self._exact_up_to}
        ((larger,),) = await self._database.fetch(_MORE_THAN, asked, binary=True)
        if len(self._larger) >= MOST_USERS:
            self._larger.clear()
        self._larger[user] = larger, self._monotonic() + COUNTED_FOR_S
        return bool(larger)
