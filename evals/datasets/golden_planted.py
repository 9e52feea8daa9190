"""Proof that planted answers fit the questions that they answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from evals.datasets.golden import GoldenSet


def planted_mistakes(golden: GoldenSet) -> Iterator[tuple[str, tuple[str, str, str]]]:
    """Every mistake of every planted answer: the answer's id; field, problem and fix."""
    questions = {question.id: question for question in golden.questions}
    times = Counter(planted.id for planted in golden.planted)
    for planted in golden.planted:
        question = questions.get(planted.question)
        if question is None:
            problem = f"there is no question {planted.question}"
            yield planted.id, ("question", problem, "Name one of questions.jsonl")
            continue
        if times[planted.id] > 1:
            yield planted.id, ("kind", "stands there twice", "Keep one of them")
        for passage in sorted({each.passage for each in planted.sentences} - set(question.gold)):
            problem = f"{passage} is not in the question's gold"
            yield planted.id, ("sentences", problem, "Cite a passage of its gold")
