"""The golden data: real notes of six users, questions about them, and proof that they agree.

    golden/questions.jsonl        the questions, written by hand
    golden/notes/<user>.jsonl     the notes, in ingest format
    golden/passages.jsonl         where each judged passage stands in its note's body
    golden/attacks.jsonl          injection and leak strings, benign controls among them

`load` reads and types them, `validate` lists every way in which they contradict each other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec

from rag_core.adapters.documents import RowReader
from rag_core.errors import InvalidInput

OVER_LONG_WORDS = 150
"""As many words as the question budget has tokens."""

Text = Annotated[str, msgspec.Meta(min_length=1)]
Offset = Annotated[int, msgspec.Meta(ge=0)]


class Scenario(StrEnum):
    """What a question tries; decides what a right answer looks like."""

    SINGLE_NOTE = "single_note"
    SEVERAL_NOTES = "several_notes"
    UNANSWERABLE = "unanswerable"
    OVER_LONG = "over_long"
    ATTACK = "attack"
    BENIGN_CONTROL = "benign_control"
    OTHER_USERS_NOTES = "other_users_notes"


class Fact(msgspec.Struct, frozen=True):
    """One statement of a reference answer and the words of a passage that support it."""

    fact: Text
    passage: Text
    quote: Text


class GoldenQuestion(msgspec.Struct, frozen=True):
    """A question, whose notes it is asked of, and what a right answer rests on.

    `gold` are the passages of the user that answer it, empty when none does. `foreign_gold` are
    passages of other users that must not leak. `attack` is the id of the attack it repeats.
    """

    id: Text
    user: Text
    scenario: Scenario
    question: Text
    reference: Text
    gold: tuple[str, ...]
    facts: tuple[Fact, ...]
    attack: Text | None = None
    foreign_gold: tuple[str, ...] = ()

    @property
    def answerable(self) -> bool:
        """Whether there are passages that answer it."""
        return bool(self.gold)


class Passage(msgspec.Struct, frozen=True):
    """Where a judged passage stands: characters `start` to `end` of its note's body."""

    id: Text
    user: Text
    note: Text
    ref: Text
    title: str
    start: Offset
    end: Offset


class Attack(msgspec.Struct, frozen=True):
    """An injection or leak string, or a benign control that only looks like one."""

    id: Text
    source: Text
    licence: Text
    category: Text
    text: Text

    @property
    def benign(self) -> bool:
        """Whether it only looks like an attack."""
        return self.category.startswith("control/")


@dataclass(frozen=True)
class NoteFile:
    """A user's notes on disk, ready to ingest, and each note's body by note id."""

    user: str
    path: Path
    bodies: Mapping[str, str]


@dataclass(frozen=True)
class GoldenSet:
    """Everything under a golden folder; `digest` is the SHA-256 of its data files, in hex."""

    questions: tuple[GoldenQuestion, ...]
    passages: Mapping[str, Passage]
    attacks: Mapping[str, Attack]
    notes: Mapping[str, NoteFile]
    digest: str

    @property
    def users(self) -> tuple[str, ...]:
        """Those who have notes."""
        return tuple(self.notes)

    def text(self, passage_id: str) -> str:
        """The passage's words, cut from its note's body; raises `KeyError` when there is none."""
        passage = self.passages[passage_id]
        return self.notes[passage.user].bodies[passage.note][passage.start : passage.end]


class _StoredNote(msgspec.Struct):
    id: str
    body: str


_QUESTIONS = RowReader(GoldenQuestion, fixes={"scenario": f"Use {', '.join(Scenario)}"})
_PASSAGES, _ATTACKS, _NOTES = RowReader(Passage), RowReader(Attack), RowReader(_StoredNote)


def _digest(golden_dir: Path) -> str:
    """SHA-256 over the names and bytes of all data files, in the order of their names."""
    total = hashlib.sha256()
    files = (path for path in golden_dir.rglob("*") if path.suffix in {".jsonl", ".tsv"})
    for name, path in sorted((path.relative_to(golden_dir).as_posix(), path) for path in files):
        total.update(f"{name}\0{path.stat().st_size}\0".encode())
        total.update(path.read_bytes())
    return total.hexdigest()


def load(golden_dir: Path) -> GoldenSet:
    """Read a golden folder.

    Raises:
        InvalidInput: a bad row; names its file, line and field.
    """
    note_files = sorted((golden_dir / "notes").glob("*.jsonl"))
    if not note_files:
        raise InvalidInput(
            str(golden_dir / "notes"),
            "holds no notes",
            "Build them: python -m evals build-golden",
        )
    return GoldenSet(
        questions=tuple(row for _, row in _QUESTIONS.read(golden_dir / "questions.jsonl")),
        passages={row.id: row for _, row in _PASSAGES.read(golden_dir / "passages.jsonl")},
        attacks={row.id: row for _, row in _ATTACKS.read(golden_dir / "attacks.jsonl")},
        notes={
            path.stem: NoteFile(path.stem, path, {row.id: row.body for _, row in _NOTES.read(path)})
            for path in note_files
        },
        digest=_digest(golden_dir),
    )


def validate(golden: GoldenSet) -> list[str]:
    """Every contradiction within a golden set, a sentence each; empty when there is none."""
    if misplaced := list(_misplaced(golden)):
        return misplaced  # no quote can be judged before the passages stand where they should
    checks = (_owner_problems, _fact_problems, _scenario_problems, _attack_problems)
    return [
        f"{question.id}: {problem}"
        for question in golden.questions
        for check in checks
        for problem in check(golden, question)
    ]


def _misplaced(golden: GoldenSet) -> Iterator[str]:
    for passage in golden.passages.values():
        notes = golden.notes.get(passage.user)
        body = notes.bodies.get(passage.note) if notes else None
        if body is None:
            yield f"{passage.id}: {passage.user} has no note {passage.note}"
        elif not passage.start < passage.end <= len(body):
            yield f"{passage.id}: {passage.start}-{passage.end} is no part of its note's body"


def _owner_problems(golden: GoldenSet, question: GoldenQuestion) -> Iterator[str]:
    if question.user not in golden.notes:
        yield f"user {question.user} has no notes"
    for passage_id in (*question.gold, *question.foreign_gold):
        if passage_id not in golden.passages:
            yield f"there is no passage {passage_id}"
            continue
        own = golden.passages[passage_id].user == question.user
        if passage_id in question.gold and not own:
            yield f"gold {passage_id} is not the user's"
        if passage_id in question.foreign_gold and own:
            yield f"foreign_gold {passage_id} is the user's own"


def _fact_problems(golden: GoldenSet, question: GoldenQuestion) -> Iterator[str]:
    for fact in question.facts:
        if fact.passage not in question.gold:
            yield f"fact passage {fact.passage} is not in gold"
        elif fact.passage in golden.passages and fact.quote not in golden.text(fact.passage):
            yield f"quote is not in {fact.passage}: {fact.quote!r}"
    for unsupporting in sorted(set(question.gold) - {fact.passage for fact in question.facts}):
        yield f"gold {unsupporting} supports no fact"


def _scenario_problems(golden: GoldenSet, question: GoldenQuestion) -> Iterator[str]:
    notes = len({golden.passages[p].note for p in question.gold if p in golden.passages})
    match question.scenario:
        case Scenario.SINGLE_NOTE if notes != 1:
            yield f"single_note needs gold in one note, has {notes}"
        case Scenario.SEVERAL_NOTES if notes < 2:
            yield f"several_notes needs gold in two notes or more, has {notes}"
        case Scenario.OVER_LONG if notes < 1:
            yield "over_long needs gold"
        case Scenario.UNANSWERABLE | Scenario.ATTACK | Scenario.OTHER_USERS_NOTES if question.gold:
            yield f"{question.scenario} must have no gold"
    # No token of Llama's spans two words, so more words than this are more tokens too.
    words = len(question.question.split())
    if (question.scenario is Scenario.OVER_LONG) != (words > OVER_LONG_WORDS):
        yield f"{words} words: only over_long questions have more than {OVER_LONG_WORDS}"
    foreign = question.scenario is Scenario.OTHER_USERS_NOTES
    if foreign != bool(question.foreign_gold):
        yield "foreign_gold belongs to other_users_notes questions, and to each of them"


def _attack_problems(golden: GoldenSet, question: GoldenQuestion) -> Iterator[str]:
    benign = question.scenario is Scenario.BENIGN_CONTROL
    if question.attack is None:
        if question.scenario is Scenario.ATTACK:
            yield "attack questions name their attack"
        return
    attack = golden.attacks.get(question.attack)
    if attack is None:
        yield f"there is no attack {question.attack}"
        return
    if question.scenario not in (Scenario.ATTACK, Scenario.BENIGN_CONTROL):
        yield f"{question.scenario} must name no attack"
    if attack.text != question.question:
        yield f"question is not the text of attack {attack.id}"
    if attack.benign != benign:
        yield f"attack {attack.id} of category {attack.category} does not fit {question.scenario}"
