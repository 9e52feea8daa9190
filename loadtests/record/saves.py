"""Whether every save that was acknowledged is there when all is over."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import groupby

import msgspec

from loadtests.record.sample import Sample
from loadtests.traffic.calls import REVISION

Place = tuple[int, str]
"""Whose note it is, by the person's number, and its id."""

_SERIAL = re.compile(rf"{REVISION} (\d+): ")


class Lost(msgspec.Struct, frozen=True):
    """A save that was acknowledged, of a note that now says something older, or is not there."""

    person: int
    """The person's number."""
    note: str
    serial: int
    """The number of the save that was acknowledged."""
    found: int | None
    """The number of the save that the note says; None where it says none."""


def serial_in(body: bytes) -> int | None:
    """That of the save that a note's text says; None where it says none."""
    found = _SERIAL.search(body.decode(errors="replace"))
    return int(found[1]) if found else None


def saved_places(samples: Sequence[Sample]) -> list[Place]:
    """Every note that somebody tried to save."""
    return sorted({(each.person, each.note) for each in samples if _is_save(each)})


def lost_saves(samples: Sequence[Sample], found: Mapping[Place, int | None]) -> list[Lost]:
    """Acknowledged saves that are gone, one of a note at most, given the serials found at the end.

    Of two saves of a note that were under way at once either may come last, and one without an
    acknowledgement may have been made or not. So a note may say any save but one that ended before
    the last acknowledged one was sent.
    """
    saves = sorted(filter(_is_save, samples), key=_place)
    judged = (_lost(place, list(of), found.get(place)) for place, of in groupby(saves, key=_place))
    return [lost for lost in judged if lost]


def _lost(place: Place, saves: Sequence[Sample], found: int | None) -> Lost | None:
    acknowledged = [each for each in saves if each.right]
    if not acknowledged:
        return None
    last = max(acknowledged, key=lambda each: each.sent_s)
    outlived = {e.serial for e in saves if not e.right or e.ended_s >= last.sent_s}
    return None if found in outlived else Lost(*place, last.serial, found)


def _is_save(sample: Sample) -> bool:
    return bool(sample.note) and sample.name in ("edit", "new note")


def _place(sample: Sample) -> Place:
    return sample.person, sample.note
