"""Lanes: what questions of a class are answered by, where a class has budgets of its own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from rag_core.domain.options import Options
from rag_core.domain.pipeline_config import PipelineConfig, pipeline_digest
from rag_core.domain.question import Question
from rag_core.domain.question_class import QuestionClass, classify
from rag_core.providers.generation import Generation
from rag_core.search.retrieval import Retrieval


@dataclass(frozen=True, slots=True)
class Lane:
    """Steps 3 to 7 with the budgets of one class, or those of every question."""

    retrieval: Retrieval
    generation: Generation
    digest: str
    """Of all that decides an answer in it, 16 hex digits: no lane serves what another kept."""
    config: PipelineConfig

    @classmethod
    def of(cls, config: PipelineConfig, retrieval: Retrieval, generation: Generation) -> Lane:
        """The lane that `config` and its parts amount to."""
        digest = pipeline_digest(
            config, *generation.identity, *retrieval.identity, prompt=generation.prompt_version
        )
        return cls(retrieval, generation, digest, config)

    def chosen(self, options: Options, usual: Generation) -> Lane:
        """The lane as `options` say; who is chosen by name is one of those of `usual`."""
        most = self.generation.max_tokens
        within = replace(options, max_tokens=min(options.max_tokens or most, most))
        generation = (usual if options.provider else self.generation).chosen(within)
        config = replace(self.config, output_tokens=generation.max_tokens)
        return Lane.of(config, self.retrieval, generation)


class Lanes:
    """Which lane a question takes.

    Args:
        usual: of every class that is not in `by_class`.
    """

    def __init__(self, usual: Lane, by_class: Mapping[QuestionClass, Lane] | None = None) -> None:
        self._usual = usual
        self._by_class = {
            kind: lane for kind, lane in (by_class or {}).items() if lane.digest != usual.digest
        }

    def of(self, question: Question) -> Lane:
        """The lane of the question's class; without classes nobody asks which one it is."""
        if not self._by_class:
            return self._usual
        return self._by_class.get(classify(question.text), self._usual)

    def chosen(self, options: Options) -> Lanes:
        """All of them, as `options` say."""
        usual = self._usual.generation
        own = {kind: lane.chosen(options, usual) for kind, lane in self._by_class.items()}
        return Lanes(self._usual.chosen(options, usual), own)

    @property
    def prompt_version(self) -> str:
        """Of the rules in the prompts of every lane."""
        return self._usual.generation.prompt_version

    @property
    def digest(self) -> str:
        """Of all lanes, 16 hex digits; the usual one's where there is no other."""
        if not self._by_class:
            return self._usual.digest
        own = sorted((kind.value, lane.digest) for kind, lane in self._by_class.items())
        content = json.dumps([self._usual.digest, own])
        return hashlib.sha256(content.encode()).hexdigest()[:16]
