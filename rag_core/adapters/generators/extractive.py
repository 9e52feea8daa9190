"""The extractive generator: the sentences of the notes that answer best, quoted and cited."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag_core.domain.citations import cites
from rag_core.domain.completion import Completion
from rag_core.domain.cost import FREE, Usage
from rag_core.domain.declining import DECLINING_TEXT
from rag_core.domain.sentences import split_sentences

if TYPE_CHECKING:
    from rag_core.domain.context import Context
    from rag_core.domain.prompt import Prompt
    from rag_core.domain.ranking import Embedder, Vector
    from rag_core.domain.tokens import Tokenizer

MAX_QUOTES = 2
"""Each is the sentence that matches the question and the one after it, where the answer often is:
on the golden questions that quotes 33 of 97 facts in 63 words, three single sentences 23 in 43."""

MIN_SCORE = 0.41
"""Of the best sentence; below it, nothing is quoted. On the golden questions this abstains from 5
of 13 without an answer in the notes, and from 2 of 35 with one, whose answers were not found."""

MIN_SHARE_OF_BEST = 0.8
"""Of the best sentence's score that another one needs to be quoted beside it."""

NEAR_DUPLICATE = 0.9
"""Cosine to a quote from which another sentence only repeats it."""

EMBEDDED_WORDS = 100
"""Embedding takes some 0.2 ms of one core for each word piece: this keeps it under 50 ms.
Embedding the whole context instead found no more facts."""

_MIN_WORDS = 4
_COSINE, _TERMS, _SOURCE = 0.5, 0.25, 0.5

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


class ExtractiveGenerator:
    """Quotes a few sentences of the notes verbatim, each with its citation; no LLM, no cost.

    Deterministic. Scores a sentence by its cosine to the question, by the terms they share and by
    how well its source was found; only the likeliest sentences by the latter two are embedded.
    """

    name = "extractive"
    model = "extractive-v1"
    prices = FREE

    def __init__(self, embedder: Embedder, tokenizer: Tokenizer) -> None:
        self._embedder = embedder
        self._tokenizer = tokenizer

    async def generate(self, prompt: Prompt, *, max_tokens: int) -> Completion:
        """Quote what answers `prompt` best in at most `max_tokens` tokens, or decline."""
        lines = [str(quote) for quote in await self._quotes(prompt)] or [DECLINING_TEXT]
        text, cut = self._fit(lines, max_tokens)
        count = self._tokenizer.count
        usage = Usage(sum(count(turn.content) for turn in prompt.messages), count(text))
        return Completion(text, usage, self.model, "length" if cut else "stop")

    async def stream(
        self, prompt: Prompt, *, max_tokens: int
    ) -> AsyncGenerator[str | Completion, None]:
        """The quotes one by one, and the whole Completion last."""
        completion = await self.generate(prompt, max_tokens=max_tokens)
        for line in completion.text.splitlines(keepends=True):
            yield line
        yield completion

    async def _quotes(self, prompt: Prompt) -> list[Candidate]:
        candidates = _candidates(prompt.question.text, prompt.context)
        shortlist = _shortlist(candidates)
        if not shortlist:
            return []
        texts = [prompt.question.text, *(candidate.text for candidate in shortlist)]
        question, *vectors = await self._embedder.embed(texts)
        return _in_reading_order(_choose(question, shortlist, vectors), candidates)

    def _fit(self, lines: Sequence[str], max_tokens: int) -> tuple[str, bool]:
        """As many whole lines as fit, and whether not even the first did."""
        text = ""
        for line in lines:
            longer = f"{text}\n{line}" if text else line
            if self._tokenizer.count(longer) > max_tokens:
                break
            text = longer
        return (text, False) if text else (self._tokenizer.truncate(lines[0], max_tokens), True)


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


def _choose(
    question: Vector, candidates: Sequence[Candidate], vectors: Sequence[Vector]
) -> list[Candidate]:
    """The best candidates that do not repeat each other, best first."""
    scored = [
        (_score(candidate, float(question @ vector)), candidate, vector)
        for candidate, vector in zip(candidates, vectors, strict=True)
    ]
    scored.sort(key=lambda row: (-row[0], row[1].source, row[1].position))
    least = max(MIN_SCORE, scored[0][0] * MIN_SHARE_OF_BEST)
    chosen: list[tuple[Candidate, Vector]] = []
    for score, candidate, vector in scored:
        if score < least or len(chosen) == MAX_QUOTES:
            break
        if all(float(vector @ other) < NEAR_DUPLICATE for _, other in chosen):
            chosen.append((candidate, vector))
    return [candidate for candidate, _ in chosen]


def _score(candidate: Candidate, cosine: float) -> float:
    return _COSINE * cosine + _TERMS * candidate.terms + _SOURCE * candidate.source_score


def _in_reading_order(
    chosen: Sequence[Candidate], candidates: Sequence[Candidate]
) -> list[Candidate]:
    """The chosen and what follows each: the best one's source first, then as the note goes."""
    rank = {candidate.source: -index for index, candidate in enumerate(reversed(chosen))}
    spans = {(c.source, c.position + step) for c in chosen for step in (0, 1)}
    quoted = [c for c in candidates if (c.source, c.position) in spans]
    return sorted(quoted, key=lambda c: (rank[c.source], c.position))
