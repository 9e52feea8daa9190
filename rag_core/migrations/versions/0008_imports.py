"""Imports: how far the storing of large notes is, for every process to see."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute("""
    CREATE TABLE imports (
        user_id     text NOT NULL,
        id          text NOT NULL,
        note_id     text NOT NULL,
        version     text NOT NULL,
        state       text NOT NULL DEFAULT 'running',
        error       text NOT NULL DEFAULT '',
        problem     text NOT NULL DEFAULT '',
        created_at  timestamptz NOT NULL DEFAULT now(),
        beat_at     timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (user_id, id),
        CHECK (state IN ('running', 'done', 'failed', 'lost'))
    );
    COMMENT ON COLUMN imports.beat_at IS
        'when the worker was last heard of; one that runs and is silent for long is lost';
    """)
