"""The queue of documents: procrastinate's own tables, as its version of that time makes them.

They hold no word of a note: a job names a user and a document. A later schema of the library's
is a later revision here.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0013"
down_revision = "0010"

_SCHEMA = Path(__file__).parents[1] / "procrastinate-3.10.0.sql"


def upgrade() -> None:
    op.execute(_SCHEMA.read_text(encoding="utf-8"))
    op.execute("""
    CREATE INDEX procrastinate_jobs_by_document
        ON procrastinate_jobs ((args ->> 'user'), (args ->> 'document'));
    """)
