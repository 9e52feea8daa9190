"""What is no token, or none that is understood, is refused."""

from __future__ import annotations

import base64

import jwt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag_core.adapters.identity import MAX_TOKEN_BYTES
from rag_core.clock import ManualClock
from tests.rag_core.adapters.identity.provider import claims
from tests.rag_core.adapters.identity.tokens import SECRET, hs256, raw, refused, taking


async def test_extensions_that_must_be_understood_are_refused(clock: ManualClock) -> None:
    async with taking(clock) as verify:
        for header in ({"crit": ["exp"]}, {"crit": ["b64"], "b64": False}, {"crit": "exp"}):
            await refused(verify, hs256(claims(clock), **header))


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "é.é.é",
        "x" * (MAX_TOKEN_BYTES + 1),
        f"{base64.urlsafe_b64encode(b'[' * 3000).decode()}.e30.",
        raw({"alg": "HS256"}, 0),
        raw([], {}),
        raw("HS256", {}),
        raw({"alg": "HS256", "typ": "JWE", "enc": "A256GCM"}, {}),
        "e30.e30.e30.e30.e30",
    ],
)
async def test_what_is_no_token_is_refused(clock: ManualClock, token: str) -> None:
    async with taking(clock) as verify:
        await refused(verify, token)


async def test_a_signed_payload_that_is_no_claims_is_refused(clock: ManualClock) -> None:
    async with taking(clock) as verify:
        for payload in (
            b"[]",
            b"0",
            b"null",
            b"[" * 2000,
            b"\xff",
            b"",
            b'{"exp": NaN}',
            b"1" * 5000,
        ):
            token = jwt.PyJWS().encode(payload, SECRET, "HS256")
            await refused(verify, token)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(
    st.one_of(
        st.text(max_size=300),
        st.lists(st.binary(max_size=80), min_size=2, max_size=4).map(
            lambda parts: ".".join(base64.urlsafe_b64encode(part).decode() for part in parts)
        ),
        st.builds(
            raw,
            st.dictionaries(
                st.sampled_from(["alg", "kid", "typ", "crit", "b64", "x"]),
                st.sampled_from(["HS256", "RS256", "ES256", "none", None, 1, [], "rsa-1", False]),
            ),
            st.recursive(
                st.none() | st.booleans() | st.floats() | st.text(max_size=9),
                lambda inner: st.dictionaries(
                    st.sampled_from(["sub", "exp", "aud", "iss"]), inner, max_size=4
                ),
                max_leaves=6,
            ),
            st.binary(max_size=40),
        ),
    )
)
async def test_whatever_comes_the_answer_is_a_refusal(token: str) -> None:
    async with taking(ManualClock()) as verify:
        await refused(verify, token)
