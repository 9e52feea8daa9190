"""What the trial's history lets a note have said, when it knows of commits only by intervals."""

from __future__ import annotations

from evals.consistency.history import ABSENT, History
from rag_core.domain import UserId

ANNA, BOAS = UserId("anna"), UserId("boas")


def written(history: History, version: int, *, note: str = "grace") -> None:
    history.acknowledge(history.begin(ANNA, note, version))


def may_say(history: History, *, since: int, **claims: int) -> bool:
    return history.allows(ANNA, claims, first=since, last=history.tick())


def test_a_note_is_absent_until_it_is_written() -> None:
    history = History()
    assert may_say(history, since=history.tick(), grace=ABSENT)
    written(history, 1)
    now = history.tick()
    assert may_say(history, since=now, grace=1)
    assert not may_say(history, since=now, grace=ABSENT)


def test_from_sending_to_acknowledging_either_version_may_stand() -> None:
    history = History()
    written(history, 1)
    write = history.begin(ANNA, "grace", 2)
    now = history.tick()
    assert may_say(history, since=now, grace=1)
    assert may_say(history, since=now, grace=2)
    history.acknowledge(write)
    assert may_say(history, since=now, grace=1), "a request that began before"
    assert not may_say(history, since=history.tick(), grace=1)


def test_of_two_writes_at_once_either_may_have_been_the_last_until_the_note_is_read() -> None:
    history = History()
    first, second = history.begin(ANNA, "grace", 1), history.begin(ANNA, "grace", 2)
    history.acknowledge(second)
    history.acknowledge(first)
    assert may_say(history, since=history.tick(), grace=1)
    assert may_say(history, since=history.tick(), grace=2)
    history.observe(ANNA, "grace", 2, since=history.tick())
    assert not may_say(history, since=history.tick(), grace=1)


def test_a_write_nobody_heard_of_again_may_come_at_any_time_until_it_is_settled() -> None:
    history = History()
    lost = history.begin(ANNA, "grace", 1)
    written(history, 2)
    assert may_say(history, since=history.tick(), grace=1)
    history.settle(lost)
    written(history, 3)
    now = history.tick()
    assert may_say(history, since=now, grace=3)
    assert not may_say(history, since=now, grace=1)
    assert not may_say(history, since=now, grace=2)


def test_a_refused_write_never_stands() -> None:
    history = History()
    history.drop(history.begin(ANNA, "grace", 1))
    assert not may_say(history, since=history.tick(), grace=1)


def test_compare_and_set_never_undoes_what_was_sent_after_it_looked() -> None:
    history = History()
    written(history, 1)
    ingest = history.begin(ANNA, "grace", 2)
    ingest.seen = history.tick()
    written(history, 3)
    assert not may_say(history, since=history.tick(), grace=2)


def test_compare_and_set_does_not_know_of_an_edit_that_leaves_the_hash_as_it_was() -> None:
    history = History()
    written(history, 1)
    ingest = history.begin(ANNA, "grace", 2)
    ingest.seen = history.tick()
    history.acknowledge(history.begin(ANNA, "grace", 3, hashed=False))
    assert may_say(history, since=history.tick(), grace=2)


def test_all_that_an_answer_says_must_have_stood_at_one_moment() -> None:
    history = History()
    began = history.tick()
    written(history, 1, note="grace")
    history.acknowledge(history.begin(ANNA, "grace", ABSENT))
    written(history, 2, note="mercy")
    assert may_say(history, since=began, grace=1, mercy=ABSENT)
    assert may_say(history, since=began, grace=ABSENT, mercy=2)
    assert not may_say(history, since=began, grace=1, mercy=2)


def test_users_have_notes_of_their_own() -> None:
    history = History()
    written(history, 1)
    assert not history.allows(BOAS, {"grace": 1}, first=0, last=history.tick())
