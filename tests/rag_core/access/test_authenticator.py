"""Who asks, by a request's headers; whatever is unclear is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from rag_core.access import ApiKey, BelievedKeys, Credential, HeaderAuthenticator
from rag_core.clock import ManualClock
from rag_core.domain import UserId
from rag_core.errors import InvalidCredential, Unauthenticated
from tests.rag_core.access.key_reads import KeyReads

BOAZ = Credential(UserId("boaz"), "pro")


async def by_token(token: str) -> Credential:
    if token != "boaz's token":
        raise InvalidCredential("not boaz's")
    return BOAZ


@pytest.fixture
def store() -> KeyReads:
    return KeyReads()


@pytest.fixture
def authenticate(store: KeyReads) -> HeaderAuthenticator:
    return HeaderAuthenticator(BelievedKeys(store, clock=ManualClock()), by_token)


def shown(*headers: tuple[str, str]) -> Headers:
    return Headers(raw=[(name.encode(), value.encode("latin-1")) for name, value in headers])


@pytest.mark.parametrize("name", ["X-API-Key", "x-api-key", "Authorization", "authorization"])
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_a_key_is_taken_in_either_header(
    store: KeyReads, authenticate: HeaderAuthenticator, name: str, scheme: str
) -> None:
    key = store.issue("ruth", "free")
    value = key.text if name.lower().startswith("x") else f"{scheme} {key.text}"
    given = await authenticate(shown((name.lower(), value)))
    assert given == Credential(UserId("ruth"), "free")


async def test_a_token_is_taken_as_bearer_alone(authenticate: HeaderAuthenticator) -> None:
    assert await authenticate(shown(("authorization", "Bearer boaz's token"))) == BOAZ
    with pytest.raises(InvalidCredential):
        await authenticate(shown(("x-api-key", "boaz's token")))


async def test_without_a_credential_it_is_said_how_to_send_one(
    authenticate: HeaderAuthenticator,
) -> None:
    with pytest.raises(Unauthenticated, match="Authorization: Bearer") as raised:
        await authenticate(shown(("accept", "*/*")))
    assert not isinstance(raised.value, InvalidCredential)


async def test_where_no_tokens_are_taken_none_is_looked_at(store: KeyReads) -> None:
    authenticate = HeaderAuthenticator(BelievedKeys(store, clock=ManualClock()))
    with pytest.raises(InvalidCredential):
        await authenticate(shown(("authorization", "Bearer boaz's token")))


async def test_of_two_credentials_none_is_chosen(
    store: KeyReads, authenticate: HeaderAuthenticator
) -> None:
    ruths, boazs = store.issue("ruth").text, store.issue("boaz").text
    for headers in [
        shown(("x-api-key", ruths), ("x-api-key", boazs)),
        shown(("x-api-key", ruths), ("authorization", f"Bearer {boazs}")),
        shown(("authorization", f"Bearer {ruths}"), ("authorization", f"Bearer {boazs}")),
        shown(("x-api-key", ruths), ("x-api-key", ruths)),
    ]:
        with pytest.raises(InvalidCredential, match="more than one"):
            await authenticate(headers)


async def test_the_prefix_of_a_key_with_another_secret_is_refused_without_a_hint(
    store: KeyReads, authenticate: HeaderAuthenticator
) -> None:
    key = store.issue()
    await authenticate(shown(("x-api-key", key.text)))
    wrong = f"rag_{key.prefix}_{'0' * 64}"
    refusals = set()
    for text in (wrong, ApiKey.issue().text):
        with pytest.raises(InvalidCredential) as raised:
            await authenticate(shown(("x-api-key", text)))
        refusals.add(str(raised.value))
    assert len(refusals) == 1


async def test_what_has_not_the_form_of_a_key_reaches_no_database(
    store: KeyReads, authenticate: HeaderAuthenticator
) -> None:
    for header in [
        ("x-api-key", "rag_'; DROP TABLE api_keys; --"),
        ("authorization", "Bearer rag_"),
    ]:
        with pytest.raises(InvalidCredential):
            await authenticate(shown(header))
    assert store.reads == []


@given(st.binary(max_size=200))
async def test_whatever_the_header_holds_the_answer_is_a_refusal(value: bytes) -> None:
    authenticate = HeaderAuthenticator(BelievedKeys(KeyReads(), clock=ManualClock()), by_token)
    for raw in [(b"authorization", value), (b"authorization", b"Bearer " + value)]:
        with pytest.raises(InvalidCredential):
            await authenticate(Headers(raw=[raw]))
