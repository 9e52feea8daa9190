"""Feedback: what readers thought of answers, by the digest of the answer."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0009"


def upgrade() -> None:
    op.execute("""
    CREATE TABLE feedback (
        user_id   text NOT NULL,
        id        text NOT NULL,
        digest    text NOT NULL,
        question  text NOT NULL,
        thumb     text NOT NULL,
        comment   text NOT NULL,
        note_ids  text[] NOT NULL,
        given_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (user_id, id),
        CHECK (thumb IN ('up', 'down'))
    );
    COMMENT ON COLUMN feedback.id IS 'a hash of the question and of the digest of its answer';
    """)
