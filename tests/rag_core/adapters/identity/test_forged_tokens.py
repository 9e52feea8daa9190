"""Tokens of another key, another algorithm or none are refused."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from rag_core.adapters.identity import BearerTokens
from rag_core.clock import ManualClock
from tests.rag_core.adapters.identity.provider import IdentityProvider, Signer, claims
from tests.rag_core.adapters.identity.tokens import SECRET, hs256, raw, refused, taking


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
