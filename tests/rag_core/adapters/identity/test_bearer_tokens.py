"""Good tokens are believed; forged, borrowed, stale and garbled ones are not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag_core.access import Credential
from rag_core.adapters.identity import (
    LEEWAY_S,
    MAX_TOKEN_BYTES,
    RETRY_S,
    BearerTokens,
    open_signing_keys,
)
from rag_core.clock import ManualClock, SystemClock
from rag_core.domain import UserId
from rag_core.errors import InvalidCredential
from rag_core.events import ignore
from tests.rag_core.adapters.identity.provider import (
    AUDIENCE,
    ISSUER,
    IdentityProvider,
    Signer,
    claims,
    identity_provider,
)

SECRET = b"a secret of thirty-two bytes or so"
RUTH = Credential(UserId("ruth"))


@asynccontextmanager
async def taking(
    clock: ManualClock, provider: IdentityProvider | None = None, *, secret: bytes | None = SECRET
) -> AsyncIterator[BearerTokens]:
    def tokens(signing_keys: Any) -> BearerTokens:
        return BearerTokens(
            audience=AUDIENCE, issuer=ISSUER, secret=secret, signing_keys=signing_keys, clock=clock
        )

    if provider is None:
        yield tokens(None)
        return
    opened = open_signing_keys(
        provider.url, clock=clock, refresh_clock=SystemClock(), listener=ignore
    )
    async with opened as keys:
        yield tokens(keys)


@pytest.fixture
async def verify(clock: ManualClock, provider: IdentityProvider) -> AsyncIterator[BearerTokens]:
    """Takes all three kinds."""
    async with taking(clock, provider) as tokens:
        yield tokens


def hs256(said: Any, secret: bytes = SECRET, **more: Any) -> str:
    """Signed whatever it says; PyJWT would not."""
    header = {"alg": "HS256", **more}
    body = raw(header, said).rpartition(".")[0]
    return raw(header, said, hmac.digest(secret, body.encode(), hashlib.sha256))


def raw(header: Any, payload: Any, signature: bytes = b"") -> str:
    parts = (json.dumps(header).encode(), json.dumps(payload).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


async def refused(verify: BearerTokens, token: str, because: str = "") -> None:
    with pytest.raises(InvalidCredential, match=because or None):
        await verify(token)


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


async def test_a_forged_signature_is_refused(
    verify: BearerTokens, clock: ManualClock, rsa_signer: Signer, ec_signer: Signer
) -> None:
    said = claims(clock)
    await refused(verify, hs256(said, b"another secret of thirty-two bytes"), "signature")
    for signer in (Signer.rsa("rsa-1"), Signer.ec("ec-1")):  # the names are right, the keys not
        await refused(verify, signer.sign(said), "signature")
    for token in (hs256(said), rsa_signer.sign(said), ec_signer.sign(said)):
        head, _, signature = token.split(".")
        boazs = raw({}, claims(clock, sub="boaz")).split(".")[1]
        await refused(verify, f"{head}.{boazs}.{signature}", "signature")
        await refused(verify, f"{head}.{boazs}.", "signature|malformed")


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "", None, 0, ["HS256"]])
async def test_no_algorithm_is_no_algorithm(
    verify: BearerTokens, clock: ManualClock, algorithm: Any
) -> None:
    await refused(verify, raw({"alg": algorithm, "typ": "JWT"}, claims(clock)))
    await refused(verify, raw({"alg": algorithm, "kid": "rsa-1"}, claims(clock)))


async def test_other_algorithms_of_the_same_keys_are_refused(
    verify: BearerTokens, clock: ManualClock, rsa_signer: Signer
) -> None:
    for algorithm in ("RS384", "RS512", "PS256"):
        token = jwt.encode(claims(clock), rsa_signer.key, algorithm, headers={"kid": "rsa-1"})
        await refused(verify, token, "not taken here")
    for algorithm in ("HS384", "HS512"):
        secret = SECRET * 2
        async with taking(clock, secret=secret) as tokens:
            await refused(tokens, jwt.encode(claims(clock), secret, algorithm))


async def test_a_public_key_is_no_shared_secret(
    verify: BearerTokens, clock: ManualClock, provider: IdentityProvider, rsa_signer: Signer
) -> None:
    """HS256 keyed with what everybody can fetch: the classic confusion."""
    public = rsa_signer.key.public_key()
    forms = [
        public.public_bytes(encoding, kind)
        for encoding in (serialization.Encoding.PEM, serialization.Encoding.DER)
        for kind in (
            serialization.PublicFormat.SubjectPublicKeyInfo,
            serialization.PublicFormat.PKCS1,
        )
    ]
    forms += [json.dumps(rsa_signer.jwk).encode(), provider.key_set, rsa_signer.jwk["n"].encode()]
    async with taking(clock, provider, secret=None) as without_secret:
        for form in forms:
            for kid in ("rsa-1", "ec-1"):
                token = hs256(claims(clock), form, kid=kid)
                await refused(verify, token, "signature")
                await refused(without_secret, token, "not known")


async def test_a_key_of_one_kind_does_not_verify_the_other(
    verify: BearerTokens, clock: ManualClock, rsa_signer: Signer, ec_signer: Signer
) -> None:
    await refused(verify, rsa_signer.sign(claims(clock), kid="ec-1"), "not known")
    await refused(verify, ec_signer.sign(claims(clock), kid="rsa-1"), "not known")


@pytest.mark.parametrize(
    "kid",
    [
        None,
        "",
        "../../etc/passwd",
        "/dev/null",
        "rsa-1' OR '1'='1",
        "rsa-1\x00",
        "RSA-1",
        "http://127.0.0.1:1/key",
        1,
        ["rsa-1"],
        {"rsa-1": 1},
        "x" * 4_000,
    ],
)
async def test_a_key_is_found_by_its_exact_name_or_not_at_all(
    verify: BearerTokens, clock: ManualClock, rsa_signer: Signer, kid: Any
) -> None:
    token = rsa_signer.sign(claims(clock))
    _, payload, signature = token.split(".")
    head = raw({"alg": "RS256", "kid": kid}, {}).split(".")[0]
    await refused(verify, f"{head}.{payload}.{signature}")


async def test_where_a_token_says_its_key_is_nobody_looks(
    verify: BearerTokens, clock: ManualClock, provider: IdentityProvider
) -> None:
    mallory = Signer.rsa("mallory")
    host = provider.url.rpartition("/")[0]
    elsewhere = {"jku": f"{host}/evil", "x5u": f"{host}/evil", "jwk": mallory.jwk}
    await refused(verify, mallory.sign(claims(clock), **elsewhere), "not known")
    await refused(verify, mallory.sign(claims(clock), kid="rsa-1", **elsewhere), "signature")
    assert not [request for request in provider.requests if "evil" in request]


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
