"""User ids can stand in keys and queries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_core.domain import authenticated
from rag_core.errors import InvalidInput, Unauthenticated


@pytest.mark.parametrize("user", [None, ""])
def test_nobody_is_not_a_user(user: str | None) -> None:
    with pytest.raises(Unauthenticated, match="no user id"):
        authenticated(user)


@pytest.mark.parametrize(
    "user", ["u", "anna", "anna@church.org", "auth0:12-ab_c+d", "0f8e", "a" * 128]
)
def test_ordinary_ids_are_taken_as_they_are(user: str) -> None:
    assert authenticated(user) == user


@pytest.mark.parametrize(
    "user",
    ["a b", "{a}", "a}", "a\n", "a\x00", "@a", "-a", "a" * 129, "é", "a/b", "a*", " ", "a:{b}"],
)
def test_ids_that_a_key_may_not_carry_are_refused(user: str) -> None:
    with pytest.raises(InvalidInput, match="user:") as refused:
        authenticated(user)
    assert refused.value.field == "user"


@given(st.text())
def test_what_is_accepted_never_breaks_a_hash_tag(user: str) -> None:
    try:
        accepted = authenticated(user)
    except (InvalidInput, Unauthenticated):
        return
    assert not set(accepted) & set("{}* \n\r\t\"'\\")
    assert accepted.isascii()
