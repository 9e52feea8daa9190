"""The golden follow-ups: what was asked before, what then, and the same asked in full."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from evals.datasets.golden import GoldenSet
from evals.datasets.golden_rows import Split, Text
from rag_core.adapters.documents import RowReader
from rag_core.errors import InvalidInput

FILE = Path("conversations") / "follow_ups.jsonl"
"""In a golden folder; in a folder of its own, as no other notebook reads it."""


class FollowUp(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One follow-up, after a conversation, over one user's notes."""

    id: Text
    split: Split
    user: Text
    kind: Literal["pronoun", "ellipsis"]
    before: Annotated[tuple[Text, ...], msgspec.Meta(min_length=1)]
    """What was asked before, the oldest first."""
    follow_up: Text
    in_full: Text
    """The same question, as somebody would ask who had asked nothing before."""
    gold: Annotated[tuple[Text, ...], msgspec.Meta(min_length=1)]
    """Notes that hold the answer: one of them is enough."""
    elsewhere: bool = False
    """Whether no gold note is one that the question before it asks about."""


_READER = RowReader(FollowUp)


def read_follow_ups(golden_dir: Path, golden: GoldenSet) -> list[FollowUp]:
    """All follow-ups of a golden folder.

    Raises:
        InvalidInput: a bad row, or one that names a user or a note that is not there.
    """
    notes = {user: file.bodies for user, file in golden.notes.items()}
    found = []
    for where, row in _READER.read(golden_dir / FILE):
        _check(where, row, notes)
        found.append(row)
    return found


def _check(where: str, row: FollowUp, notes: Mapping[str, Mapping[str, str]]) -> None:
    missing = sorted(set(row.gold) - set(notes.get(row.user, ())))
    if missing:
        problem = f"{row.user} has no note {', '.join(missing)}"
        raise InvalidInput(f"{where}, field gold", problem, "Name notes of the user who asks")
