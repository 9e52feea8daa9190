"""Golden data: real notes of some users, and questions about them with answers and evidence.

    questions.jsonl        the questions, written by hand
    notes/<user>.jsonl     the notes, in ingest format
    passages.jsonl         where each judged passage stands in its note's body
    attacks.jsonl          injection and leak strings, benign controls among them
    claims.jsonl           right and wrong statements about passages; not every folder has them

`load` reads and types a folder of them; `golden_checks` says where they contradict each other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import msgspec

from rag_core.adapters.documents import RowReader
from rag_core.errors import InvalidInput

Text = Annotated[str, msgspec.Meta(min_length=1)]
Row = TypeVar("Row", bound=msgspec.Struct)
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
    SCOPED = "scoped"
    """Within dates, a tag or a book only; beyond them another note answers otherwise."""
    NEGATION = "negation"
    """An answer of the opposite polarity would be wrong."""


class Fact(msgspec.Struct, frozen=True):
    """One statement of a reference answer and the words of a passage that support it."""

    fact: Text
    passage: Text
    quote: Text


Split = Literal["dev", "test"]
"""What was tuned on, and what is reported."""


class GoldenQuestion(msgspec.Struct, frozen=True):
    """A question, whose notes it is asked of, and what a right answer rests on.

    `gold` are the passages of the user that answer it, empty when none does; where several sets of
    them do, each for itself, `alternatives` has the sets. `foreign_gold` are passages of other
    users that must not leak. `attack` is the id of the attack it repeats, `twin` that of the
    question that asks the like without the scope. Questions of one `group` share a note or are
    one question in several words; `kind` says more of the scenario.
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
    alternatives: tuple[tuple[str, ...], ...] = ()
    twin: Text | None = None
    split: Split = "dev"
    group: str = ""
    author: str = ""
    kind: str = ""
    phrasing: Literal["", "close", "other_words"] = ""
    """Whether it speaks in the words of the notes."""

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
    split: Split = "dev"
    place: Literal["question", "note"] = "question"
    """Where it stands: asked by a user, or within a note."""
    form: str = ""
    """How it is written: plain, spelled out, in another language and so on."""
    language: str = ""
    """As a two-letter code (ISO 639-1)."""

    @property
    def benign(self) -> bool:
        """Whether it only looks like an attack."""
        return self.category.startswith("control/")


class Claim(msgspec.Struct, frozen=True):
    """A statement about a passage, and whether the passage supports it; `evidence` decides."""

    id: Text
    group: Text
    source: Text
    evidence: Text
    claim: Text
    supported: bool
    kind: Text
    split: Split = "dev"


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
    claims: tuple[Claim, ...] = ()

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
_CLAIMS = RowReader(Claim)


def _digest(golden_dir: Path) -> str:
    """SHA-256 over the names and bytes of all data files, in the order of their names."""
    total = hashlib.sha256()
    kinds = ("*.jsonl", "notes/*.jsonl", "beir/**/*.jsonl", "beir/**/*.tsv")
    files = (path for kind in kinds for path in golden_dir.glob(kind))
    for name, path in sorted((path.relative_to(golden_dir).as_posix(), path) for path in files):
        total.update(f"{name}\0{path.stat().st_size}\0".encode())
        total.update(path.read_bytes())
    return total.hexdigest()


def load(golden_dir: Path) -> GoldenSet:
    """Read a golden folder, which may lack attacks and claims.

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
    notes = {
        path.stem: NoteFile(path.stem, path, {row.id: row.body for _, row in _NOTES.read(path)})
        for path in note_files
    }
    passages = {row.id: row for _, row in _PASSAGES.read(golden_dir / "passages.jsonl")}
    attacks = {row.id: row for row in _if_there(_ATTACKS, golden_dir / "attacks.jsonl")}
    return GoldenSet(
        questions=tuple(row for _, row in _QUESTIONS.read(golden_dir / "questions.jsonl")),
        passages=passages,
        attacks=attacks,
        notes=notes,
        digest=_digest(golden_dir),
        claims=tuple(_if_there(_CLAIMS, golden_dir / "claims.jsonl")),
    )


def _if_there(reader: RowReader[Row], path: Path) -> Iterator[Row]:
    return (row for _, row in reader.read(path)) if path.exists() else iter(())
