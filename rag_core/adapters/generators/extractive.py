"""The extractive generator: the sentences of the notes that answer best, quoted and cited."""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

from rag_core.domain.citations import cites
from rag_core.domain.completion import Completion
from rag_core.domain.cost import FREE, Usage
from rag_core.domain.declining import DECLINING_TEXT
from rag_core.domain.prompt import count_prompt
from rag_core.domain.sentences import split_sentences

if TYPE_CHECKING:
    from rag_core.domain.context import Context
    from rag_core.domain.prompt import Prompt
    from rag_core.domain.ranking import Embedder, Vector
    from rag_core.domain.tokens import Tokenizer

EMBEDDED_WORDS = 100
"""Embedding takes some 0.2 ms of one core for each word piece: this keeps it under 50 ms.
Embedding the whole context instead found no more facts."""

_MIN_WORDS = 4

_WORD = re.compile(r"[^\W_]+")
_SUFFIX = re.compile(r"(?<=\w{3})(?:ings?|edly|ed|ers?|es|ly|s|e)$")
_STOP_WORDS = frozenset(
    _WORD.findall(
        "a about according all am an and any are as at be been but by can could did do does for "
        "from had has have he her him his how i if in into is it its may me mean means might my "
        "no not note notes of on one or our own preached said say says sermon sermons shall she "
        "should so some tell than that the their them then there these they this those to told us "
        "was we were what when where which who whom whose why will with would write written wrote "
        "you your"
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractiveWeights:
    """How sentences are scored, and which of them are quoted; part of the pipeline's digest.

    The score is the weighted mean of the sentence's cosine to the question, of the share of the
    question's terms in it, and of its source's cosine; the first has the weight that the others
    leave. `python -m evals fit extractive` compares these values with others on split dev.
    """

    terms: float = 0.2
    """Weight of the terms, 0 to 1."""
    source: float = 0.4
    """Weight of the source, 0 to 1."""
    min_score: float = 0.328
    """Least score of the best sentence; below it, nothing is quoted."""
    min_share_of_best: float = 0.8
    """Of the best sentence's score that another one needs to be quoted beside it."""
    near_duplicate: float = 0.9
    """Cosine, 0 to 1, to a quote from which another sentence only repeats it."""
    max_quotes: int = 2
    """A number; each is quoted with the sentence after it, where the answer often is."""

    @property
    def digest(self) -> str:
        """8 hex digits of a SHA-256 over all values."""
        return hashlib.sha256(repr(astuple(self)).encode()).hexdigest()[:8]


DEPLOYED = ExtractiveWeights()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence of the context that might be quoted."""

    source: int
    position: int
    text: str
    terms: float
    """Share of the question's terms in it, weighted by their rarity in the context, 0 to 1."""
    source_score: float
    """Cosine of its source to the question."""

    def __str__(self) -> str:
        return f"{self.text} [{self.source}]"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What of a context may be quoted: all that no weight changes.

    `candidates` are its sentences in reading order. `shortlist` are the likeliest of them, with the
    `cosines` of each to the question and the `vectors` of each.
    """

    candidates: Sequence[Candidate] = ()
    shortlist: Sequence[Candidate] = ()
    cosines: Sequence[float] = ()
    vectors: Sequence[Vector] = ()


class ExtractiveGenerator:
    """Quotes a few sentences of the notes verbatim, each with its citation; no LLM, no cost.

    Deterministic. Scores a sentence by its cosine to the question, by the terms they share and by
    how well its source was found; only the likeliest sentences by the latter two are embedded.
    """

    name = "extractive"
    prices = FREE

    def __init__(
        self, embedder: Embedder, tokenizer: Tokenizer, weights: ExtractiveWeights = DEPLOYED
    ) -> None:
        self.model = f"extractive-v1-{weights.digest}"
        self._embedder = embedder
        self._tokenizer = tokenizer
        self._weights = weights

    async def generate(self, prompt: Prompt, *, max_tokens: int) -> Completion:
        """Quote what answers `prompt` best in at most `max_tokens` tokens, or decline."""
        quotes = quoted(await self.evidence(prompt), self._weights)
        lines = [str(quote) for quote in quotes] or [DECLINING_TEXT]
        text, cut = self._fit(lines, max_tokens)
        usage = Usage(count_prompt(prompt, self._tokenizer), self._tokenizer.count(text))
        return Completion(text, usage, self.model, "length" if cut else "stop")

    async def stream(
        self, prompt: Prompt, *, max_tokens: int
    ) -> AsyncGenerator[str | Completion, None]:
        """The quotes one by one, and the whole Completion last."""
        completion = await self.generate(prompt, max_tokens=max_tokens)
        for line in completion.text.splitlines(keepends=True):
            yield line
        yield completion

    async def evidence(self, prompt: Prompt) -> Evidence:
        """What may be quoted to answer `prompt`."""
        candidates = _candidates(prompt.question.text, prompt.context)
        shortlist = _shortlist(candidates)
        if not shortlist:
            return Evidence()
        texts = [prompt.question.text, *(candidate.text for candidate in shortlist)]
        question, *vectors = await self._embedder.embed(texts)
        cosines = [float(question @ vector) for vector in vectors]
        return Evidence(candidates, shortlist, cosines, vectors)

    def _fit(self, lines: Sequence[str], max_tokens: int) -> tuple[str, bool]:
        """As many whole lines as fit, and whether not even the first did."""
        for kept in range(len(lines), 0, -1):
            text = "\n".join(lines[:kept])
            if self._tokenizer.count(text) <= max_tokens:
                return text, False
        return self._tokenizer.truncate(lines[0], max_tokens), True


def quoted(evidence: Evidence, weights: ExtractiveWeights) -> list[Candidate]:
    """The sentences to quote, in the order to quote them; none where the best scores too low."""
    return _in_reading_order(_choose(evidence, weights), evidence.candidates)


def stem(word: str) -> str:
    """A crude stem: without common endings, six letters at most (forgive, forgiven, …ness)."""
    return _SUFFIX.sub("", word)[:6]


def terms(text: str) -> set[str]:
    """The stems of the words of `text` that carry meaning."""
    return {stem(word) for word in _WORD.findall(text.lower()) if word not in _STOP_WORDS}


def _candidates(question: str, context: Context) -> list[Candidate]:
    found = [
        (source, position, sentence)
        for source in context.sources
        for position, sentence in enumerate(split_sentences(source.text))
        if len(sentence.split()) >= _MIN_WORDS and not cites(sentence)
    ]
    shares = _term_shares(terms(question), [terms(sentence) for _, _, sentence in found])
    return [
        Candidate(source.number, position, sentence, share, source.hit.score)
        for (source, position, sentence), share in zip(found, shares, strict=True)
    ]


def _term_shares(asked: set[str], said: Sequence[set[str]]) -> list[float]:
    """For each sentence the share of the asked terms that it says, by rarity, 0 to 1.

    Weight log(1 + N / df), with df 1/2 for a term that no sentence says: a question whose rare
    words are absent has no good match.
    """
    frequency = Counter(term for terms_said in said for term in terms_said & asked)
    weight = {term: math.log(1 + len(said) / (frequency[term] or 0.5)) for term in asked}
    total = math.fsum(weight.values())
    if not total:
        return [0.0] * len(said)
    return [math.fsum(weight[term] for term in s & asked) / total for s in said]


def _shortlist(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The likeliest candidates by terms and source, up to the budget of words to embed."""
    likely = sorted(candidates, key=lambda c: (-c.terms - c.source_score, c.source, c.position))
    kept: list[Candidate] = []
    room = EMBEDDED_WORDS
    for candidate in likely:
        room -= len(candidate.text.split())
        if room < 0 and kept:
            break
        kept.append(candidate)
    return kept


def _choose(evidence: Evidence, weights: ExtractiveWeights) -> list[Candidate]:
    """The best candidates that do not repeat each other, best first."""
    scored = [
        (_score(candidate, cosine, weights), candidate, vector)
        for candidate, cosine, vector in zip(
            evidence.shortlist, evidence.cosines, evidence.vectors, strict=True
        )
    ]
    scored.sort(key=lambda row: (-row[0], row[1].source, row[1].position))
    least = max([weights.min_score, *(row[0] * weights.min_share_of_best for row in scored[:1])])
    chosen: list[tuple[Candidate, Vector]] = []
    for score, candidate, vector in scored:
        if score < least or len(chosen) == weights.max_quotes:
            break
        if all(float(vector @ other) < weights.near_duplicate for _, other in chosen):
            chosen.append((candidate, vector))
    return [candidate for candidate, _ in chosen]


def _score(candidate: Candidate, cosine: float, weights: ExtractiveWeights) -> float:
    rest = 1 - weights.terms - weights.source
    terms, source = weights.terms * candidate.terms, weights.source * candidate.source_score
    return rest * cosine + terms + source


def _in_reading_order(
    chosen: Sequence[Candidate], candidates: Sequence[Candidate]
) -> list[Candidate]:
    """The chosen and what follows each: the best one's source first, then as the note goes."""
    rank = {candidate.source: -index for index, candidate in enumerate(reversed(chosen))}
    spans = {(c.source, c.position + step) for c in chosen for step in (0, 1)}
    quoted = [c for c in candidates if (c.source, c.position) in spans]
    return sorted(quoted, key=lambda c: (rank[c.source], c.position))
