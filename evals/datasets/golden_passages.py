"""Gold by note: in a folder without passages.jsonl, notes and their sections are the passages.

An id is then `note`, the whole note of the asking user, or `note#heading`, what stands under that
Markdown heading up to the next one. `user/note` and `user/note#heading` name another user's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from evals.datasets.golden_rows import Claim, Passage, QuestionRow
from rag_core.domain import split_sections

Bodies = Mapping[str, Mapping[str, str]]
"""User -> note id -> body."""


def full_name(name: str, user: str, bodies: Bodies) -> str:
    """`name` with `user` in front where it is of that user's notes; else as it is."""
    own = _span(bodies.get(user, {}), name)
    return f"{user}/{name}" if own else name


def by_note(row: QuestionRow, bodies: Bodies) -> QuestionRow:
    """The question with the full names of its passages."""

    def full(names: Iterable[str]) -> tuple[str, ...]:
        return tuple(full_name(name, row.user, bodies) for name in names)

    facts = (replace(f, passage=full_name(f.passage, row.user, bodies)) for f in row.facts)
    return replace(
        row,
        gold=full(row.gold),
        foreign_gold=full(row.foreign_gold),
        alternatives=tuple(map(full, row.alternatives)),
        facts=tuple(facts),
    )


def note_passages(
    questions: Iterable[QuestionRow], claims: Iterable[Claim], bodies: Bodies
) -> dict[str, Passage]:
    """What `questions` (by full names) and `claims` name, and each other note as a whole."""
    named = {name for row in questions for name in (*row.gold, *row.foreign_gold)}
    named |= {fact.passage for row in questions for fact in row.facts}
    named |= {claim.source for claim in claims}
    marked = [passage for name in sorted(named) if (passage := _passage(name, bodies))]
    cut = {(passage.user, passage.note) for passage in marked}
    others = (
        _passage(f"{user}/{note}", bodies)
        for user, notes in bodies.items()
        for note in notes
        if (user, note) not in cut
    )
    return {passage.id: passage for passage in (*marked, *others) if passage}


def _passage(name: str, bodies: Bodies) -> Passage | None:
    user, _, rest = name.partition("/")
    if (span := _span(bodies.get(user, {}), rest)) is None:
        return None
    note, heading, start, end = span
    return Passage(name, user, note, rest, heading, start, end)


def _span(notes: Mapping[str, str], rest: str) -> tuple[str, str, int, int] | None:
    """Note, heading, and where it stands in the note's body; None where there is no text."""
    if rest in notes:
        return _trimmed(notes[rest], rest, "", 0, len(notes[rest]))
    note, _, heading = rest.rpartition("#")
    for section in split_sections(notes.get(note, "")):
        if section.heading and section.heading == heading.strip():
            return _trimmed(notes[note], note, heading, section.text_start, section.end)
    return None


def _trimmed(
    body: str, note: str, heading: str, start: int, end: int
) -> tuple[str, str, int, int] | None:
    text = body[start:end]
    start += len(text) - len(text.lstrip())
    return (note, heading, start, start + len(text.strip())) if text.strip() else None
