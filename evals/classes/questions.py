"""Questions whose class a person has said."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from evals.datasets.golden_rows import Text
from rag_core.adapters.documents import RowReader
from rag_core.domain import QuestionClass
from rag_core.errors import InvalidInput

FILE = Path("classes") / "questions.jsonl"
"""In a golden folder; in a folder of its own, as no other notebook reads it."""

_CLASSES = f"Use one of {', '.join(QuestionClass)}"


class LabelledQuestion(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"kind": "class"}
):
    """One question as somebody types it, and the class that a person says it is of."""

    id: Text
    kind: QuestionClass
    question: Text


_READER = RowReader(
    LabelledQuestion, fix="A row has id, class and question", fixes={"class": _CLASSES}
)


def read_labelled(path: Path) -> Sequence[LabelledQuestion]:
    """All questions of a file, one or more.

    Raises:
        InvalidInput: it cannot be read, has a bad row, or none.
    """
    rows = [row for _, row in _READER.read(path)]
    if not rows:
        raise InvalidInput(str(path), "has no question", "Write one a line")
    return rows
