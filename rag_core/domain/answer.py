"""Answers, and the checks a completion passes before it becomes one."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from rag_core.domain.citations import resolve_citations
from rag_core.domain.context import Source, merge_verses
from rag_core.domain.cost import NO_USAGE, Usage
from rag_core.domain.declining import DECLINING_TEXT, declines
from rag_core.domain.prompt import Prompt
from rag_core.domain.question import Question

REFUSAL_TEXT = "I can only answer questions about your notes."

BROKEN_OFF_TEXT = "[The AI service failed in the middle of this answer.]"

NOTICES = {
    "STALE": "The AI service is unavailable; this is an earlier answer, and the notes it rests on "
    "have not changed.",
    "DEGRADED": "The AI service is unavailable; here is what your notes say.",
    "budget_spent": "Today's budget for the AI service is spent; here is what your notes say.",
    "history_unavailable": "The conversation cannot be reached; this was answered without what was "
    "asked before.",
}
"""What a reader is told of an answer that is not what it could be, by provenance or flag."""

LEAK_WORDS = 12
"""Words of the system rules that, in a row in an output, count as a leak."""

_WORD = re.compile(r"[a-z0-9]+")


class Provenance(StrEnum):
    """Where an answer came from."""

    FRESH = "FRESH"
    CACHED = "CACHED"
    REVALIDATED = "REVALIDATED"
    STALE = "STALE"
    DEGRADED = "DEGRADED"
    NO_CONTEXT = "NO_CONTEXT"
    REFUSED = "REFUSED"


class Flag(StrEnum):
    """What the reader of an answer should know about how it was made."""

    QUESTION_TRUNCATED = "question_truncated"
    OUTPUT_TRUNCATED = "output_truncated"
    CITATION_REMOVED = "citation_removed"
    UNCITED = "uncited"
    INJECTION = "injection"
    LEAK_BLOCKED = "leak_blocked"
    BROKEN_OFF = "broken_off"
    BUDGET_SPENT = "budget_spent"
    BUDGET_TIGHT = "budget_tight"
    HISTORY_UNAVAILABLE = "history_unavailable"


class Citation(msgspec.Struct, frozen=True):
    """A note that the answer rests on, with the words it cites."""

    number: int
    note_id: str
    chunk_id: str
    title: str
    date: date | None
    verses: tuple[str, ...]
    quote: str
    """The chunk's text as the generator saw it."""
    start: int
    """Where the chunk begins in the note's body, in characters."""
    end: int
    """Where it ends there, in characters."""


class Answer(msgspec.Struct, frozen=True):
    """What the user gets, with everything needed to judge it."""

    text: str
    provenance: Provenance
    citations: tuple[Citation, ...] = ()
    usage: Usage = NO_USAGE
    cost_usd: float = 0.0
    generator: str = ""
    model: str = ""
    flags: tuple[Flag, ...] = ()
    attack: str | None = None
    """The named pattern that a refused question matched."""
    evidence: str = ""
    """Fingerprint of the context, prompt and settings the answer rests on."""
    timings_ms: Mapping[str, float] = {}
    """Wall-clock milliseconds per step of the pipeline."""

    @property
    def digest(self) -> str:
        """SHA-256, in hex, of its text and its evidence: equal for what is given once more."""
        return hashlib.sha256(f"{self.evidence}\n{self.text}".encode()).hexdigest()

    @property
    def refused(self) -> bool:
        """Whether the pipeline turned the question away."""
        return self.provenance is Provenance.REFUSED

    @property
    def declines(self) -> bool:
        """Whether it gives nothing: NO_CONTEXT, REFUSED, or its whole text says so.

        An answer that says more than the declining sentence does answer.
        """
        nothing = self.provenance in (Provenance.REFUSED, Provenance.NO_CONTEXT)
        return nothing or declines(self.text)

    @property
    def notice(self) -> str:
        """What its reader is told of a lower rung of the ladder or a lost history; else empty."""
        spent = Flag.BUDGET_SPENT in self.flags
        notice = NOTICES.get(Flag.BUDGET_SPENT if spent else self.provenance, "")
        if Flag.HISTORY_UNAVAILABLE in self.flags:
            notice = f"{notice} {NOTICES[Flag.HISTORY_UNAVAILABLE]}".strip()
        return notice

    def again(self, provenance: Provenance) -> Answer:
        """This answer given once more, at no cost; one that was never FRESH stays what it is."""
        if self.provenance is not Provenance.FRESH:
            provenance = self.provenance
        return replace(self, provenance=provenance, usage=NO_USAGE, cost_usd=0.0)


def refusal(question: Question, attack: str) -> Answer:
    """The answer to a question that matches the named attack."""
    flags = (Flag.INJECTION, *flags_of(question))
    return Answer(REFUSAL_TEXT, Provenance.REFUSED, flags=flags, attack=attack)


def nothing_found(question: Question, evidence: str) -> Answer:
    """The answer where no note reaches the threshold."""
    flags = flags_of(question)
    return Answer(DECLINING_TEXT, Provenance.NO_CONTEXT, flags=flags, evidence=evidence)


def flags_of(question: Question) -> tuple[Flag, ...]:
    """What the reader of an answer should know of its question."""
    return (Flag.QUESTION_TRUNCATED,) if question.truncated else ()


@dataclass(frozen=True, slots=True)
class CheckedText:
    """A completion's text after the checks of step 7."""

    text: str
    citations: tuple[Citation, ...]
    flags: tuple[Flag, ...]
    leaked: bool = False


def check_completion(text: str, prompt: Prompt) -> CheckedText:
    """Remove citations that point at nothing, and block text that leaks the system rules."""
    text = text.encode(errors="replace").decode()  # half a surrogate pair cannot be stored
    if leaks(text, prompt):
        return CheckedText(REFUSAL_TEXT, (), (Flag.LEAK_BLOCKED,), leaked=True)
    sources = {source.number: source for source in prompt.context.sources}
    resolved = resolve_citations(text.strip(), sources)
    flags = [Flag.CITATION_REMOVED] if resolved.dangling else []
    if not resolved.numbers:
        flags.append(Flag.UNCITED)
    citations = tuple(_citation(sources[number]) for number in resolved.numbers)
    return CheckedText(resolved.text, citations, tuple(flags))


def leaks(text: str, prompt: Prompt) -> bool:
    """Whether `text` holds the canary, or `LEAK_WORDS` consecutive words of the rules."""
    if prompt.canary.lower() in text.lower():
        return True
    rules = " ".join(_WORD.findall(prompt.system.lower()))
    words = _WORD.findall(text.lower())
    windows = (words[i : i + LEAK_WORDS] for i in range(len(words) - LEAK_WORDS + 1))
    return any(" ".join(window) in rules for window in windows)


def _citation(source: Source) -> Citation:
    hit = source.hit
    return Citation(
        number=source.number,
        note_id=hit.note_id,
        chunk_id=hit.chunk_id,
        title=hit.title,
        date=hit.date,
        verses=tuple(map(str, merge_verses(hit.verses))),
        quote=source.text,
        start=hit.start,
        end=hit.start + len(source.text),
    )
