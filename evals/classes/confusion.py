"""What people say that questions are beside what the rules say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from evals.classes.questions import LabelledQuestion
from evals.stats.share import Share
from rag_core.domain import QuestionClass, classify, normalise


@dataclass(frozen=True, slots=True)
class Classed:
    """A question, and the class that the rules say it is of."""

    row: LabelledQuestion
    by_rules: QuestionClass

    @property
    def right(self) -> bool:
        """Whether that is what the person says."""
        return self.by_rules is self.row.kind


@dataclass(frozen=True, slots=True)
class Confusion:
    """Questions by class, what it is and what the rules say; one question or more."""

    classed: Sequence[Classed]

    @classmethod
    def of(cls, rows: Sequence[LabelledQuestion]) -> Confusion:
        """Each of `rows` as the pipeline would class it."""
        return cls([Classed(row, classify(normalise(row.question))) for row in rows])

    @property
    def accuracy(self) -> Share:
        """Of all questions, those of which the rules say the class."""
        return Share.of([each.right for each in self.classed])

    def counts(self, kind: QuestionClass) -> Counter[QuestionClass]:
        """Of the questions of a class, how many the rules say are of each."""
        return Counter(each.by_rules for each in self.classed if each.row.kind is kind)

    def recall(self, kind: QuestionClass) -> Share | None:
        """Of the questions of a class, those of which the rules say so; None where is none."""
        return _right([each for each in self.classed if each.row.kind is kind])

    def precision(self, kind: QuestionClass) -> Share | None:
        """Of the questions that the rules say are of a class, those that are; None where is none.

        It depends on how many questions of each class are asked.
        """
        return _right([each for each in self.classed if each.by_rules is kind])

    @property
    def misled(self) -> Sequence[Classed]:
        """Those that would get another class's budgets: wrong, and not left look-ups."""
        usual = QuestionClass.LOOK_UP
        return [each for each in self.classed if not each.right and each.by_rules is not usual]

    @property
    def unnoticed(self) -> Sequence[Classed]:
        """Those of other classes that are left look-ups."""
        usual = QuestionClass.LOOK_UP
        return [each for each in self.classed if not each.right and each.by_rules is usual]


def _right(classed: Sequence[Classed]) -> Share | None:
    return Share.of([each.right for each in classed]) if classed else None
