"""Users' epochs, as the transactions that change notes set them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from rag_core.adapters.postgres.database import Database
from rag_core.cache.epochs import Epoch
from rag_core.user import UserId

# One text costs less to pass than a list does; a user id holds no blank.
_EPOCHS = "SELECT id, epoch::text FROM users WHERE id = ANY(string_to_array(%s, ' '))"


class PostgresEpochs:
    """Reads epochs of many users at once; `rag_core.cache.epochs` shares the reads out."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(self, users: Collection[UserId]) -> Mapping[UserId, Epoch]:
        """The committed epochs, in one round trip; see `rag_core.cache.epochs.ReadEpochs`."""
        return dict(await self._database.fetch(_EPOCHS, (" ".join(users),)))
