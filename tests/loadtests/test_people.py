"""Everybody has real notes of their own, and questions about them, no two alike."""

from __future__ import annotations

import jwt
import msgspec
import pytest

from loadtests.record.reply import read_reply, read_stream
from loadtests.traffic.arrivals import Arrival
from loadtests.traffic.calls import FLOODER, Call, Calls
from loadtests.traffic.credentials import AUDIENCE, Signer
from loadtests.traffic.golden_notes import MAX_CHARACTERS, GoldenNote, short_notes
from loadtests.traffic.people import ASKED_AGAIN, people
from loadtests.traffic.stage import Kind

SECRET = "s" * 16 + "t" * 16
EVERYONE = people(4, short_notes())
CALLS = Calls(EVERYONE, Signer(SECRET))


def arrival(kind: Kind, serial: int = 0, rank: int = 0) -> Arrival:
    return Arrival(serial, 0.0, "stage", kind, 1, rank)


def user_of(call: Call) -> str:
    token = call.headers["Authorization"].removeprefix("Bearer ")
    return str(jwt.decode(token, SECRET, ["HS256"], audience=AUDIENCE)["sub"])


def abuses() -> dict[str, Call]:
    calls = [CALLS.of(arrival(Kind.ABUSE, serial)) for serial in range(200)]
    return {call.name: call for call in calls}


def test_notes_are_golden_and_short() -> None:
    notes = short_notes()
    assert len(notes) > 100
    assert all(note.subjects and len(note.body) <= MAX_CHARACTERS for note in notes)


def test_everybody_asks_different_questions_again_and_again() -> None:
    for person in EVERYONE:
        asked = [person.question(rank) for rank in range(ASKED_AGAIN)]
        new = [person.new_question(serial) for serial in range(ASKED_AGAIN, 2 * ASKED_AGAIN)]
        assert len({*asked, *new}) == 2 * ASKED_AGAIN


def test_a_note_about_one_subject_is_enough_for_all_questions() -> None:
    alone = people(1, [GoldenNote("n", "Grace", "Grace is free.")] * 3)[0]
    assert len({alone.question(rank) for rank in range(ASKED_AGAIN)}) == ASKED_AGAIN


def test_a_question_comes_with_the_persons_own_token() -> None:
    call = CALLS.of(arrival(Kind.QUESTION))
    assert user_of(call) == EVERYONE[1].user
    assert msgspec.json.decode(call.body) == {"question": EVERYONE[1].question(0)}
    assert CALLS.of(arrival(Kind.STREAM)).headers["Accept"] == "text/event-stream"
    assert CALLS.of(arrival(Kind.QUESTION, rank=ASKED_AGAIN + 7)).name == "ask new"


def test_every_edit_says_which_it_is_and_every_other_one_is_a_new_note() -> None:
    calls = [CALLS.of(arrival(Kind.EDIT, serial)) for serial in range(6)]
    assert [b"Revision %d:" % n in call.body for n, call in enumerate(calls)] == [True] * 6
    assert len({call.note for call in calls}) == 4  # three new ones, and the person's first


def test_abuses_are_of_all_kinds_and_none_is_expected_to_succeed() -> None:
    found = abuses()
    assert len(found) == 7
    assert 200 not in found["abuse: forged"].expects | found["abuse: other's note"].expects
    assert user_of(found["abuse: too often"]) == FLOODER
    assert "Authorization" not in found["abuse: no credential"].headers


def test_forged_tokens_are_no_good_tokens() -> None:
    signer = Signer(SECRET)
    for header in (signer.forged("u"), signer.unsigned("u"), signer.expired("u")):
        with pytest.raises(jwt.PyJWTError):
            jwt.decode(header.removeprefix("Bearer "), SECRET, ["HS256"], audience=AUDIENCE)


@pytest.mark.parametrize(
    ("status", "body", "right", "outcome"),
    [
        (200, b'{"provenance": "FRESH", "cost_usd": 0.01}', True, "FRESH"),
        (200, b"not even JSON", False, "status 200"),
        (503, b'{"code": "overloaded"}', False, "overloaded"),
        (502, b"<html>", False, "status 502"),
    ],
)
def test_a_question_is_answered_by_an_answer_alone(
    status: int, body: bytes, right: bool, outcome: str
) -> None:
    reply = read_reply(CALLS.of(arrival(Kind.QUESTION)), status, body)
    assert (reply.right, reply.outcome) == (right, outcome)


def test_what_must_be_turned_away_is_right_only_when_it_is() -> None:
    forged, injection = abuses()["abuse: forged"], abuses()["abuse: injection"]
    assert read_reply(forged, 401, b'{"code": "unauthenticated"}').right
    assert not read_reply(forged, 200, b'{"provenance": "FRESH"}').right
    assert read_reply(injection, 200, b'{"provenance": "REFUSED"}').right
    assert not read_reply(injection, 200, b'{"provenance": "FRESH"}').right


def test_a_stream_is_right_only_with_its_answer() -> None:
    call = CALLS.of(arrival(Kind.STREAM))
    whole = read_stream(call, 200, "answer", b'{"provenance": "CACHED"}')
    failed = read_stream(call, 200, "error", b'{"code": "provider_error"}')
    cut = read_stream(call, 200, "token", b'{"text": "In"}')
    assert (whole.right, whole.outcome) == (True, "CACHED")
    assert (failed.right, failed.outcome) == (False, "provider_error")
    assert (cut.right, cut.outcome) == (False, "broken stream")
