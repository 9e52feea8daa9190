"""The command that answers, and an answer as a terminal shows it."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Annotated

import msgspec
from typer import Argument, Context, Option

from rag_core.cli.application import AsJson, User, application
from rag_core.domain.answer import Answer, Citation, Flag, Provenance
from rag_core.domain.question import validate_question
from rag_core.domain.user import UserId
from rag_core.errors import InvalidInput, UnknownUser

if TYPE_CHECKING:
    from rag_core.bootstrap import Application
    from rag_core.settings import Settings

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
    Flag.HISTORY_UNAVAILABLE: "what was asked before could not be read",
}


async def ask(
    context: Context,
    question: Annotated[str, Argument(help="In quotes.")],
    user: User,
    as_json: AsJson = False,
    explained: Annotated[
        bool, Option("--explain", help="Show the hits, what decided on them, and the prompt.")
    ] = False,
) -> None:
    """Answer a question from a user's notes, with citations.

    Needs notes: ingest some first. Without RAG_HF_TOKEN, RAG_HF_BASE_URL or another
    provider the extractive generator quotes the notes, free and offline. Where nothing is found,
    the note that came nearest is named; --explain shows all that was found, which setting drew
    the line between what was taken and what was left, and the prompt.

    \b
    examples:
      python -m rag_core ask --user golden-law "Why was Cain's offering rejected?"
      python -m rag_core ask --user golden-law --json "What does the rainbow stand for?"
      python -m rag_core ask --user golden-law --explain "What does the rainbow stand for?"
    """
    if as_json and explained:
        raise InvalidInput("--explain", "is for reading, --json for programs", "Choose one")
    from rag_core.settings import load_settings

    async with application(context) as app:
        if await app.epochs.epoch(user) is None:
            raise UnknownUser(user)
        answer = await app.pipeline.answer(question, user)
        if as_json:
            print(msgspec.json.format(msgspec.json.encode(answer)).decode())
            return
        print(render(answer))
        if explained or answer.provenance is Provenance.NO_CONTEXT:
            print(await _why(app, load_settings(context.obj), question, user, explained))


async def _why(
    app: Application, settings: Settings, question: str, user: UserId, explained: bool
) -> str:
    """What was found for a question that has been answered, as far as it is asked for."""
    from rag_core.bootstrap.prompt import prompt_rules
    from rag_core.cli.explained import explain, nearest

    found = await app.pipeline.retrieve(question, user)
    if not explained:
        return nearest(found)
    limit = settings.question_tokens
    asked = validate_question(question, tokenizer=app.tokenizer, max_tokens=limit)
    return "\n" + explain(asked, found, settings, prompt_rules(settings))


def render(answer: Answer) -> str:
    """The answer for a terminal: text, citations, provenance, tokens, cost and timings."""
    lines = [answer.notice, ""] if answer.notice else []
    lines += [textwrap.fill(answer.text, 100), "", *below(answer)]
    return "\n".join(lines)


def below(answer: Answer) -> list[str]:
    """What stands below an answer's text, line by line."""
    lines = [_render_citation(citation) for citation in answer.citations]
    lines += [f"note: {_FLAG_TEXTS[flag]}" for flag in answer.flags]
    made_by = f" by {answer.generator} ({answer.model})" if answer.generator else ""
    lines.append(f"{answer.provenance}{made_by}")
    lines.append(
        f"{answer.usage.input_tokens} tokens in, {answer.usage.output_tokens} out,"
        f" ${answer.cost_usd:.6f}"
    )
    steps = ", ".join(f"{step} {ms:.1f}" for step, ms in answer.timings_ms.items())
    lines.append(f"milliseconds: {steps}")
    return lines


def _render_citation(citation: Citation) -> str:
    facts = [citation.title or citation.note_id]
    if citation.date:
        facts.append(citation.date.isoformat())
    facts.extend(citation.verses)
    return f"  [{citation.number}] {' | '.join(facts)}"
