"""The people of a load test: their notes, and the questions that each asks."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, permutations

from loadtests.traffic.golden_notes import GoldenNote

NOTES_EACH = 3
"""Notes that a person has when the load begins."""
ASKED_AGAIN = 150
"""Questions that a person asks again and again, as in the default trace of the simulator."""

_ONE = (
    "What did I write about {0}?",
    "How did I explain {0}?",
    "What is the main point of my note on {0}?",
    "Which example did I give for {0}?",
    "What do my notes say about {0}, in short?",
    "What conclusion did I draw about {0}?",
    "What should I remember about {0}?",
    "Why does {0} matter, by my notes?",
    "What happened, as I wrote it, in {0}?",
    "What would I tell others about {0}?",
)
_TWO = (
    "How are {0} and {1} connected in my notes?",
    "What did I write about {0} that also bears on {1}?",
    "How does {0} differ from {1}?",
    "Do my notes set {0} against {1}?",
    "What follows from {0} for {1}?",
    "Which words do I use for {0}, and which for {1}?",
    "What came first, {0} or {1}?",
)
_NEW = "What did I write about {0} in draft {1}?"


@dataclass(frozen=True)
class Person:
    """One person: a user with notes of their own."""

    number: int
    notes: tuple[GoldenNote, ...]

    @property
    def user(self) -> str:
        """The id that the credential says."""
        return f"load-{self.number:05d}"

    def question(self, rank: int) -> str:
        """The question of this `rank` among those asked again and again, from 0."""
        return self._asked_again[rank]

    def new_question(self, serial: int) -> str:
        """A question that is asked only this once; the number `serial` tells it from others."""
        return _NEW.format(self._subjects[serial % len(self._subjects)], serial)

    @cached_property
    def _subjects(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for note in self.notes for name in note.subjects))

    @cached_property
    def _asked_again(self) -> tuple[str, ...]:
        return tuple(islice(self._questions(), ASKED_AGAIN))

    def _questions(self) -> Iterator[str]:
        """As many as are asked for, no two alike: about one subject, about two, then by number."""
        for form in _ONE:
            yield from (form.format(subject) for subject in self._subjects)
        for form in _TWO:
            yield from (form.format(*pair) for pair in permutations(self._subjects, 2))
        serial = -1
        while True:  # few subjects: a note that says only its title
            yield self.new_question(serial)
            serial -= 1


def people(count: int, notes: Sequence[GoldenNote], *, seed: int = 0) -> list[Person]:
    """So many people, each with `NOTES_EACH` of the notes, drawn by `seed`."""
    draw = random.Random(f"people:{seed}")
    return [Person(number, tuple(draw.sample(notes, NOTES_EACH))) for number in range(count)]
