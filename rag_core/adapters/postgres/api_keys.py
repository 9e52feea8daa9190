"""API keys in Postgres."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from rag_core.access import ApiKey, Credential, IssuedKey, KeyRecord
from rag_core.adapters.postgres.connection import Connection
from rag_core.adapters.postgres.database import Database
from rag_core.domain.user import UserId

_IN_FORCE = "revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())"

_FIND = f"SELECT prefix, digest, user_id, plan FROM api_keys WHERE prefix = ANY(%s) AND {_IN_FORCE}"

_ADD = """
INSERT INTO api_keys (prefix, digest, user_id, plan, name, expires_at)
VALUES (%(prefix)s, %(digest)s, %(user)s, %(plan)s, %(name)s, now() + %(days)s * interval '1 day')
"""

_REVOKE = f"""
UPDATE api_keys SET revoked_at = now() WHERE prefix = %s AND {_IN_FORCE} RETURNING prefix
"""

_RECORDS = """
SELECT prefix, user_id, plan, name, created_at, expires_at, revoked_at FROM api_keys
WHERE %(user)s::text IS NULL OR user_id = %(user)s ORDER BY created_at, prefix
"""

_OPERATOR = UserId("operator")
"""Whoever changes keys takes turns; no key is anybody's notes."""


class PostgresApiKeys:
    """KeyStore over the table `api_keys`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, prefixes: Collection[str]) -> Mapping[str, IssuedKey]:
        """See `KeyStore`."""
        rows = await self._database.fetch(_FIND, (list(prefixes),), binary=True)
        return {
            prefix: IssuedKey(digest, Credential(user, plan)) for prefix, digest, user, plan in rows
        }

    async def add(
        self,
        key: ApiKey,
        user: UserId,
        *,
        plan: str = "",
        name: str = "",
        days: float | None = None,
    ) -> None:
        """See `KeyStore`."""
        values = {
            "prefix": key.prefix,
            "digest": key.digest,
            "user": user,
            "plan": plan,
            "name": name,
            "days": days,
        }

        async def insert(connection: Connection) -> None:
            await connection.execute(_ADD, values)

        await self._database.write(user, insert)

    async def revoke(self, prefix: str) -> bool:
        """See `KeyStore`."""

        async def update(connection: Connection) -> bool:
            revoked = await connection.execute(_REVOKE, (prefix,))
            return await revoked.fetchone() is not None

        return await self._database.write(_OPERATOR, update)

    async def records(self, user: UserId | None = None) -> list[KeyRecord]:
        """See `KeyStore`."""
        rows = await self._database.fetch(_RECORDS, {"user": user})
        return [
            KeyRecord(
                prefix=prefix,
                user=owner,
                plan=plan,
                name=name,
                created_at=created,
                expires_at=expires,
                revoked_at=revoked,
            )
            for prefix, owner, plan, name, created, expires, revoked in rows
        ]
