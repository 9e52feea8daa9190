"""A save that was acknowledged is there at the end, or is called lost."""

from __future__ import annotations

from loadtests.record.sample import Sample
from loadtests.record.saves import lost_saves, saved_places, serial_in


def save(serial: int, sent_s: float, ended_s: float, *, right: bool = True) -> Sample:
    return Sample(
        serial=serial, at_s=sent_s, stage="s", name="edit", person=1, lag_ms=0.0,
        latency_ms=1000 * (ended_s - sent_s), status=204 if right else 0, outcome="saved",
        right=right, in_time=True, note="n",
    )  # fmt: skip


def lost(found: int | None, *saves: Sample) -> bool:
    return bool(lost_saves(saves, {(1, "n"): found}))


def test_a_note_that_says_the_last_acknowledged_save_has_lost_nothing() -> None:
    assert not lost(2, save(1, 0, 1), save(2, 2, 3))


def test_a_note_that_says_an_older_save_or_none_has_lost_one() -> None:
    both = save(1, 0, 1), save(2, 2, 3)
    assert lost(1, *both)
    assert lost(None, *both)
    assert lost_saves(both, {}) == lost_saves(both, {(1, "n"): None})


def test_of_saves_at_once_either_may_be_the_last() -> None:
    both = save(1, 0, 5), save(2, 2, 3)
    assert not lost(1, *both)
    assert not lost(2, *both)


def test_a_save_without_an_acknowledgement_may_have_been_made_or_not() -> None:
    cut = save(3, 4, 5, right=False)
    assert not lost(3, save(2, 2, 3), cut)
    assert not lost(2, save(2, 2, 3), cut)
    assert not lost(None, cut)


def test_the_note_says_which_save_it_is() -> None:
    assert (
        serial_in(b'{"body": "In the beginning\\n\\nRevision 12: seen through once more."}') == 12
    )
    assert serial_in(b'{"code": "not_found"}') is None


def test_places_are_those_where_somebody_saved() -> None:
    assert saved_places([save(1, 0, 1), save(2, 2, 3)]) == [(1, "n")]
