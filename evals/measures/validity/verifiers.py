"""Verifiers: models trained to say whether a document supports a claim, here or on a server."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from evals.measures.check_failure import CheckFailed
from evals.measures.validity.checkers import FallibleChecker
from rag_core.domain import split_sentences
from rag_core.errors import ConfigurationError

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion

WINDOW_WORDS = 300
"""Words of a source that a cross-encoder reads at once: below the 512 word pieces of most."""

_MODEL = "RAG_VERIFIER_MODEL"
_SUPPORTED = ("entail", "support", "consistent", "faithful", "grounded", "factual")
_OPPOSITE = ("not", "non", "un", "in", "hallucin", "contradict")

# The words that MiniCheck's models were trained with (Tang, Laban and Durrett, 2024).
_SYSTEM = (
    "Determine whether the provided claim is consistent with the corresponding document. "
    "Consistency in this context implies that all information presented in the claim is "
    "substantiated by the document. If not, it should be considered inconsistent. Please assess "
    'the claim\'s consistency with the document by responding with either "Yes" or "No".'
)


class CrossEncoderVerifier:
    """A cross-encoder of the hub or on disk, which reads source and claim together.

    A model with one logit gives its sigmoid, one with several classes the softmax of the class
    that means supported. A long source is read in windows of whole sentences, and the best counts.
    """

    threshold = 0.5

    def __init__(self, model: str, *, label: str | None = None) -> None:
        """Load `model`; `label` names its supported class where its configuration does not.

        Raises:
            ConfigurationError: the model cannot be loaded, or no class of it means supported.
        """
        self.name = f"verifier {model.rstrip('/').rpartition('/')[2]}"
        self._model = _load(model)
        labels = dict(self._model.config.id2label)
        self._supported = None if len(labels) == 1 else supported_label(labels, label)

    async def scores(self, pairs: Sequence[tuple[str, str]]) -> Sequence[float]:
        """See `SupportChecker`."""
        return await asyncio.to_thread(self._scores, pairs) if pairs else []

    def _scores(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        asked = [
            (place, window, claim)
            for place, (claim, source) in enumerate(pairs)
            for window in windows(source)
        ]
        best = [0.0] * len(pairs)
        found = self._probabilities([(window, claim) for _, window, claim in asked])
        for (place, *_), probability in zip(asked, found, strict=True):
            best[place] = max(best[place], probability)
        return best

    def _probabilities(self, pairs: list[tuple[str, str]]) -> list[float]:
        from torch import nn

        scale = nn.Sigmoid() if self._supported is None else nn.Softmax(dim=-1)
        rows = self._model.predict(pairs, activation_fn=scale, show_progress_bar=False)
        return [float(row if self._supported is None else row[self._supported]) for row in rows]


class ServedVerifier(FallibleChecker):
    """An OpenAI-style server that answers yes or no, asked as MiniCheck's models expect.

    The score is the probability of yes against no at the first token, where the server tells it;
    else 1 or 0.
    """

    def __init__(
        self,
        *,
        base_url: str,
        model: str,
        api_key: str = "",
        max_retries: int = 2,
        timeout_s: float = 120.0,
    ) -> None:
        from openai import AsyncOpenAI

        self.name = f"verifier {model}"
        self._asked = model
        self._client = AsyncOpenAI(
            base_url=base_url,
            api_key=api_key or "none",  # the client refuses to start without
            max_retries=max_retries,
            timeout=timeout_s,
        )

    async def close(self) -> None:
        """Close the connections to the server."""
        await self._client.close()

    async def score(self, claim: str, source: str) -> float:
        """See `FallibleChecker`."""
        from openai import APIError

        try:
            completion = await self._client.chat.completions.create(
                model=self._asked,
                messages=[
                    {"role": "system", "content": _SYSTEM},
                    {"role": "user", "content": f"Document: {source}\nClaim: {claim}"},
                ],
                temperature=0.0,
                max_tokens=1,
                logprobs=True,
                top_logprobs=5,
            )
        except (APIError, json.JSONDecodeError) as error:
            said = " ".join(str(error).split())[:160] or type(error).__name__
            raise CheckFailed(f"the verifier's server failed: {said}") from error
        return _probability(completion)


def supported_label(labels: Mapping[int, str], wanted: str | None = None) -> int:
    """The index, among `labels`, of the class `wanted`; without it, of the one that says support.

    Raises:
        ConfigurationError: no class, or more than one, is called so.
    """
    by_name = {name.casefold(): index for index, name in labels.items()}
    if wanted is not None:
        found = [by_name[wanted.casefold()]] if wanted.casefold() in by_name else []
    else:
        found = [index for name, index in by_name.items() if _says_supported(name)]
    if len(found) == 1:
        return found[0]
    raise ConfigurationError(
        "RAG_VERIFIER_LABEL" if wanted else _MODEL,
        f"has classes {', '.join(labels.values())}, of which "
        + (f"none is {wanted!r}" if wanted else "it is not plain which means supported"),
        "Name the class for supported in RAG_VERIFIER_LABEL",
    )


def windows(source: str) -> list[str]:
    """`source` in pieces of whole sentences, of at most `WINDOW_WORDS` words where they allow."""
    pieces: list[list[str]] = [[]]
    words = 0
    for sentence in split_sentences(source) or [source]:
        length = len(sentence.split())
        if pieces[-1] and words + length > WINDOW_WORDS:
            pieces.append([])
            words = 0
        pieces[-1].append(sentence)
        words += length
    return [" ".join(piece) for piece in pieces]


def _says_supported(name: str) -> bool:
    return any(word in name for word in _SUPPORTED) and not name.startswith(_OPPOSITE)


def _load(model: str) -> Any:
    try:
        from sentence_transformers import CrossEncoder
    except ImportError as error:
        raise ConfigurationError(
            _MODEL, f"takes {error.name}, which is not installed", "Run: make install"
        ) from error
    try:
        return CrossEncoder(model)
    except (OSError, ValueError) as error:
        said = " ".join(str(error).split())[:200]
        raise ConfigurationError(_MODEL, f"{model!r} cannot be loaded: {said}") from error


def _probability(completion: ChatCompletion) -> float:
    choices = getattr(completion, "choices", None)
    if not choices:
        raise CheckFailed("the verifier's server sent no reply in its answer")
    content = choices[0].logprobs.content if choices[0].logprobs else None
    if content:
        mass = {"yes": 0.0, "no": 0.0}
        for option in content[0].top_logprobs:
            word = option.token.strip().casefold()
            if word in mass:
                mass[word] += math.exp(option.logprob)
        if total := sum(mass.values()):
            return mass["yes"] / total
    return _said(choices[0].message.content or "")


def _said(text: str) -> float:
    word = text.strip().casefold().rstrip(".!")
    if word in ("yes", "no"):
        return float(word == "yes")
    raise CheckFailed(f"the verifier said neither yes nor no: {text[:60]!r}")
