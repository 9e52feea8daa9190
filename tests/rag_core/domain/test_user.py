"""User ids can stand in keys and queries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_core.domain import authenticated
from rag_core.errors import InvalidInput, Unauthenticated


def test_nobody_is_not_a_user(subtests: pytest.Subtests) -> None:
    for user in [None, ""]:
        with subtests.test(user=user), pytest.raises(Unauthenticated, match="no user id"):
            authenticated(user)


def test_ordinary_ids_are_taken_as_they_are() -> None:
    for user in [
        "u",
        "anna",
        "anna@church.org",
        "auth0:12-ab_c+d",
        "auth0|5f7c8ec7",
        "0f8e",
        "a" * 128,
    ]:
        assert authenticated(user) == user


def test_ids_that_a_key_may_not_carry_are_refused(subtests: pytest.Subtests) -> None:
    for user in [
        "a b",
        "{a}",
        "a}",
        "a\n",
        "a\x00",
        "@a",
        "-a",
        "a" * 129,
        "é",
        "a/b",
        "a*",
        " ",
        "a:{b}",
    ]:
        with subtests.test(user=user):
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
