"""Generators that plant answers in the pipeline: spoilt by rule, or written by hand."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Iterable, Mapping
from dataclasses import dataclass

from evals.datasets.golden import GoldenQuestion, GoldenSet, PlantedAnswer, PlantedSentence
from evals.measures.spans import shared
from evals.measures.validity.faults import Fault, Material, Sentence, sentences, written
from rag_core.domain import (
    FREE,
    NO_USAGE,
    Completion,
    Context,
    Generator,
    Prompt,
    Source,
    declines,
    normalise,
    split_sentences,
)


@dataclass(frozen=True)
class Asked:
    """The questions that planted generators know, by their text as a prompt has it."""

    golden: GoldenSet
    questions: Mapping[str, GoldenQuestion]

    @classmethod
    def of(cls, golden: GoldenSet, questions: Iterable[GoldenQuestion]) -> Asked:
        """Questions that are short enough not to be cut."""
        return cls(golden, {normalise(each.question): each for each in questions})

    def foreign(self, prompt: Prompt) -> tuple[str, ...]:
        """The sentences of a note of another user, always the same for a question."""
        question = self.questions[prompt.question.text]
        users = sorted(set(self.golden.users) - {question.user})
        chance = random.Random(question.id)
        notes = self.golden.notes[chance.choice(users)].bodies
        return tuple(split_sentences(notes[chance.choice(sorted(notes))]))


class Planted(ABC):
    """A `Generator` with a text of its own; streams it in one piece."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.name = self.model = f"planted {kind}"
        self.prices = FREE

    async def generate(self, prompt: Prompt, *, max_tokens: int) -> Completion:
        """The planted text; `max_tokens` are not counted."""
        return Completion(await self.text(prompt, max_tokens), NO_USAGE, self.model)

    async def stream(
        self, prompt: Prompt, *, max_tokens: int
    ) -> AsyncGenerator[str | Completion, None]:
        """The planted text, and the whole Completion last."""
        completion = await self.generate(prompt, max_tokens=max_tokens)
        yield completion.text
        yield completion

    @abstractmethod
    async def text(self, prompt: Prompt, max_tokens: int) -> str:
        """What it says to `prompt`, in at most `max_tokens` tokens."""


class Remembered(Planted):
    """What `real` says, asked once for each prompt: every fault spoils the same answers."""

    def __init__(self, real: Generator) -> None:
        super().__init__(real.name)
        self.name, self.model = real.name, real.model
        self._real = real
        self._known: dict[tuple[str, Context], str] = {}

    async def text(self, prompt: Prompt, max_tokens: int) -> str:
        """See `Planted`."""
        key = prompt.question.text, prompt.context
        if key not in self._known:
            completion = await self._real.generate(prompt, max_tokens=max_tokens)
            self._known[key] = completion.text
        return self._known[key]


class Spoilt(Planted):
    """The real answers with a fault made by rule; where the real one declines, so does it."""

    def __init__(self, kind: str, fault: Fault, real: Remembered, asked: Asked) -> None:
        super().__init__(kind)
        self._fault, self._real, self._asked = fault, real, asked

    async def text(self, prompt: Prompt, max_tokens: int) -> str:
        """See `Planted`."""
        said = await self._real.text(prompt, max_tokens)
        if declines(said):
            return said
        material = Material(prompt.context, self._asked.foreign(prompt))
        return written(self._fault(sentences(said, material.numbers), material))


class Written(Planted):
    """The answers that were written by hand, each sentence citing the source of its passage.

    A sentence whose passage is in no source of the prompt cites nothing; `uncited` has the number
    of those by question, of `total` sentences.
    """

    def __init__(self, kind: str, answers: Iterable[PlantedAnswer], asked: Asked) -> None:
        super().__init__(kind)
        self._answers = {each.question: each for each in answers if each.kind == kind}
        self._asked = asked
        self.total = 0
        self.uncited: dict[str, int] = {}

    async def text(self, prompt: Prompt, max_tokens: int) -> str:
        """See `Planted`."""
        question = self._asked.questions[prompt.question.text]
        said = [self._sentence(each, prompt) for each in self._answers[question.id].sentences]
        self.total += len(said)
        self.uncited[question.id] = sum(not each.numbers for each in said)
        return written(said)

    def _sentence(self, sentence: PlantedSentence, prompt: Prompt) -> Sentence:
        passage = self._asked.golden.passages[sentence.passage]

        def common(source: Source) -> int:
            start = source.hit.start
            if source.hit.note_id != passage.note:
                return 0
            return shared((start, start + len(source.text)), (passage.start, passage.end))

        best = max(prompt.context.sources, key=common)
        return Sentence(sentence.text, (best.number,) if common(best) else ())
