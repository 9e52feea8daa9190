"""The store before the notebooks run."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from evals.project import project_settings
from evals.run.store import fill


async def test_a_new_database_finds_the_golden_vectors_that_were_kept(sample: Path) -> None:
    settings = project_settings()
    store = await fill(settings, sample, "smoke", ["01_quality"])
    (file,) = (settings.home / "vectors").glob("*.sqlite")
    with closing(sqlite3.connect(file)) as database:
        (kept,) = database.execute("SELECT count(*) FROM vectors").fetchone()
    assert kept == store.ingested.embedded > 0
