"""Keys: no two users share one, and each says whose it is."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.crc import key_slot

from rag_core.cache import Epoch, answer_key, context_key, embedding_key, flight_key, user_key
from rag_core.domain import Question, UserId, authenticated
from rag_core.errors import InvalidInput, Unauthenticated

_FIRST = "abcxyzABCXYZ0189"
users = st.builds(
    lambda first, rest: authenticated(first + rest),
    st.sampled_from(_FIRST),
    st.text(_FIRST + "._@:+-", max_size=20),
)
# Texts that would spell another user's key, if keys were only glued together.
texts = st.text() | st.sampled_from(["}:answer:", "rag:{b}:answer:", ":", "{", "}"])
questions = st.builds(Question, texts, st.booleans())
epochs = st.uuids().map(lambda nonce: Epoch(str(nonce)))

MakeKey = Callable[[UserId, Question, str, Epoch], str]
MAKERS: list[MakeKey] = [
    lambda user, question, digest, epoch: answer_key(user, question, digest),
    lambda user, question, digest, epoch: embedding_key(user, question, digest),
    lambda user, question, digest, epoch: context_key(user, epoch, question, digest),
    lambda user, question, digest, epoch: flight_key(user, digest),
    lambda user, question, digest, epoch: user_key(user, "epoch"),
]
makers = st.sampled_from(MAKERS)


@given(makers, users, questions, texts, epochs)
def test_every_key_names_its_user_once_as_the_hash_tag(
    make: MakeKey, user: UserId, question: Question, digest: str, epoch: Epoch
) -> None:
    key = make(user, question, digest, epoch)
    assert key.startswith(f"rag:{{{user}}}:")
    assert key_slot(key.encode("utf-8", "surrogatepass")) == key_slot(user.encode())


@given(makers, makers, users, users, questions, questions, texts, texts, epochs, epochs)
def test_keys_of_different_users_are_never_equal(
    make: MakeKey,
    make_other: MakeKey,
    user: UserId,
    other: UserId,
    question: Question,
    other_question: Question,
    digest: str,
    other_digest: str,
    epoch: Epoch,
    other_epoch: Epoch,
) -> None:
    mine = make(user, question, digest, epoch)
    theirs = make_other(other, other_question, other_digest, other_epoch)
    assert user == other or mine != theirs


@given(users, questions, texts, epochs)
def test_kinds_of_keys_of_one_user_are_never_equal(
    user: UserId, question: Question, digest: str, epoch: Epoch
) -> None:
    assert len({make(user, question, digest, epoch) for make in MAKERS}) == len(MAKERS)


@given(users, questions, questions, texts, texts)
def test_another_question_or_another_pipeline_has_another_answer_key(
    user: UserId, question: Question, other: Question, digest: str, other_digest: str
) -> None:
    same_question = (question.text.casefold(), question.truncated) == (
        other.text.casefold(),
        other.truncated,
    )
    same_key = answer_key(user, question, digest) == answer_key(user, other, other_digest)
    assert same_key == (same_question and digest == other_digest)


def test_letter_case_makes_no_other_question() -> None:
    user = UserId("ann")
    one, other = Question("What is GRACE?"), Question("what is grace?")
    assert answer_key(user, one, "p") == answer_key(user, other, "p")


def test_a_context_belongs_to_one_epoch() -> None:
    user, question = UserId("ann"), Question("What is grace?")
    keys = {context_key(user, Epoch(epoch), question, "p") for epoch in ("one", "two")}
    assert len(keys) == 2


def test_the_text_of_a_question_is_not_in_its_key() -> None:
    key = answer_key(UserId("ann"), Question("grace"), "pipeline")
    assert "grace" not in key
    assert re.fullmatch(r"rag:\{ann\}:answer:[0-9a-f]{40}", key)


def test_a_user_that_could_break_out_of_a_key_is_refused_at_the_door(
    subtests: pytest.Subtests,
) -> None:
    for user in ["a}b", "{a", "a b", "a\n", "a\x00", "", "é", "a" * 129]:
        with subtests.test(user=user), pytest.raises((InvalidInput, Unauthenticated)):
            authenticated(user)
