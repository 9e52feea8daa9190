"""What is held against thresholds before a question is answered, as it is deployed."""

from __future__ import annotations

from dataclasses import dataclass

from rag_core.adapters.llama_tokenizer import LlamaTokenizer
from rag_core.domain import Ranking, SearchMode, Tokenizer, validate_question
from rag_core.search import AnswerabilityModel, fitted_model, signs
from rag_core.settings import Settings


@dataclass(frozen=True, slots=True)
class Threshold:
    """In dense search the best hit's cosine decides, otherwise what the `model` says of all."""

    min_score: float
    """A number: hits of a lower relevance are left out."""
    min_answerability: float
    """A probability, 0 to 1, below which no answer is made."""
    model: AnswerabilityModel | None
    tokenizer: Tokenizer
    question_tokens: int
    """Of a question, at most; what is over is not looked at."""

    @classmethod
    def of(cls, settings: Settings) -> Threshold:
        """The threshold that `settings` deploy."""
        model = None if settings.search_mode is SearchMode.DENSE else fitted_model()
        return cls(
            settings.min_score,
            settings.min_answerability,
            model,
            LlamaTokenizer(settings.tokenizer),
            settings.question_tokens,
        )

    @property
    def least(self) -> float:
        """The number below which no answer is made."""
        return self.min_score if self.model is None else self.min_answerability

    @property
    def measures(self) -> str:
        """What is held against it, in words."""
        if self.model is None:
            return "cosine of the best hit to the question"
        return "probability that the notes answer the question"

    def __str__(self) -> str:
        return f"RAG_MIN_{'SCORE' if self.model is None else 'ANSWERABILITY'}={self.least:g}"

    def value(self, question: str, ranking: Ranking) -> float:
        """The number that is held against it, -1 to 1; -1 where nothing was found by vectors."""
        if self.model is None:
            return max((hit.score for hit in ranking.hits), default=-1.0)
        taken = validate_question(
            question, tokenizer=self.tokenizer, max_tokens=self.question_tokens
        )
        return self.model.probability(signs(taken.text, ranking))
