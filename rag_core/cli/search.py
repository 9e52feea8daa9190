"""The command that only searches: what is found for words, and what an answer would rest on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from typer import Argument, Context

from rag_core.cli.application import AsJson, User, application
from rag_core.domain.question import validate_question
from rag_core.errors import UnknownUser

if TYPE_CHECKING:
    from rag_core.search.retrieval import Retrieved


async def search(
    context: Context,
    words: Annotated[str, Argument(help="In quotes.")],
    user: User,
    as_json: AsJson = False,
) -> None:
    """Show what is found in a user's notes, without an answer.

    The hits of a question of these words, the best first, with their cosines; which of them an
    answer would rest on, and the setting that draws the line. No model is asked, so it costs
    nothing.

    \b
    examples:
      python -m rag_core search --user golden-law "Cain and Abel"
      python -m rag_core search --user golden-law --json "Cain and Abel"
    """
    from rag_core.cli.explained import hits
    from rag_core.settings import load_settings

    settings = load_settings(context.obj)
    async with application(context) as app:
        if await app.epochs.epoch(user) is None:
            raise UnknownUser(user)
        limit = settings.question_tokens
        question = validate_question(words, tokenizer=app.tokenizer, max_tokens=limit)
        found = await app.pipeline.retrieve(words, user)
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(_as_json(found))).decode())
        return
    print(hits(question, found, settings))


def _as_json(found: Retrieved) -> list[dict[str, Any]]:
    """Each hit; `taken` is its number in the context, or null."""
    numbers = {source.hit.chunk_id: source.number for source in found.context.sources}
    return [
        {
            "score": hit.score,
            "note_id": hit.note_id,
            "title": hit.title,
            "date": hit.date,
            "heading": hit.heading,
            "text": hit.text,
            "taken": numbers.get(hit.chunk_id),
        }
        for hit in found.ranking.hits
    ]
