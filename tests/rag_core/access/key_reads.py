"""Keys that a test holds, and how often they were read."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping

from rag_core.access import ApiKey, Credential, IssuedKey
from rag_core.domain import UserId
from rag_core.errors import DatabaseUnavailable


class KeyReads:
    """Reads keys as Postgres would, and remembers what it was asked."""

    def __init__(self) -> None:
        self.in_force: dict[str, IssuedKey] = {}
        self.reads: list[set[str]] = []
        self.down = False
        self.go_on = asyncio.Event()
        self.go_on.set()

    def issue(self, user: str = "ruth", plan: str = "") -> ApiKey:
        key = ApiKey.issue()
        self.in_force[key.prefix] = IssuedKey(key.digest, Credential(UserId(user), plan))
        return key

    def revoke(self, key: ApiKey) -> None:
        del self.in_force[key.prefix]

    async def __call__(self, prefixes: Collection[str]) -> Mapping[str, IssuedKey]:
        self.reads.append(set(prefixes))
        seen = {prefix: self.in_force[prefix] for prefix in prefixes if prefix in self.in_force}
        await self.go_on.wait()
        if self.down:
            raise DatabaseUnavailable("Postgres is down")
        return seen
