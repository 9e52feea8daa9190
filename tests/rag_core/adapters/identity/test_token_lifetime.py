"""A token is believed in its time, and no longer than its key."""

from __future__ import annotations

from rag_core.adapters.identity import LEEWAY_S, RETRY_S, BearerTokens
from rag_core.clock import ManualClock
from tests.rag_core.adapters.identity.provider import Signer, claims, identity_provider
from tests.rag_core.adapters.identity.tokens import RUTH, hs256, refused, taking


async def test_a_token_ends_at_its_time_and_begins_at_its_time(
    verify: BearerTokens, clock: ManualClock
) -> None:
    token = hs256(claims(clock, exp=clock.now() + 60, nbf=clock.now() + 60 + LEEWAY_S))
    await refused(verify, token, "not valid yet")
    clock.advance(60)
    assert await verify(token) == RUTH
    clock.advance(LEEWAY_S)
    await refused(verify, token, "expired")
    await refused(verify, hs256(claims(clock, iat=clock.now() + LEEWAY_S + 1)), "not valid yet")


async def test_a_token_that_was_believed_ends_with_its_key(
    clock: ManualClock, rsa_signer: Signer, ec_signer: Signer
) -> None:
    async with identity_provider(rsa_signer) as provider, taking(clock, provider) as verify:
        token = rsa_signer.sign(claims(clock))
        assert await verify(token) == RUTH
        for signers in ([ec_signer], [ec_signer, Signer.rsa(rsa_signer.id)]):
            provider.signers[:] = signers
            clock.advance(RETRY_S)
            await refused(verify, ec_signer.sign(claims(clock), kid="unknown"))  # so it is fetched
            await refused(verify, token)


async def test_a_token_that_was_believed_still_expires(clock: ManualClock) -> None:
    async with taking(clock) as verify:
        token = hs256(claims(clock, exp=clock.now() + 60))
        for _ in range(2):
            assert await verify(token) == RUTH
        clock.advance(60 + LEEWAY_S)
        await refused(verify, token, "expired")
