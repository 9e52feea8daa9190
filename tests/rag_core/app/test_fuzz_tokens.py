"""Whatever credential is made up, nobody is let in by it, and nothing breaks."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st

from rag_core.access import ApiKey
from rag_core.clock import SystemClock
from tests.rag_core.adapters.identity.provider import Signer, claims
from tests.rag_core.app.house import SECRET, House, bearer, fuzzed, token_of

MALLORY, BUSY = Signer.rsa("rsa-1"), Signer.ec("ec-1")
"""Who sign with keys of their own under the provider's names."""


def naomis(house: House, **more: Any) -> dict[str, Any]:
    """What a good token of hers says, and what is changed of it."""
    return claims(SystemClock(), sub=house.naomi.user, **more)


def part(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def public_forms(house: House) -> list[bytes]:
    """What everybody can fetch of the provider's RSA key, in the forms that libraries take."""
    rsa = house.provider.signers[0]
    public, kind = rsa.key.public_key(), serialization.PublicFormat
    pem, der = serialization.Encoding.PEM, serialization.Encoding.DER
    kinds = (kind.SubjectPublicKeyInfo, kind.PKCS1)
    forms = [public.public_bytes(each, of) for each in (pem, der) for of in kinds]
    return [*forms, json.dumps(rsa.jwk).encode(), house.provider.key_set, b"", b"secret"]


def confused(house: House, draw: st.DataObject) -> str:
    """HS256, keyed with what is public."""
    form = draw.draw(st.sampled_from(public_forms(house)))
    head = {"alg": "HS256", "typ": "JWT", "kid": draw.draw(st.sampled_from(["rsa-1", "ec-1"]))}
    signed = f"{part(head)}.{part(naomis(house))}"
    signature = jwt.get_algorithm_by_name("HS256").sign(signed.encode(), form)
    return f"{signed}.{part(signature)}"


def unsigned(house: House, draw: st.DataObject) -> str:
    """No algorithm, with or without something that looks like a signature."""
    names = ["none", "None", "NONE", "nOnE", "", None, 0, ["HS256"], "HS256", "RS256", "ES256"]
    head = {"alg": draw.draw(st.sampled_from(names)), "kid": draw.draw(kids)}
    return f"{part(head)}.{part(naomis(house))}.{part(draw.draw(st.binary(max_size=64)))}"


def forged(house: House, draw: st.DataObject) -> str:
    """Signed by somebody else, in the name of the provider's key or of another."""
    signer = draw.draw(st.sampled_from([MALLORY, BUSY]))
    where = draw.draw(st.sampled_from(["jku", "x5u", "x"]))
    elsewhere = {where: house.provider.url, "jwk": signer.jwk}
    return signer.sign(naomis(house), **elsewhere, kid=draw.draw(st.none() | texts) or signer.id)


def meant_otherwise(house: House, draw: st.DataObject) -> str:
    """Signed well, and said of another time, audience, issuer, or of nobody."""
    now = SystemClock().now()
    wrong = [
        *({"exp": now - 3_600}, {"exp": None}, {"exp": "soon"}, {"exp": -1}, {"exp": 1e400}),
        *({"nbf": now + 3_600}, {"aud": "others"}, {"aud": None}, {"aud": []}, {"aud": 1}),
        *({"iss": "https://evil.example"}, {"iss": None}, {"iss": ["https://id.example.org/"]}),
        *(
            {"sub": None},
            {"sub": ""},
            {"sub": 1},
            {"sub": "a\x00b"},
            {"sub": {}},
            {"sub": "a" * 999},
        ),
    ]
    said = naomis(house) | draw.draw(st.sampled_from(wrong))
    said = {name: value for name, value in said.items() if value is not None}
    signer = draw.draw(st.sampled_from(house.provider.signers))
    head = {"alg": signer.algorithm, "kid": signer.id, "typ": "JWT"}
    signed = f"{part(head)}.{part(said)}"
    algorithm = jwt.get_algorithm_by_name(signer.algorithm)
    return f"{signed}.{part(algorithm.sign(signed.encode(), signer.key))}"


def mutilated(house: House, draw: st.DataObject) -> str:
    """A good token of hers, of which a piece is missing, doubled or another's."""
    good = token_of(house, house.naomi)
    at = draw.draw(st.integers(0, 9_999)) % (len(good) - 1)
    kind = draw.draw(st.sampled_from(["cut", "doubled", "swapped"]))
    if kind == "cut":
        return good[:at]
    if kind == "doubled":
        return good[:at] + good[at:] * 2
    head, _, signature = token_of(house, house.ruth).split(".")
    return f"{head}.{good.split('.')[1]}.{signature}"


def misnamed(house: House, draw: st.DataObject) -> str:
    """Her own good token, whose head names a key in an odd way after it was signed."""
    _, payload, signature = token_of(house, house.naomi).split(".")
    return f"{part({'alg': 'RS256', 'kid': draw.draw(kids)})}.{payload}.{signature}"


def guessed(house: House, draw: st.DataObject) -> str:
    """A key of hers, with another secret; or one that nobody has."""
    key = house.naomi.key.decode()
    at = 4 + draw.draw(st.integers(0, 9_999)) % (len(key) - 4)
    other = "0" if key[at] != "0" else "1"
    return draw.draw(st.sampled_from([key[:at] + other + key[at + 1 :], ApiKey.issue().text]))


texts = st.text(st.characters(min_codepoint=32, max_codepoint=0x17F), min_size=1, max_size=30)
kids = st.one_of(
    st.sampled_from(
        [
            *(None, "", "../../dev/null", "rsa-1' OR '1'='1", "rsa-1\x00", "RSA-1", 1, ["rsa-1"]),
            *("http://127.0.0.1:1/key", "| id", {"rsa-1": 1}, "x" * 4_000, "\ud800", 1e400),
        ]
    ),
    texts,
)
ATTACKS: list[Callable[[House, st.DataObject], str]] = [
    *(confused, unsigned, forged, meant_otherwise, mutilated, misnamed, guessed),
]


@pytest.mark.parametrize("target", [b"/notes/grace", b"/notes", b"/assistant/stats"])
@fuzzed
@given(draw=st.data(), attack=st.sampled_from(ATTACKS), by_key=st.booleans())
async def test_nobody_is_let_in_by_what_is_made_up(
    house: House,
    target: bytes,
    draw: st.DataObject,
    attack: Callable[[House, st.DataObject], str],
    by_key: bool,
) -> None:
    token = attack(house, draw).encode()
    headers = [(b"x-api-key", token)] if by_key else bearer(token)
    reply = await house.send(b"GET", target, headers)
    house.keeps_its_own(reply, None)
    assert reply.status == 401, token


@fuzzed
@given(raw=st.binary(max_size=200) | st.sampled_from([b"a" * 70_000, b"." * 9_000, b"\xc3\xa9"]))
async def test_no_bytes_at_all_are_a_credential(house: House, raw: bytes) -> None:
    """Nor is a head that is too large an error of ours."""
    line = raw.replace(b"\r", b"").replace(b"\n", b"")
    for headers in (bearer(line), [(b"x-api-key", line)], [(b"authorization", line)]):
        reply = await house.send(b"GET", b"/notes/grace", headers)
        house.keeps_its_own(reply, None)
        assert reply.status in (0, 400, 401)


async def test_a_secret_in_common_lets_in_whom_it_names_and_a_public_key_does_not(
    house: House,
) -> None:
    """Else the attacks above prove nothing."""
    for token in (
        token_of(house, house.naomi),
        house.provider.signers[1].sign(naomis(house)),
        jwt.encode(naomis(house), SECRET, "HS256"),
    ):
        reply = await house.send(b"GET", b"/notes/grace", bearer(token))
        assert house.naomi.marker in reply.raw
