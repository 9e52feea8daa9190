"""The provider's keys over real HTTP: rotated, withdrawn, down, wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from rag_core.adapters.identity import (
    BELIEVED_S,
    REFRESH_S,
    RETRY_S,
    SigningKeys,
    open_signing_keys,
    read_key_set,
)
from rag_core.clock import ManualClock
from rag_core.errors import Unavailable
from rag_core.events import Event, SigningKeysFetched
from tests.rag_core.adapters.identity.provider import IdentityProvider, Signer


class HeldClock(ManualClock):
    """Sleepers wait until the test lets them go."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []
        self._asleep, self._wake = asyncio.Event(), asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._asleep.set()
        await self._wake.wait()
        self._wake.clear()

    async def turn(self) -> None:
        """Wake the sleeper, and wait until it sleeps again."""
        self._asleep.clear()
        self._wake.set()
        await self._asleep.wait()


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def turns() -> HeldClock:
    return HeldClock()


@pytest.fixture
async def keys(
    provider: IdentityProvider, clock: ManualClock, turns: HeldClock, events: list[Event]
) -> AsyncIterator[SigningKeys]:
    opened = open_signing_keys(
        provider.url, clock=clock, refresh_clock=turns, listener=events.append
    )
    async with opened as keys:
        yield keys


async def test_both_kinds_of_keys_are_found_with_one_fetch(
    keys: SigningKeys, provider: IdentityProvider
) -> None:
    rsa, ec = await keys.find("rsa-1"), await keys.find("ec-1")
    assert rsa is not None
    assert ec is not None
    assert (rsa.algorithm, ec.algorithm) == ("RS256", "ES256")
    assert provider.asked == 1


async def test_a_new_key_is_found_by_the_first_token_that_names_it(
    keys: SigningKeys, provider: IdentityProvider, clock: ManualClock
) -> None:
    await keys.find("rsa-1")
    provider.signers.append(Signer.ec("ec-2"))
    clock.advance(RETRY_S)
    assert await keys.find("ec-2") is not None
    assert provider.asked == 2


async def test_made_up_names_make_one_fetch_in_a_while(
    keys: SigningKeys, provider: IdentityProvider, clock: ManualClock
) -> None:
    await keys.find("rsa-1")
    clock.advance(RETRY_S)
    found = await asyncio.gather(*(keys.find(f"made-up-{n}") for n in range(100)))
    assert set(found) == {None}
    assert [await keys.find(f"made-up-too-{n}") for n in range(100)] == [None] * 100
    assert provider.asked == 2


async def test_a_withdrawn_key_is_refused_after_the_next_refresh(
    keys: SigningKeys, provider: IdentityProvider, clock: ManualClock, turns: HeldClock
) -> None:
    await keys.find("rsa-1")
    del provider.signers[0]
    clock.advance(REFRESH_S)
    assert [0.8 * REFRESH_S <= slept <= REFRESH_S for slept in turns.slept] == [True]
    async with asyncio.timeout(30):
        await turns.turn()
    assert await keys.find("rsa-1") is None
    assert await keys.find("ec-1") is not None


async def test_while_the_provider_is_down_the_last_keys_go_on_for_a_day(
    keys: SigningKeys, provider: IdentityProvider, clock: ManualClock, events: list[Event]
) -> None:
    await keys.find("rsa-1")
    provider.status = 503
    clock.advance(BELIEVED_S - 1)
    await keys.refresh()
    assert await keys.find("rsa-1") is not None
    told = events[-1]
    assert isinstance(told, SigningKeysFetched)
    assert (told.outcome, told.keys) == ("RAG_JWT_JWKS_URL answered 503", 2)
    clock.advance(1)
    with pytest.raises(Unavailable, match="cannot be fetched") as raised:
        await keys.find("rsa-1")
    assert raised.value.retry_after_s == RETRY_S
    provider.status = 200
    clock.advance(RETRY_S)
    assert await keys.find("rsa-1") is not None


async def test_a_known_key_waits_for_no_fetch(
    keys: SigningKeys, provider: IdentityProvider, clock: ManualClock
) -> None:
    await keys.find("rsa-1")
    provider.go_on.clear()
    clock.advance(RETRY_S)
    unknown = asyncio.ensure_future(keys.find("unknown"))
    async with asyncio.timeout(30):
        await provider.hung.wait()
    assert await keys.find("rsa-1") is not None
    assert not unknown.done()
    provider.go_on.set()
    assert await unknown is None


async def test_the_app_starts_without_the_provider_and_tokens_wait_for_it(
    provider: IdentityProvider, clock: ManualClock, turns: HeldClock, events: list[Event]
) -> None:
    provider.status = 500
    opened = open_signing_keys(
        provider.url, clock=clock, refresh_clock=turns, listener=events.append
    )
    async with opened as keys:
        with pytest.raises(Unavailable):
            await keys.find("rsa-1")
        provider.status = 200
        clock.advance(RETRY_S)
        assert await keys.find("rsa-1") is not None


async def test_what_is_no_key_set_changes_nothing(
    keys: SigningKeys,
    provider: IdentityProvider,
    clock: ManualClock,
    events: list[Event],
    subtests: pytest.Subtests,
) -> None:
    await keys.find("rsa-1")
    for body in [
        b"",
        b"<html>",
        b"[]",
        b'{"keys": {}}',
        b'{"keys": []}',
        b"\xff",
        b"1" * 2_000_000,
    ]:
        with subtests.test(body=body[:20]):
            provider.body = body
            clock.advance(RETRY_S)
            await keys.refresh()
            assert isinstance(events[-1], SigningKeysFetched)
            assert events[-1].outcome != "ok"
            assert await keys.find("rsa-1") is not None


async def test_a_redirect_is_not_followed(
    keys: SigningKeys, provider: IdentityProvider, clock: ManualClock, events: list[Event]
) -> None:
    await keys.find("rsa-1")
    provider.status = 302
    clock.advance(RETRY_S)
    await keys.refresh()
    assert isinstance(events[-1], SigningKeysFetched)
    assert events[-1].outcome == "RAG_JWT_JWKS_URL answered 302"


def test_of_a_set_only_keys_that_verify_rs256_and_es256_are_taken(
    rsa_signer: Signer, ec_signer: Signer
) -> None:
    rsa, ec = rsa_signer.jwk, ec_signer.jwk
    entries = [
        {**rsa, "kid": "good"},
        {name: ec[name] for name in ("kty", "crv", "x", "y")} | {"kid": "terse"},
        {**rsa, "kid": "for encryption", "use": "enc"},
        {**rsa, "kid": "signs only", "key_ops": ["sign"]},
        {**rsa, "kid": "other algorithm", "alg": "RS512"},
        {**ec, "kid": "other curve", "crv": "P-384"},
        {**rsa, "kid": ""},
        {**Signer.rsa("", bits=1024).jwk, "kid": "weak"},
        {**rsa, "kid": "broken", "n": "!!"},
        {**ec, "kid": "off the curve", "x": ec["y"], "y": ec["x"]},
        {"kty": "oct", "kid": "secret", "k": "c2VjcmV0"},
        {"kid": "no kind"},
        "no key",
    ]
    assert set(read_key_set(json.dumps({"keys": entries}).encode())) == {"good", "terse"}
