"""Documents: files that users gave, in all their versions, each with the note that it became."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0011"


def upgrade() -> None:
    op.execute("""
    CREATE TABLE documents (
        user_id       text NOT NULL,
        id            text NOT NULL,
        version       integer NOT NULL DEFAULT 1,
        live_version  integer,
        status        text NOT NULL DEFAULT 'queued',
        error         text NOT NULL DEFAULT '',
        problem       text NOT NULL DEFAULT '',
        path          text NOT NULL,
        uploaded_at   timestamptz NOT NULL DEFAULT now(),
        size_bytes    bigint NOT NULL,
        sha256        text NOT NULL,
        type          text,
        pages         integer,
        title         text NOT NULL DEFAULT '',
        author        text NOT NULL DEFAULT '',
        date          date,
        tags          text[] NOT NULL DEFAULT '{}',
        own_tags      text[],
        deleted_at    timestamptz,
        PRIMARY KEY (user_id, id),
        CHECK (status IN ('queued', 'converting', 'ready', 'failed'))
    );
    COMMENT ON COLUMN documents.version IS
        'the newest, whose columns these are; the title and what follows it once it is read';
    COMMENT ON COLUMN documents.live_version IS
        'the one whose note is stored under the id of the document; before it was deleted';
    COMMENT ON COLUMN documents.own_tags IS 'given by the user, in place of those in the file';

    CREATE INDEX documents_by_content ON documents (user_id, sha256) WHERE deleted_at IS NULL;

    CREATE TABLE document_versions (
        user_id        text NOT NULL,
        document_id    text NOT NULL,
        version        integer NOT NULL,
        status         text NOT NULL DEFAULT 'queued',
        error          text NOT NULL DEFAULT '',
        problem        text NOT NULL DEFAULT '',
        path           text NOT NULL,
        uploaded_at    timestamptz NOT NULL DEFAULT now(),
        restored_from  integer,
        size_bytes     bigint NOT NULL,
        sha256         text NOT NULL,
        content        bytea,
        type           text,
        pages          integer,
        title          text NOT NULL DEFAULT '',
        body           text,
        author         text NOT NULL DEFAULT '',
        date           date,
        tags           text[] NOT NULL DEFAULT '{}',
        verses         jsonb NOT NULL DEFAULT '[]',
        PRIMARY KEY (user_id, document_id, version),
        FOREIGN KEY (user_id, document_id) REFERENCES documents ON DELETE CASCADE,
        CHECK (status IN ('queued', 'converting', 'ready', 'failed'))
    );
    COMMENT ON COLUMN document_versions.content IS 'the file, until it was read';
    COMMENT ON COLUMN document_versions.body IS 'of the note that was read; NULL before';

    CREATE INDEX document_versions_waiting ON document_versions (user_id, document_id, version)
        WHERE status IN ('queued', 'converting');
    """)
