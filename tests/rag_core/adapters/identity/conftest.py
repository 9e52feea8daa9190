"""A provider with an RSA and an EC key; making keys takes a while, so once."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from rag_core.clock import ManualClock
from tests.rag_core.adapters.identity.provider import IdentityProvider, Signer, identity_provider


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
