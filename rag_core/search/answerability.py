"""Whether a user's notes can answer a question: one decision a question, before any generator.

A logistic model over what the search knows in any case. `python -m evals fit answerability` fits it
to golden questions of split dev and writes `answerability.json`, its coefficients and datasheet.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

from rag_core.domain.pipeline_config import PipelineConfig
from rag_core.domain.ranking import Hit, Ranking
from rag_core.domain.stems import stem
from rag_core.domain.words import is_telling, said_words

FIRST = 5
"""Hits that are looked at."""
LEADING = 220
"""Characters of a hit in which its subject shows."""
MOST_NAMES = 2
"""More absent names say no more."""
_NAME = re.compile(r"(?<=[\w,;:)'\N{RIGHT SINGLE QUOTATION MARK}]\s)[A-Z][^\W\d_]+")
"""A capitalised word that begins no sentence."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What the model sees of a question and the first hits."""

    best_cosine: float
    """-1 to 1; of any of them."""
    coverage: float
    """0 to 1: share of what the question asks about, each word counting by its idf, in the leading
    characters of the hit that has most of it."""
    absent_names: int
    """Names that the question speaks of and none of the hits does, `MOST_NAMES` at most."""


@dataclass(frozen=True, slots=True)
class AnswerabilityModel:
    """P(answerable) = 1 / (1 + exp(-(intercept + the weighted signs)))."""

    weights: Mapping[str, float]
    intercept: float
    """A number: the log odds where every sign is 0."""
    digest: str
    """Of the data it was fitted to, in hex: another model means other answers."""

    def probability(self, signs: Signs) -> float:
        """0 to 1."""
        margin = self.intercept + sum(
            weight * getattr(signs, name) for name, weight in self.weights.items()
        )
        return 1 / (1 + math.exp(-margin))

    @property
    def name(self) -> str:
        """Names the model; another one when any of its numbers differs."""
        return f"answerability:{self.digest[:8]}:{sorted(self.weights.items())}:{self.intercept}"


@cache
def fitted_model() -> AnswerabilityModel:
    """The model in this package."""
    stored = json.loads(files("rag_core.search").joinpath("answerability.json").read_text("utf-8"))
    return AnswerabilityModel(stored["weights"], stored["intercept"], stored["questions_sha256"])


def signs(question: str, ranking: Ranking) -> Signs:
    """What is seen of `question` and of what was found for it by a search that reads words."""
    first = ranking.hits[:FIRST]
    return Signs(
        best_cosine=max((hit.score for hit in first), default=-1.0),
        coverage=_coverage(ranking.rarity, first),
        absent_names=min(MOST_NAMES, len(_absent(_names(question), first))),
    )


def _coverage(rarity: Mapping[str, float], hits: Sequence[Hit]) -> float:
    """0 for a question that asks about nothing: no word of it says what."""
    total = sum(rarity.values())
    leading = (said_words(f"{hit.title}\n{hit.heading}\n{hit.text[:LEADING]}") for hit in hits)
    shares = (sum(idf for word, idf in rarity.items() if word in said) for said in leading)
    return max(shares, default=0.0) / total if total else 0.0


def _names(question: str) -> set[str]:
    """The stems of what is written like a name."""
    return {stem(name.lower()) for name in _NAME.findall(question) if is_telling(name.lower())}


def _absent(names: set[str], hits: Sequence[Hit]) -> set[str]:
    """Those that no hit says; most questions speak of none, and no hit need be read for them."""
    for hit in hits:
        if not names:
            break
        names = names - said_words(f"{hit.title}\n{hit.heading}\n{hit.text}")
    return names


def usable_hits(
    question: str, ranking: Ranking, config: PipelineConfig, model: AnswerabilityModel | None
) -> Ranking:
    """The hits that an answer may rest on: those whose relevance reaches `min_score`.

    None at all where the model, if there is one, says that the notes cannot answer the question.
    """
    if model and model.probability(signs(question, ranking)) < config.min_answerability:
        return replace(ranking, hits=())
    return replace(ranking, hits=tuple(h for h in ranking.hits if h.relevance >= config.min_score))
