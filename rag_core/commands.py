"""What each command of the command line does."""

from __future__ import annotations

import asyncio
import sys
import textwrap
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import msgspec
from tqdm import tqdm

from rag_core.answer import Answer, Citation, Flag
from rag_core.bootstrap import assemble, servers
from rag_core.bundle import write_bundle
from rag_core.errors import ConfigurationError, InvalidInput, UnknownUser
from rag_core.note_file import read_notes
from rag_core.settings import Settings
from rag_core.user import authenticated

_FLAG_TEXTS = {
    Flag.QUESTION_TRUNCATED: "the question was too long; only its beginning was used",
    Flag.OUTPUT_TRUNCATED: "the answer reached its length limit",
    Flag.CITATION_REMOVED: "citations that point at no note were removed",
    Flag.UNCITED: "the answer cites no note",
    Flag.INJECTION: "the question looks like an attempt to change the assistant's rules",
    Flag.LEAK_BLOCKED: "the answer would have shown internal text and was withheld",
}


async def migrate(settings: Settings) -> int:
    """Bring the database to the newest schema."""
    if find_spec("alembic") is None:
        raise ConfigurationError(
            "migrate",
            "needs alembic, which is not installed",
            "Run: pip install 'rag_core[migrate]'",
        )
    from rag_core import migrations

    async with servers(settings) as urls:
        revision = await asyncio.to_thread(migrations.migrate, urls.database_url)
    print(f"the database is at revision {revision}")
    return 0


async def ingest(settings: Settings, file: Path, user: str, re_embed: bool) -> int:
    """Store the notes of a file, and say what that took."""
    owner = authenticated(user)
    notes = await asyncio.to_thread(read_notes, file)
    async with assemble(settings) as application:
        if re_embed:
            stored = len((await application.notes.library(owner)).notes)
            with _bar(stored, "re-embedding") as bar:
                await application.ingest.re_embed(owner, progress=bar.update)
        with _bar(len(notes), "ingesting") as bar:
            report = await application.ingest.run(owner, notes, progress=bar.update)
    print(
        f"{report.notes_read} notes read, {report.notes_written} written as"
        f" {report.chunks_written} chunks, {report.chunks_embedded} of them embedded"
    )
    return 0


async def ask(settings: Settings, question: str, user: str, as_json: bool) -> int:
    """Answer a question, for a person or for a program."""
    asker = authenticated(user)
    async with assemble(settings) as application:
        if await application.epochs.epoch(asker) is None:
            raise UnknownUser(user)
        answer = await application.pipeline.answer(question, asker)
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(answer)).decode())
    else:
        print(render(answer))
    return 0


async def delete(settings: Settings, note: str, user: str) -> int:
    """Soft-delete one note."""
    owner = authenticated(user)
    async with assemble(settings) as application:
        if not await application.notes.delete(owner, note):
            raise InvalidInput("note", f"{user!r} has no note {note!r}", "Check the id")
    print(f"note {note} is deleted")
    return 0


async def bundle(settings: Settings, folder: Path) -> int:
    """Write what a lean install on another host needs, and say how to use it there."""
    written = await asyncio.to_thread(
        write_bundle, folder, model=settings.embedder_model, tokenizer=settings.tokenizer
    )
    print(f"Copy {written.folder} to the other host, and set there, with its path:")
    print(f"RAG_EMBEDDER_MODEL={written.embedder}\nRAG_TOKENIZER={written.tokenizer}")
    return 0


def render(answer: Answer) -> str:
    """The answer for a terminal: text, citations, provenance, tokens, cost and timings."""
    lines = [textwrap.fill(answer.text, 100), ""]
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


def _bar(total: int, label: str) -> tqdm[NoReturn]:
    return tqdm(total=total, desc=label, unit="note", file=sys.stderr, disable=None)
