"""What is reported of the rules that tell a question's class."""

from __future__ import annotations

from pathlib import Path

from evals.classes.command import as_record
from evals.classes.confusion import Confusion
from evals.classes.pictures import draw_confusion
from evals.classes.questions import FILE, read_labelled
from evals.results.numbers import estimate
from evals.results.part import Part
from evals.results.result import Table
from evals.stats.share import Share
from rag_core.domain import QuestionClass

NAME = "classes by rules"


def confusion_in(golden: Path) -> Confusion | None:
    """Of the labelled questions of a golden folder; None where it has none.

    Raises:
        InvalidInput: the file has a bad row, or none.
    """
    file = golden / FILE
    return Confusion.of(read_labelled(file)) if file.is_file() else None


def confusion_part(confusion: Confusion | None, out_path: Path) -> Part:
    """The sentence, picture and table; the picture is saved beside the result at `out_path`."""
    if confusion is None:
        said = f"How often rules tell a question's class is not measured: no {FILE.as_posix()}."
        return Part(name=NAME, verdict=said)
    return Part(
        name=NAME,
        verdict=sentence(confusion),
        pictures=(draw_confusion(confusion, out_path),),
        tables=(confusion_table(confusion),),
        data=as_record(confusion),
    )


def sentence(confusion: Confusion) -> str:
    """How often the rules are right, and which way they err."""
    right = confusion.accuracy
    return (
        f"Rules tell the class of {right.hits} of {right.n} labelled questions, "
        f"{_shown(right)}; {len(confusion.unnoticed)} are left look-ups, and "
        f"{len(confusion.misled)} get another class's budgets."
    )


def confusion_table(confusion: Confusion) -> Table:
    """A row a class: counts, recall and precision, each with its interval and n."""
    return Table(
        "Do the rules tell the class of a question?",
        ("class", "n", *(f"said {kind.in_words}" for kind in QuestionClass), "recall", "precision",
         "n of precision"),
        tuple(_row(confusion, kind) for kind in QuestionClass),
        "Questions that a person has labelled, in as many of each class: precision is of this mix. "
        "95 % intervals (Wilson).",
    )  # fmt: skip


def _row(confusion: Confusion, kind: QuestionClass) -> tuple[str | int, ...]:
    counts, precision = confusion.counts(kind), confusion.precision(kind)
    return (
        kind.in_words,
        counts.total(),
        *(counts[said] for said in QuestionClass),
        _shown(confusion.recall(kind)),
        _shown(precision),
        precision.n if precision else 0,
    )


def _shown(share: Share | None) -> str:
    return estimate(share.share, "share") if share else "not measured"
