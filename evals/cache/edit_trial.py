"""How often an edit changes what answers rest on: golden notes, edited through the real ingest.

The notes of golden users are stored in a database of their own, which is gone afterwards. One note
at a time is edited and ingested, and all of the user's questions (of dev, where there is one) are
asked again of the pipeline: each answer's evidence fingerprint is held against the one before.
The next edit puts the note back.
"""

from __future__ import annotations

import hashlib
import itertools
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from evals.cache.edited_notes import Edit, Editor, Span
from evals.cache.edits import EditOutcome, EditStudy
from evals.datasets.corpus import held_open, ingest_golden
from evals.datasets.golden import GoldenQuestion, GoldenSet
from evals.datasets.golden_checks import load_checked
from evals.project import GOLDEN, project_settings
from evals.simulation.scale import Scale
from rag_core.adapters.documents import read_notes
from rag_core.adapters.generators import ScriptedGenerator
from rag_core.bootstrap import Application, assemble
from rag_core.cli import progress_bar
from rag_core.domain import FREE, Context, Embedder, Note, authenticated
from rag_core.errors import InvalidInput

if TYPE_CHECKING:
    from rag_core.domain import Matrix, Vector

_ANSWER = "It says so [1]."
"""What is written does not count: evidence is settled before."""


async def edit_trial(how: Scale, golden_dir: Path = GOLDEN, *, seed: int = 7) -> EditStudy:
    """Edit golden notes and ask their users' questions again.

    Raises:
        InvalidInput: the folder has a mistake, or no question of it has gold.
        Unavailable: the database cannot be reached.
    """
    golden = load_checked(golden_dir)
    asked = _asked(golden, how)
    if not asked:
        raise InvalidInput(str(golden_dir), "no question has gold", "Edits are judged by gold")
    chosen = replace(golden, notes={user: golden.notes[user] for user in asked})
    outcomes: list[EditOutcome] = []
    async with _own_store(chosen) as application:
        with progress_bar(len(Edit) * sum(map(len, asked.values())), "edit notes", "edit") as bar:
            for user, questions in asked.items():
                notes = read_notes(golden.notes[user].path)
                trial = _Trial(application, user, notes, questions, seed)
                async for found in trial.edits():
                    outcomes += found
                    bar.update()
    return EditStudy(tuple(outcomes))


def _asked(golden: GoldenSet, how: Scale) -> dict[str, list[GoldenQuestion]]:
    asked: dict[str, list[GoldenQuestion]] = {}
    answerable = [question for question in golden.questions if question.answerable]
    dev = [question for question in answerable if question.split == "dev"]
    for question in dev or answerable:
        asked.setdefault(question.user, []).append(question)
    users = sorted(asked)[: how.edited_users]
    return {user: asked[user][: how.edited_questions] for user in users}


@asynccontextmanager
async def _own_store(golden: GoldenSet) -> AsyncIterator[Application]:
    """The users' notes in a new database, with vectors of the golden store where it has them."""
    settings = project_settings()
    async with held_open(settings) as ready, assemble(ready) as stored:
        await ingest_golden(stored, golden)
        vectors: dict[str, Vector] = {}
        for user, file in golden.notes.items():
            vectors |= await stored.notes.vectors(authenticated(user), list(file.bodies))
        embedder = KnownVectors(stored.embedder, vectors)
    with tempfile.TemporaryDirectory(prefix="rag-edits-") as home:
        alone = settings.model_copy(update={"home": Path(home), "database_url": None})
        writer = ScriptedGenerator(itertools.repeat(_ANSWER), prices=FREE)
        async with (
            held_open(alone) as own,
            assemble(own, embedder=embedder, generator=writer) as application,
        ):
            await ingest_golden(application, golden)
            yield application


class KnownVectors:
    """An embedder that is asked only for texts whose vectors are not known by their SHA-256."""

    def __init__(self, inner: Embedder, vectors: Mapping[str, Vector]) -> None:
        self._inner = inner
        self._vectors = vectors
        self.max_word_pieces = inner.max_word_pieces
        self.count_word_pieces = inner.count_word_pieces
        self.digest = inner.digest

    async def embed(self, texts: Sequence[str]) -> Matrix:
        """See `Embedder`."""
        keys = [_sha256(text) for text in texts]
        missing = [text for key, text in zip(keys, texts, strict=True) if key not in self._vectors]
        fresh = iter(await self._inner.embed(missing) if missing else ())
        rows = [self._vectors[key] if key in self._vectors else next(fresh) for key in keys]
        return np.stack(rows)


def _sha256(text: str) -> str:
    """As a chunk names what was embedded of it."""
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Before:
    """What a question's answer rests on before any edit."""

    question: GoldenQuestion
    evidence: str
    sources: Mapping[str, tuple[Span, ...]]
    """Where the sources stand, by the note's id."""


class _Trial:
    """The edits of one user's notes."""

    def __init__(
        self,
        application: Application,
        user: str,
        notes: Sequence[Note],
        questions: Sequence[GoldenQuestion],
        seed: int,
    ) -> None:
        self._application = application
        self._user = authenticated(user)
        self._notes = {note.id: note for note in notes}
        self._questions = questions
        self._editor = Editor(notes, np.random.default_rng([seed, len(notes)]))

    async def edits(self) -> AsyncIterator[list[EditOutcome]]:
        """After each edit, what became of every question; questions without evidence have none."""
        before = [await self._before(question) for question in self._questions]
        edited_id: str | None = None
        for about, kind in itertools.product(before, Edit):
            edited = self._edited(about, kind)
            if edited is None:
                yield []
                continue
            undone = [] if edited_id in (None, edited.id) else [self._notes[str(edited_id)]]
            await self._application.ingest.run(self._user, [*undone, edited])
            edited_id = edited.id
            yield [await self._outcome(each, kind, edited.id) for each in before if each.sources]

    def _edited(self, about: _Before, kind: Edit) -> Note | None:
        if not about.sources:
            return None
        if kind is Edit.OTHER:
            return self._editor.edited(self._editor.other(list(about.sources)), kind)
        ids = list(about.sources)
        note = self._notes[ids[self._editor.rng.integers(len(ids))]]
        return self._editor.edited(note, kind, about.sources[note.id])

    async def _before(self, question: GoldenQuestion) -> _Before:
        context = await self._context(question)
        sources: dict[str, tuple[Span, ...]] = {}
        for source in context.sources:
            hit = source.hit
            sources[hit.note_id] = (*sources.get(hit.note_id, ()), (hit.start, hit.end))
        return _Before(question, await self._evidence(question), sources)

    async def _context(self, question: GoldenQuestion) -> Context:
        return (await self._application.pipeline.retrieve(question.question, self._user)).context

    async def _outcome(self, before: _Before, kind: Edit, note_id: str) -> EditOutcome:
        return EditOutcome(
            user=self._user,
            question=before.question.id,
            note=note_id,
            kind=kind,
            rested_on=len(before.sources),
            touched=note_id in before.sources,
            changed=await self._evidence(before.question) != before.evidence,
        )

    async def _evidence(self, question: GoldenQuestion) -> str:
        return (await self._application.pipeline.answer(question.question, self._user)).evidence
