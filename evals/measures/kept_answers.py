"""Answers kept while a run is under way: one that was killed repeats no finished question."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import msgspec

from evals.datasets.golden import GoldenQuestion
from evals.measures.observations import Observation

UNFINISHED = "EVALS_UNFINISHED"
"""Environment variable with the file of the run that is under way; without it nothing is kept."""

_TABLE = """
CREATE TABLE IF NOT EXISTS answers
    (asked TEXT, question TEXT, observation BLOB NOT NULL, PRIMARY KEY (asked, question))
    WITHOUT ROWID
"""
_WAIT_S = 60.0
"""For another notebook that writes."""


class KeptAnswers:
    """Observations by question id, of one asking of one pipeline."""

    def __init__(self, database: sqlite3.Connection, asked: str) -> None:
        self._database = database
        self._asked = asked

    def get(self, question: GoldenQuestion) -> Observation | None:
        """What the question came to when it was asked before, if it was."""
        select = "SELECT observation FROM answers WHERE asked = ? AND question = ?"
        row = self._database.execute(select, (self._asked, question.id)).fetchone()
        return msgspec.json.decode(row[0], type=Observation) if row else None

    def keep(self, seen: Observation) -> None:
        """Keep an answer at once; a call that failed is none, and is made again."""
        if seen.answer is None:
            return
        row = (self._asked, seen.question.id, msgspec.json.encode(seen))
        with self._database:
            self._database.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", row)


@contextmanager
def kept_answers(asked: str) -> Iterator[KeptAnswers]:
    """The answers that this run has had already to what is `asked`."""
    path = os.environ.get(UNFINISHED, ":memory:")
    with closing(sqlite3.connect(path, timeout=_WAIT_S)) as database:
        # A killed process loses nothing that was committed; only a dead machine would.
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute(_TABLE)
        yield KeptAnswers(database, asked)
