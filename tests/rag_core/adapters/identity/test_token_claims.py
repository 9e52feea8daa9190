"""What a token says must hold."""

from __future__ import annotations

from typing import Any

import pytest

from rag_core.access import Credential
from rag_core.adapters.identity import BearerTokens
from rag_core.clock import ManualClock
from rag_core.domain import UserId
from tests.rag_core.adapters.identity.provider import AUDIENCE, ISSUER, Signer, claims
from tests.rag_core.adapters.identity.tokens import RUTH, hs256, refused, taking


async def test_a_good_token_says_who_asks_and_by_which_plan(
    verify: BearerTokens, clock: ManualClock, rsa_signer: Signer, ec_signer: Signer
) -> None:
    said = claims(clock)
    for token in (hs256(said), rsa_signer.sign(said), ec_signer.sign(said)):
        assert await verify(token) == RUTH
    pro = claims(clock, plan="pro", sub="auth0|5f7c8ec7")
    assert await verify(ec_signer.sign(pro)) == Credential(UserId("auth0|5f7c8ec7"), "pro")
    several = claims(clock, aud=["other", AUDIENCE])
    assert await verify(hs256(several)) == RUTH


@pytest.mark.parametrize(
    ("changed", "because"),
    [
        ({"exp": None}, "lacks exp"),
        ({"sub": None}, "lacks sub"),
        ({"aud": None}, "lacks aud"),
        ({"aud": "other"}, "meant for others"),
        ({"aud": []}, "lacks aud"),
        ({"aud": [AUDIENCE + "x"]}, "meant for others"),
        ({"aud": {AUDIENCE: 1}}, "meant for others"),
        ({"iss": None}, "lacks iss|issued by others"),
        ({"iss": ISSUER + "x"}, "issued by others"),
        ({"iss": [ISSUER]}, "issued by others"),
        ({"sub": ""}, "sub"),
        ({"sub": "{ruth}"}, "sub"),
        ({"sub": "ruth\nboaz"}, "sub"),
        ({"sub": "x" * 129}, "sub"),
        ({"plan": ["pro"]}, "plan"),
        ({"plan": "x" * 65}, "plan"),
        ({"exp": "soon"}, "exp is no time"),
        ({"exp": True}, "exp is no time"),
        ({"exp": 10**400}, "exp is no time"),
        ({"exp": float("inf")}, "exp is no time"),
        ({"exp": float("nan")}, "exp is no time"),
        ({"nbf": "now"}, "nbf is no time"),
        ({"iat": []}, "iat is no time"),
    ],
)
async def test_what_a_token_says_must_hold(
    clock: ManualClock, changed: dict[str, Any], because: str
) -> None:
    async with taking(clock) as verify:
        await refused(verify, hs256(claims(clock, **changed)), because)


async def test_a_subject_must_be_text(clock: ManualClock) -> None:
    for sub in (1, ["ruth"], {"ruth": 1}, True):
        async with taking(clock) as verify:
            await refused(verify, hs256(claims(clock, sub=sub)))
