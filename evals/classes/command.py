"""`python -m evals classes`: whether the rules tell the class that people mean."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from evals.classes.confusion import Confusion
from evals.classes.questions import FILE, read_labelled
from evals.project import GOLDEN
from evals.results.table import text_table
from evals.stats.share import Share
from rag_core.domain import QuestionClass


def confusion_of(file: Path | None) -> Confusion:
    """Of a file of labelled questions, or of the golden ones.

    Raises:
        InvalidInput: the file cannot be read, has a bad row, or none.
    """
    return Confusion.of(read_labelled(file or GOLDEN / FILE))


def as_text(confusion: Confusion) -> str:
    """The matrix with recall and precision, and what was taken for what."""
    columns = ["class", "n", *QuestionClass, "recall", "precision", "of"]
    lines = [
        "rows: what people say, columns: what the rules say; 95 % intervals (Wilson)",
        text_table(columns, [_row(confusion, kind) for kind in QuestionClass]),
        f"right: {confusion.accuracy} of {confusion.accuracy.n}",
        f"left look-ups, with the budgets of those: {len(confusion.unnoticed)}",
        f"given the budgets of another class: {len(confusion.misled)}",
    ]
    lines += [
        f"  {each.row.id} {each.row.question!r}: {each.row.kind}, taken for {each.by_rules}"
        for each in confusion.misled
    ]
    return "\n".join(lines)


def _row(confusion: Confusion, kind: QuestionClass) -> list[str]:
    counts, precision = confusion.counts(kind), confusion.precision(kind)
    return [
        kind,
        str(counts.total()),
        *(str(counts[said]) for said in QuestionClass),
        _shown(confusion.recall(kind)),
        _shown(precision),
        str(precision.n if precision else 0),
    ]


def _shown(share: Share | None) -> str:
    return "–" if share is None else str(share)


def as_record(confusion: Confusion) -> dict[str, Any]:
    """All of it, every question with what the rules say, for JSON."""
    return {
        "accuracy": dataclasses.asdict(confusion.accuracy),
        "classes": {
            kind: {
                "said": {said: confusion.counts(kind)[said] for said in QuestionClass},
                "recall": _record(confusion.recall(kind)),
                "precision": _record(confusion.precision(kind)),
            }
            for kind in QuestionClass
        },
        "questions": [
            {"id": each.row.id, "class": each.row.kind, "by_rules": each.by_rules}
            for each in confusion.classed
        ],
    }


def _record(share: Share | None) -> dict[str, Any] | None:
    return dataclasses.asdict(share) if share else None
