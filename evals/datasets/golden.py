"""Golden data: real notes of some users, and questions about them with answers and evidence.

    questions.jsonl        the questions, written by hand
    notes/<user>.jsonl     the notes, in ingest format
    passages.jsonl         where each judged passage stands in its note's body
    attacks.jsonl          injection and leak strings, benign controls among them
    claims.jsonl           right and wrong statements about passages
    planted.jsonl          right and faulty answers, to plant in the pipeline

Notes and questions are enough. `load` reads and types any folder of them; `golden_checks` says
where they contradict each other, and `golden_passages` what `gold` means without passages.jsonl.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec

from evals.datasets.golden_passages import by_note, note_passages
from evals.datasets.golden_rows import (
    Attack,
    Claim,
    Fact,
    GoldenQuestion,
    Passage,
    PlantedAnswer,
    PlantedSentence,
    QuestionRow,
    Scenario,
    Split,
    Text,
)
from rag_core.adapters.documents import RowReader
from rag_core.errors import InvalidInput

__all__ = [
    "Attack",
    "Claim",
    "Fact",
    "GoldenFolder",
    "GoldenQuestion",
    "GoldenSet",
    "NoteFile",
    "Passage",
    "PlantedAnswer",
    "PlantedSentence",
    "QuestionRow",
    "Scenario",
    "Split",
    "Text",
    "load",
    "read_folder",
]

QUESTIONS, RETRIEVAL = "questions.jsonl", "retrieval/questions.jsonl"
"""The questions of a folder, and those of our own that only retrieval is fitted to."""
FRESH = "fresh/claims.jsonl"
"""Claims that nothing is fitted to: each with the words that decide."""
SMALL = "small"
"""The golden folder within ours whose users have few notes."""
OVER_LONG_WORDS = 150
"""As many words as the question budget has tokens."""

Row = TypeVar("Row", bound=msgspec.Struct)


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
    planted: tuple[PlantedAnswer, ...] = ()
    places: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """File and line of each row, by the name of its file and its id."""

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


_QUESTIONS = RowReader(
    QuestionRow,
    fix="`python -m evals scaffold DIR` writes an example of every field",
    fixes={"scenario": f"Use {', '.join(Scenario)}, or leave it out"},
)
_PASSAGES, _ATTACKS, _NOTES = RowReader(Passage), RowReader(Attack), RowReader(_StoredNote)
_CLAIMS, _PLANTED = RowReader(Claim), RowReader(PlantedAnswer)


@dataclass(frozen=True)
class GoldenFolder:
    """A folder as far as it can be read: `rows` are its questions as they are written."""

    golden: GoldenSet
    rows: Sequence[QuestionRow]
    problems: Sequence[InvalidInput]
    """Of each row that cannot be read."""
    incomplete: frozenset[str]
    """Names of the files that hold such a row."""


def load(golden_dir: Path, questions: str = QUESTIONS) -> GoldenSet:
    """Read a golden folder: notes and questions, and the other files where they are there.

    Args:
        questions: the file of questions, as others than the folder's own may be asked of its notes.

    Raises:
        InvalidInput: a bad row; names its file, line and field.
    """
    folder = read_folder(golden_dir, questions)
    if folder.problems:
        raise folder.problems[0]
    return folder.golden


def read_folder(golden_dir: Path, questions: str = QUESTIONS) -> GoldenFolder:
    """Read what can be read of a golden folder, and of this file of questions in it.

    Raises:
        InvalidInput: there are no notes at all.
    """
    files = _Files(golden_dir)
    notes = {path.stem: files.notes(path) for path in files.note_files()}
    bodies = {user: file.bodies for user, file in notes.items()}
    rows = files.read(_QUESTIONS, questions)
    attacks = {row.id: row for row in files.read_if_there(_ATTACKS, "attacks.jsonl")}
    claims = files.read_if_there(_CLAIMS, "claims.jsonl")
    passages = {row.id: row for row in files.read_if_there(_PASSAGES, "passages.jsonl")}
    full_rows = rows
    if not (golden_dir / "passages.jsonl").exists():
        full_rows = [by_note(row, bodies) for row in rows]
        passages = note_passages(full_rows, claims, bodies)
    golden = GoldenSet(
        questions=tuple(_question(row, passages, attacks) for row in full_rows),
        passages=passages,
        attacks=attacks,
        notes=notes,
        digest=_digest(golden_dir),
        claims=tuple(claims),
        planted=tuple(files.read_if_there(_PLANTED, "planted.jsonl")),
        places=files.places,
    )
    return GoldenFolder(golden, rows, files.problems, frozenset(files.incomplete))


class _Files:
    """Reads the files of a folder, and notes where each row stands and what is wrong with it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.places: dict[tuple[str, str], str] = {}
        self.problems: list[InvalidInput] = []
        self.incomplete: set[str] = set()

    def note_files(self) -> list[Path]:
        paths = sorted((self._folder / "notes").glob("*.jsonl"))
        if not paths:
            raise InvalidInput(
                str(self._folder / "notes"),
                "holds no notes",
                "Put a file USER.jsonl for each user there; python -m evals scaffold DIR shows how",
            )
        return paths

    def notes(self, path: Path) -> NoteFile:
        rows = self.read(_NOTES, f"notes/{path.name}")
        return NoteFile(path.stem, path, {row.id: row.body for row in rows})

    def read_if_there(self, reader: RowReader[Row], name: str) -> list[Row]:
        return self.read(reader, name) if (self._folder / name).exists() else []

    def read(self, reader: RowReader[Row], name: str) -> list[Row]:
        rows: list[Row] = []
        for where, row in reader.attempts(self._folder / name):
            if isinstance(row, InvalidInput):
                self.problems.append(row)
                self.incomplete.add(name)
            else:
                self.places[name, getattr(row, "id", "")] = where
                rows.append(row)
        return rows


def _question(
    row: QuestionRow, passages: Mapping[str, Passage], attacks: Mapping[str, Attack]
) -> GoldenQuestion:
    scenario = row.scenario or _scenario_of(row, passages, attacks)
    return GoldenQuestion(**msgspec.structs.asdict(row) | {"scenario": scenario})


def _scenario_of(
    row: QuestionRow, passages: Mapping[str, Passage], attacks: Mapping[str, Attack]
) -> Scenario:
    """What a question tries that does not say so."""
    if row.attack:
        benign = row.attack in attacks and attacks[row.attack].benign
        return Scenario.BENIGN_CONTROL if benign else Scenario.ATTACK
    if not row.gold:
        return Scenario.OTHER_USERS_NOTES if row.foreign_gold else Scenario.UNANSWERABLE
    if len(row.question.split()) > OVER_LONG_WORDS:
        return Scenario.OVER_LONG
    sets = row.alternatives or (row.gold,)
    notes = min(len({passages[p].note for p in each if p in passages}) for each in sets)
    return Scenario.SEVERAL_NOTES if notes > 1 else Scenario.SINGLE_NOTE


def _digest(golden_dir: Path) -> str:
    """SHA-256 over the names and bytes of all data files, in the order of their names."""
    total = hashlib.sha256()
    kinds = ("*.jsonl", "notes/*.jsonl", "beir/**/*.jsonl", "beir/**/*.tsv")
    files = (path for kind in kinds for path in golden_dir.glob(kind))
    for name, path in sorted((path.relative_to(golden_dir).as_posix(), path) for path in files):
        total.update(f"{name}\0{path.stat().st_size}\0".encode())
        total.update(path.read_bytes())
    return total.hexdigest()
