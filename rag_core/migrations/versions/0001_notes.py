"""Users, notes and chunks; `user_id` leads every key, so that a distributed Postgres can shard."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute("""
    CREATE EXTENSION IF NOT EXISTS vector;

    CREATE TABLE users (
        id          text PRIMARY KEY,
        epoch       uuid NOT NULL DEFAULT gen_random_uuid(),
        embedder    text,
        created_at  timestamptz NOT NULL DEFAULT now()
    );
    COMMENT ON COLUMN users.epoch IS
        'random nonce, new in every transaction that changes one of the notes';
    COMMENT ON COLUMN users.embedder IS
        'digest of the embedder behind all chunks of this user';

    CREATE TABLE notes (
        user_id     text NOT NULL REFERENCES users (id),
        id          text NOT NULL,
        version     text NOT NULL,
        chunking    text NOT NULL,
        title       text NOT NULL,
        body        text NOT NULL,
        author      text NOT NULL,
        date        date,
        tags        text[] NOT NULL,
        verses      jsonb NOT NULL,
        created_at  timestamptz NOT NULL DEFAULT now(),
        updated_at  timestamptz NOT NULL DEFAULT now(),
        deleted_at  timestamptz,
        PRIMARY KEY (user_id, id)
    );
    COMMENT ON COLUMN notes.version IS 'SHA-256 over everything the note says';
    COMMENT ON COLUMN notes.chunking IS 'name of the chunker that cut the chunks';

    CREATE TABLE note_chunks (
        user_id     text NOT NULL,
        note_id     text NOT NULL,
        position    integer NOT NULL,
        start_char  integer NOT NULL,
        end_char    integer NOT NULL,
        sha256      text NOT NULL,
        heading     text NOT NULL,
        text        text NOT NULL,
        embedding   vector(384) NOT NULL,
        PRIMARY KEY (user_id, note_id, position),
        FOREIGN KEY (user_id, note_id) REFERENCES notes (user_id, id)
    );
    COMMENT ON COLUMN note_chunks.sha256 IS 'SHA-256 of what was embedded';

    -- Kept in the row: an exact scan over TOASTed vectors takes 18 times as long.
    ALTER TABLE note_chunks ALTER COLUMN embedding SET STORAGE PLAIN;

    CREATE INDEX note_chunks_embedding_hnsw ON note_chunks
        USING hnsw (embedding vector_cosine_ops) WITH (m = 16, ef_construction = 64);
    """)
