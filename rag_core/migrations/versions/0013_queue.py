"""The queue of documents: procrastinate's own tables, made by the library that is installed.

They hold no word of a note: a job names a user and a document. Which version made them stands on
the table of jobs; a later revision applies the library's own migrations from there on.
"""

from __future__ import annotations

from importlib.metadata import version

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0013"
down_revision = "0010"


def upgrade() -> None:
    op.execute(SchemaManager.get_schema())
    op.execute(f"COMMENT ON TABLE procrastinate_jobs IS 'procrastinate {version('procrastinate')}'")
    op.execute("""
    CREATE INDEX procrastinate_jobs_by_document
        ON procrastinate_jobs ((args ->> 'user'), (args ->> 'document'));
    """)
