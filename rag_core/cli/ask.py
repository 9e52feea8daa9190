"""The command that answers, and an answer as a terminal shows it."""

from __future__ import annotations

import textwrap
from typing import Annotated

import msgspec
from typer import Argument, Context

from rag_core.cli.application import AsJson, User, application
from rag_core.domain.answer import Answer, Citation, Flag
from rag_core.errors import UnknownUser

_FLAG_TEXTS = {
    Flag.QUESTION_TRUNCATED: "the question was too long; only its beginning was used",
    Flag.OUTPUT_TRUNCATED: "the answer reached its length limit",
    Flag.CITATION_REMOVED: "citations that point at no note were removed",
    Flag.UNCITED: "the answer cites no note",
    Flag.INJECTION: "the question looks like an attempt to change the assistant's rules",
    Flag.LEAK_BLOCKED: "the answer would have shown internal text and was withheld",
    Flag.BROKEN_OFF: "the AI service failed in the middle of the answer; ask again",
    Flag.BUDGET_SPENT: "the day's budget for the AI service is spent",
    Flag.BUDGET_TIGHT: "the day's budget is nearly spent, so the answer is cut short",
}


async def ask(
    context: Context,
    question: Annotated[str, Argument(help="In quotes.")],
    user: User,
    as_json: AsJson = False,
) -> None:
    """Answer a question from a user's notes, with citations.

    Needs notes: ingest some first. Without RAG_HF_TOKEN, RAG_HF_BASE_URL or another
    provider the extractive generator quotes the notes, free and offline.

    \b
    examples:
      python -m rag_core ask --user golden-law "Why was Cain's offering rejected?"
      python -m rag_core ask --user golden-law --json "What does the rainbow stand for?"
    """
    async with application(context) as app:
        if await app.epochs.epoch(user) is None:
            raise UnknownUser(user)
        answer = await app.pipeline.answer(question, user)
    print(msgspec.json.format(msgspec.json.encode(answer)).decode() if as_json else render(answer))


def render(answer: Answer) -> str:
    """The answer for a terminal: text, citations, provenance, tokens, cost and timings."""
    lines = [answer.notice, ""] if answer.notice else []
    lines += [textwrap.fill(answer.text, 100), ""]
    lines += [_render_citation(citation) for citation in answer.citations]
    lines += [f"note: {_FLAG_TEXTS[flag]}" for flag in answer.flags]
    made_by = f" by {answer.generator} ({answer.model})" if answer.generator else ""
    lines.append(f"{answer.provenance}{made_by}")
    lines.append(
        f"{answer.usage.input_tokens} tokens in, {answer.usage.output_tokens} out,"
        f" ${answer.cost_usd:.6f}"
    )
    steps = ", ".join(f"{step} {ms:.1f}" for step, ms in answer.timings_ms.items())
    lines.append(f"milliseconds: {steps}")
    return "\n".join(lines)


def _render_citation(citation: Citation) -> str:
    facts = [citation.title or citation.note_id]
    if citation.date:
        facts.append(citation.date.isoformat())
    facts.extend(citation.verses)
    return f"  [{citation.number}] {' | '.join(facts)}"
