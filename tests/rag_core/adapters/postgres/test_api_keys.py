"""API keys in Postgres: found while they are in force; only their digests are stored."""

from __future__ import annotations

import pytest

from rag_core.access import ApiKey, BelievedKeys, Credential, HeaderAuthenticator
from rag_core.adapters.postgres import Database, PostgresApiKeys
from rag_core.clock import ManualClock
from rag_core.domain import UserId
from rag_core.errors import InvalidCredential
from tests.rag_core.library import connected


@pytest.fixture
def keys(database: Database) -> PostgresApiKeys:
    return PostgresApiKeys(database)


async def test_a_key_is_found_with_its_user_and_plan(keys: PostgresApiKeys, user: UserId) -> None:
    key = ApiKey.issue()
    await keys.add(key, user, plan="pro")
    found = await keys.find([key.prefix, ApiKey.issue().prefix])
    assert list(found) == [key.prefix]
    issued = found[key.prefix]
    assert (issued.digest, issued.credential) == (key.digest, Credential(user, "pro"))


async def test_a_key_that_is_not_in_force_is_not_found(keys: PostgresApiKeys, user: UserId) -> None:
    revoked, expired, lasting = ApiKey.issue(), ApiKey.issue(), ApiKey.issue()
    await keys.add(revoked, user)
    await keys.add(expired, user, days=-0.001)
    await keys.add(lasting, user, days=1)
    assert await keys.revoke(revoked.prefix)
    found = await keys.find([key.prefix for key in (revoked, expired, lasting)])
    assert list(found) == [lasting.prefix]


async def test_a_key_is_revoked_once_and_for_good(keys: PostgresApiKeys, user: UserId) -> None:
    key = ApiKey.issue()
    await keys.add(key, user)
    assert [await keys.revoke(key.prefix) for _ in range(2)] == [True, False]
    assert not await keys.revoke(ApiKey.issue().prefix)
    (record,) = await keys.records(user)
    assert record.revoked_at is not None


async def test_records_are_a_users_own_or_everybodys_the_oldest_first(
    keys: PostgresApiKeys, user: UserId, other_user: UserId
) -> None:
    mine = [ApiKey.issue() for _ in range(3)]
    for number, key in enumerate(mine):
        await keys.add(key, user, name=f"key {number}", plan="pro")
    await keys.add(ApiKey.issue(), other_user)
    own = await keys.records(user)
    assert [(each.prefix, each.name) for each in own] == [
        (key.prefix, f"key {number}") for number, key in enumerate(mine)
    ]
    assert {user, other_user} <= {record.user for record in await keys.records()}


async def test_neither_a_key_nor_its_secret_stands_in_the_database(
    keys: PostgresApiKeys, user: UserId, database_url: str
) -> None:
    key = ApiKey.issue()
    await keys.add(key, user)
    with connected(database_url) as connection:
        stored = connection.execute("SELECT api_keys::text FROM api_keys").fetchall()
    assert key.text.rpartition("_")[2] not in str(stored)


async def test_a_prefix_that_is_sql_is_a_prefix(keys: PostgresApiKeys) -> None:
    assert await keys.find(["' OR true --"]) == {}
    assert not await keys.revoke("' OR true --")


async def test_through_the_whole_chain_a_revoked_key_is_refused(
    keys: PostgresApiKeys, user: UserId
) -> None:
    key = ApiKey.issue()
    await keys.add(key, user)
    believed = BelievedKeys(keys.find, clock=ManualClock())
    authenticate = HeaderAuthenticator(believed)
    assert (await authenticate(Shown(key))).user == user
    await keys.revoke(key.prefix)
    await believed.renew()
    with pytest.raises(InvalidCredential):
        await authenticate(Shown(key))


class Shown:
    """Headers with a key."""

    def __init__(self, key: ApiKey) -> None:
        self.raw = [(b"x-api-key", key.text.encode())]
