"""A provider with an RSA and an EC key, made once as that takes a while; what takes its tokens."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from rag_core.adapters.identity import BearerTokens
from rag_core.clock import ManualClock
from tests.rag_core.adapters.identity.provider import IdentityProvider, Signer, identity_provider
from tests.rag_core.adapters.identity.tokens import taking


@pytest.fixture(scope="session")
def rsa_signer() -> Signer:
    return Signer.rsa("rsa-1")


@pytest.fixture(scope="session")
def ec_signer() -> Signer:
    return Signer.ec("ec-1")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def provider(rsa_signer: Signer, ec_signer: Signer) -> AsyncIterator[IdentityProvider]:
    async with identity_provider(rsa_signer, ec_signer) as provider:
        yield provider


@pytest.fixture
async def verify(clock: ManualClock, provider: IdentityProvider) -> AsyncIterator[BearerTokens]:
    """Takes all three kinds."""
    async with taking(clock, provider) as tokens:
        yield tokens
