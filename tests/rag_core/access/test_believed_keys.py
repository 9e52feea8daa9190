"""Keys in use cost no read; a revoked one is refused within `BELIEVED_S`, whatever happens."""

from __future__ import annotations

import asyncio

import pytest

from rag_core.access import BELIEVED_S, IDLE_S, ApiKey, BelievedKeys, Credential
from rag_core.clock import ManualClock
from rag_core.domain import UserId
from rag_core.errors import DatabaseUnavailable
from tests.rag_core.access.key_reads import KeyReads


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store() -> KeyReads:
    return KeyReads()


@pytest.fixture
def keys(store: KeyReads, clock: ManualClock) -> BelievedKeys:
    return BelievedKeys(store, clock=clock)


async def test_the_second_request_with_a_key_reads_nothing(
    store: KeyReads, keys: BelievedKeys
) -> None:
    key = store.issue("ruth", "pro")
    for _ in range(3):
        found = await keys.find(key.prefix)
        assert found is not None
        assert found.credential == Credential(UserId("ruth"), "pro")
    assert store.reads == [{key.prefix}]


async def test_a_revoked_key_is_refused_when_the_time_is_up_and_not_later(
    store: KeyReads, keys: BelievedKeys, clock: ManualClock
) -> None:
    key = store.issue()
    await keys.find(key.prefix)
    store.revoke(key)
    clock.advance(BELIEVED_S - 0.001)
    assert await keys.find(key.prefix) is not None
    clock.advance(0.001)
    assert await keys.find(key.prefix) is None


async def test_the_time_counts_from_before_the_read(
    store: KeyReads, keys: BelievedKeys, clock: ManualClock
) -> None:
    key = store.issue()
    store.go_on.clear()
    reading = asyncio.ensure_future(keys.find(key.prefix))
    await asyncio.sleep(0)
    clock.advance(BELIEVED_S / 2)  # a slow read
    store.go_on.set()
    await reading
    store.revoke(key)
    clock.advance(BELIEVED_S / 2)
    assert await keys.find(key.prefix) is None


async def test_keys_in_use_are_renewed_together_so_that_no_request_waits(
    store: KeyReads, keys: BelievedKeys, clock: ManualClock
) -> None:
    held = [store.issue() for _ in range(3)]
    for key in held:
        await keys.find(key.prefix)
    del store.reads[:]
    for _ in range(10):
        clock.advance(BELIEVED_S / 2)
        await keys.renew()
        assert all([await keys.find(key.prefix) for key in held])
    assert store.reads == [{key.prefix for key in held}] * 10


async def test_renewing_finds_what_was_revoked(store: KeyReads, keys: BelievedKeys) -> None:
    kept, revoked = store.issue(), store.issue()
    for key in (kept, revoked):
        await keys.find(key.prefix)
    store.revoke(revoked)
    await keys.renew()
    assert await keys.find(revoked.prefix) is None
    assert await keys.find(kept.prefix) is not None


async def test_a_key_that_nobody_uses_is_not_read_for_ever(
    store: KeyReads, keys: BelievedKeys, clock: ManualClock
) -> None:
    key = store.issue()
    await keys.find(key.prefix)
    clock.advance(IDLE_S)
    await keys.renew()
    await keys.renew()
    assert store.reads == [{key.prefix}]


async def test_while_postgres_is_down_keys_hold_for_their_time_and_then_it_is_said(
    store: KeyReads, keys: BelievedKeys, clock: ManualClock
) -> None:
    key = store.issue()
    await keys.find(key.prefix)
    store.down = True
    clock.advance(BELIEVED_S / 2)
    with pytest.raises(DatabaseUnavailable):
        await keys.renew()
    assert await keys.find(key.prefix) is not None
    clock.advance(BELIEVED_S / 2)
    with pytest.raises(DatabaseUnavailable):
        await keys.find(key.prefix)
    store.down = False
    assert await keys.find(key.prefix) is not None


async def test_a_flood_of_made_up_keys_is_one_read_at_a_time(
    store: KeyReads, keys: BelievedKeys
) -> None:
    flood = [ApiKey.issue().prefix for _ in range(200)]
    store.go_on.clear()
    asked = [asyncio.ensure_future(keys.find(prefix)) for prefix in flood]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(store.reads) == 1
    late = [asyncio.ensure_future(keys.find(ApiKey.issue().prefix)) for _ in range(50)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(store.reads) == 1
    store.go_on.set()
    assert await asyncio.gather(*asked, *late) == [None] * 250
    assert [len(read) for read in store.reads] == [200, 50]


async def test_who_comes_while_a_read_is_under_way_does_not_get_what_it_saw(
    store: KeyReads, keys: BelievedKeys
) -> None:
    store.go_on.clear()
    key = ApiKey.issue()
    early = asyncio.ensure_future(keys.find(key.prefix))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    other = store.issue()
    late = asyncio.ensure_future(keys.find(other.prefix))
    await asyncio.sleep(0)
    store.go_on.set()
    assert await early is None
    assert await late is not None


async def test_a_caller_who_goes_away_takes_nobody_with_them(
    store: KeyReads, keys: BelievedKeys
) -> None:
    key = store.issue()
    store.go_on.clear()
    gone, stays = (asyncio.ensure_future(keys.find(key.prefix)) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    store.go_on.set()
    assert await stays is not None
