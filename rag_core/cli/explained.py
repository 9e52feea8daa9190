"""Why an answer rests on what it rests on: the hits, the line between them, and the prompt."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rag_core.domain.prompt import assemble_prompt
from rag_core.domain.query import SearchMode
from rag_core.domain.question import Question
from rag_core.domain.question_class import classify
from rag_core.domain.ranking import Hit
from rag_core.search import fitted_model, signs
from rag_core.search.retrieval import Retrieved

if TYPE_CHECKING:
    from rag_core.settings import Settings

_SHOWN = 60
"""Characters of a chunk: enough to know it by."""
_CANARY = "<a secret word>"


def nearest(found: Retrieved) -> str:
    """What came nearest where nothing was found; nothing comes near where there are no notes."""
    best = max(found.ranking.hits, key=lambda hit: hit.score, default=None)
    if best is None:
        return "there are no notes to be near"
    return f"nearest: {best.title or best.note_id!r} (cosine {best.score:.3f}); --explain says more"


def explain(question: Question, found: Retrieved, settings: Settings, rules: str) -> str:
    """The hits with their cosines, what became of each, the settings behind it, and the prompt."""
    return "\n".join([hits(question, found, settings), *_prompt(question, found, rules)])


def hits(question: Question, found: Retrieved, settings: Settings) -> str:
    """The hits with their cosines, what became of each, and the settings that drew the line."""
    return "\n".join([*_hits(found), *_line(question, found, settings)])


def _hits(found: Retrieved) -> Iterator[str]:
    """In the order that decides: a search by words may put a lower cosine first."""
    numbers = {source.hit.chunk_id: source.number for source in found.context.sources}
    usable = {hit.chunk_id for hit in found.usable.hits}
    yield "found, best first:"
    for hit in found.ranking.hits:
        if number := numbers.get(hit.chunk_id):
            became = f"[{number}]"
        else:
            became = "no room" if hit.chunk_id in usable else "left"
        yield f"  {hit.score:6.3f}  {became:<8} {_named(hit)}"
    if not found.ranking.hits:
        yield "  nothing"


def _named(hit: Hit) -> str:
    facts = [hit.title or hit.note_id, str(hit.date or ""), hit.heading]
    words = textwrap.shorten(hit.text, _SHOWN, placeholder="…")
    return f"{' | '.join(filter(None, facts))}: {words}"


def _line(question: Question, found: Retrieved, settings: Settings) -> Iterator[str]:
    """What draws the line between taken and left, and how to move it."""
    yield f"RAG_SEARCH_MODE={settings.search_mode}, RAG_TOP_K={settings.top_k}"
    yield f"RAG_MIN_SCORE={settings.min_score:g}: a hit below it is left"
    if settings.search_mode is not SearchMode.DENSE:
        seen = signs(question.text, found.ranking)
        probability = fitted_model().probability(seen)
        least = settings.min_answerability
        verdict = "declined" if probability < least else "answered"
        yield (
            f"RAG_MIN_ANSWERABILITY={least:g}: {verdict} at {probability:.3f} (best cosine"
            f" {seen.best_cosine:.3f}, {seen.coverage:.0%} of the question's words,"
            f" {seen.absent_names} names absent)"
        )
    used, most = found.context.tokens, found.context_tokens
    of_class = (
        f"CLASS_{classify(question.text).upper()}_" if most != settings.context_tokens else ""
    )
    yield f"RAG_{of_class}CONTEXT_TOKENS={most}: {used} of them are used"


def _prompt(question: Question, found: Retrieved, rules: str) -> Iterator[str]:
    if not found.context:
        yield "no prompt: nothing is asked of a generator"
        return
    prompt = assemble_prompt(question, found.context, canary=_CANARY, rules=rules)
    for message in prompt.messages:
        yield f"\n{message.role}:\n{textwrap.indent(message.content, '  ')}"
