"""The command that puts another embedder beside the one in use, and later in its place."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Context, Option

from rag_core.cli.application import application
from rag_core.cli.progress import progress_bar
from rag_core.errors import InvalidInput

if TYPE_CHECKING:
    from rag_core.bootstrap import Application
    from rag_core.domain.ranking import Embedder
    from rag_core.domain.vector_store import EmbedderState

SAMPLED = 200
"""Chunks whose nearest ones are compared: a choice; a few seconds."""
NEAREST = 5


async def re_embed(
    context: Context,
    to: Annotated[
        str | None, Option(metavar="MODEL", help="As in RAG_EMBEDDER_MODEL; put beside it.")
    ] = None,
    drop: Annotated[
        str | None, Option(metavar="DIGEST", help="The old one, when nothing runs it any more.")
    ] = None,
    questions: Annotated[
        Path | None, Option(metavar="FILE", help="With --to: questions and what answers them.")
    ] = None,
) -> None:
    """Change the embedding model without a stop, and with a way back.

    --to embeds every user's notes by another model, beside the vectors in use, and says how far it
    is, how alike the two find, and how often each finds the note that it should: for the questions
    of --questions, lines of JSON with question, user and gold (ids of notes, each of which
    answers), as golden questions are; without it, for notes asked for by their titles, which is
    easier. A killed run goes on where it was. From then on processes of both models serve side by
    side: each embeds what the other stored before it answers. The setting RAG_EMBEDDER_MODEL is the
    switch, and the way back. --drop then removes the old one's vectors. Without an option it lists
    what is stored.

    \b
    examples:
      python -m rag_core re-embed --to models/new
      python -m rag_core re-embed --to models/new --questions golden/questions.jsonl
      RAG_EMBEDDER_MODEL=models/new python -m rag_core serve
      RAG_EMBEDDER_MODEL=models/new python -m rag_core re-embed --drop 7194479f
    """
    if to and drop:
        raise InvalidInput("--drop", "comes after the switch, --to before it", "Choose one")
    if questions and not to:
        raise InvalidInput("--questions", "goes with --to", "Name the new model")
    async with application(context) as app:
        if to:
            await _put_beside(app, context, to, questions)
        elif drop:
            await _drop(app, drop)
        print(_listed(await app.vectors.states(), app.embedder.digest))


async def _put_beside(
    app: Application, context: Context, model: str, questions: Path | None
) -> None:
    from rag_core.adapters.embedders import load_embedder
    from rag_core.cli.answered_questions import QuestionSource
    from rag_core.cli.embedder_recall import recall_of_both
    from rag_core.settings import load_settings

    settings = load_settings(context.obj)
    home, backend = settings.home / "models", settings.embedder_backend
    new = await asyncio.to_thread(load_embedder, model, backend=backend, cache_dir=home)
    if new.digest == app.embedder.digest:
        raise InvalidInput("--to", f"{model} is what RAG_EMBEDDER_MODEL names", "Name another")
    source = QuestionSource(app, settings)
    asked = await source.from_file(questions) if questions else None
    names = {app.embedder.digest: settings.embedder_model, new.digest: model}
    await app.vectors.register(names)
    await _catch_up(app, new)
    print(await _alike(app, new))
    print(await recall_of_both(app, settings, new, asked or await source.known_items()))
    print(f"to switch: restart with RAG_EMBEDDER_MODEL={model}; to go back: as it was before")


async def _catch_up(app: Application, embedder: Embedder) -> None:
    from rag_core.side_by_side import SideBySide

    side = SideBySide(app.vectors, embedder)
    states = await app.vectors.states()
    stored = sum(state.vectors for state in states if state.main_users)
    known = sum(state.vectors for state in states if state.digest == embedder.digest)
    with progress_bar(stored - known, "embed", "chunk") as bar:
        for user in await app.vectors.users():
            await side.catch_up(user, progress=bar.update)


async def _alike(app: Application, new: Embedder) -> str:
    """How many of a chunk's nearest are the same by both; not which of the two is better."""
    shares: list[float] = []
    for user, note, position in await app.vectors.sample(SAMPLED):
        of = (note, position)
        old = await app.vectors.neighbours(user, app.embedder.digest, of, k=NEAREST)
        now = await app.vectors.neighbours(user, new.digest, of, k=NEAREST)
        if old and now:
            shares.append(len(set(old) & set(now)) / len(old))
    if not shares:
        return "too few notes to say how alike the two find"
    mean = sum(shares) / len(shares)
    return (
        f"{mean:.1%} of a chunk's {NEAREST} nearest by the old are among those by the new"
        f" ({len(shares)} chunks): how alike they are, not which finds better"
    )


async def _drop(app: Application, prefix: str) -> None:
    states = await app.vectors.states()
    named = [each.digest for each in states if each.digest.startswith(prefix)]
    if len(named) != 1:
        raise InvalidInput("--drop", f"{prefix!r} names {len(named)} embedders", "See re-embed")
    old, new = named[0], app.embedder.digest
    if old == new:
        raise InvalidInput(
            "--drop", "is the embedder in use", "Set RAG_EMBEDDER_MODEL to the other one first"
        )
    if not any(each.digest == new and each.beside for each in states):
        raise InvalidInput("--drop", "nothing stands beside it", "Run: re-embed --to MODEL")
    await app.vectors.withdraw(old)
    users = await app.vectors.users()
    await _catch_up(app, app.embedder)
    from rag_core.side_by_side import SideBySide

    side = SideBySide(app.vectors, app.embedder)
    with progress_bar(len(users), "drop", "user") as bar:
        for user in users:
            while not await app.vectors.replace(user, old, new):
                await side.catch_up(user)
            bar.update()
    print(f"{old[:12]} is dropped", file=sys.stderr)


def _listed(states: Sequence[EmbedderState], configured: str) -> str:
    lines = [f"{'embedder':<12}  {'users':>7}  {'vectors':>9}  model"]
    for each in states:
        name = each.model or "?"
        told = " (in use)" if each.digest == configured else ""
        alone = "" if each.beside or len(states) == 1 else ", serves its own users only"
        lines.append(
            f"{each.digest[:12]}  {each.main_users:>7}  {each.vectors:>9}  {name}{told}{alone}"
        )
    return "\n".join(lines)
