"""What each command of the command line does."""

from __future__ import annotations

import asyncio
import sys
import textwrap
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import msgspec

from rag_core.adapters.documents.note_file import read_notes
from rag_core.adapters.postgres.index import IndexKind, index_vectors
from rag_core.bootstrap.application import assemble, servers
from rag_core.cli.bundle import write_bundle
from rag_core.cli.progress import entered, progress_bar
from rag_core.domain.answer import Answer, Citation, Flag
from rag_core.domain.user import authenticated
from rag_core.errors import ConfigurationError, InvalidInput, UnknownUser
from rag_core.settings import Settings

_STARTING = "starting: connecting to the servers and loading the model"
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

    async with entered(servers(settings), _STARTING) as urls:
        revision = await asyncio.to_thread(migrations.migrate, urls.database_url)
    print(f"the database is at revision {revision}")
    return 0


async def ingest(settings: Settings, file: Path, user: str, re_embed: bool) -> int:
    """Store the notes of a file, and say what that took."""
    owner = authenticated(user)
    notes = await asyncio.to_thread(read_notes, file)
    async with entered(assemble(settings), _STARTING) as application:
        if re_embed:
            stored = len((await application.notes.stored_notes(owner)).notes)
            with progress_bar(stored, "re-embedding", "note") as bar:
                await application.ingest.re_embed(owner, progress=bar.update)
        with progress_bar(len(notes), "ingesting", "note") as bar:
            report = await application.ingest.run(
                owner, notes, as_of=_changed_at(file), progress=bar.update
            )
    print(
        f"{report.notes_read} notes read, {report.notes_written} written as"
        f" {report.chunks_written} chunks, {report.chunks_embedded} of them embedded"
    )
    for note_id in report.skipped:
        print(f"skipped {note_id}: someone else changed or deleted it meanwhile; run again to see")
    return 0


async def ask(settings: Settings, question: str, user: str, as_json: bool) -> int:
    """Answer a question, for a person or for a program."""
    asker = authenticated(user)
    async with entered(assemble(settings), _STARTING) as application:
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
    async with entered(assemble(settings), _STARTING) as application:
        if not await application.notes.delete(owner, note):
            raise InvalidInput(
                "note",
                f"{user!r} has no note {note!r}",
                "Check user and id; ask --json names the id of each note that it cites",
            )
    print(f"note {note} is deleted")
    return 0


async def purge(settings: Settings, days: int) -> int:
    """Remove for good what was deleted at least `days` ago."""
    before = datetime.now(UTC) - timedelta(days=days)
    async with entered(assemble(settings), _STARTING) as application:
        report = await application.purge.run(before)
    print(f"{report.notes} notes of {report.users} users are gone for good")
    return 0


async def index(settings: Settings, kind: str, m: int, ef_construction: int) -> int:
    """Build or drop the HNSW index."""
    async with entered(servers(settings), _STARTING) as urls:
        print("building takes a while; others may read and write meanwhile", file=sys.stderr)
        changed = await index_vectors(
            urls.database_url, IndexKind(kind), m=m, ef_construction=ef_construction
        )
    state = "HNSW" if kind == IndexKind.HNSW else "their key alone"
    print(f"vectors are {'now' if changed else 'already'} indexed by {state}")
    return 0


def _changed_at(file: Path) -> datetime:
    return datetime.fromtimestamp(file.stat().st_mtime, UTC)


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
