"""Vectors in a narrow table of their own; epochs that change for whoever changes a note.

Readers of 0001 go on: they never wait for the copying, and afterwards read a view in the shape of
their old table. Its writers wait, and are refused afterwards.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

_EVENTS = {
    "INSERT": "REFERENCING NEW TABLE AS changed",
    "UPDATE": "REFERENCING OLD TABLE AS gone NEW TABLE AS changed",
    "DELETE": "REFERENCING OLD TABLE AS changed",
}


def upgrade() -> None:
    op.execute("""
    LOCK TABLE note_chunks, notes IN SHARE ROW EXCLUSIVE MODE;  -- readers read on

    CREATE TABLE chunk_vectors (
        user_id     text NOT NULL,
        note_id     text NOT NULL,
        position    integer NOT NULL,
        embedding   vector(384) NOT NULL
    );
    COMMENT ON TABLE chunk_vectors IS 'what an exact search scans: nothing but keys and vectors';
    COMMENT ON COLUMN chunk_vectors.embedding IS 'unit length: the inner product is the cosine';

    -- Kept in the row: an exact scan over TOASTed vectors takes 18 times as long.
    ALTER TABLE chunk_vectors ALTER COLUMN embedding SET STORAGE PLAIN;

    INSERT INTO chunk_vectors
        SELECT user_id, note_id, position, embedding FROM note_chunks
        ORDER BY user_id, note_id, position;
    ALTER TABLE chunk_vectors ADD PRIMARY KEY (user_id, note_id, position);

    -- From here on readers wait, for milliseconds: nothing below depends on how much there is.
    ALTER TABLE note_chunks DROP COLUMN embedding;
    ALTER TABLE note_chunks RENAME TO chunks;
    ALTER TABLE chunks RENAME CONSTRAINT note_chunks_pkey TO chunks_pkey;
    ALTER TABLE chunks RENAME CONSTRAINT note_chunks_user_id_note_id_fkey
        TO chunks_user_id_note_id_fkey;
    ALTER TABLE chunk_vectors ADD FOREIGN KEY (user_id, note_id, position)
        REFERENCES chunks (user_id, note_id, position) ON DELETE CASCADE NOT VALID;

    CREATE VIEW note_chunks AS
        SELECT user_id, note_id, position, start_char, end_char, sha256, heading, text, embedding
        FROM chunks JOIN chunk_vectors USING (user_id, note_id, position);
    COMMENT ON VIEW note_chunks IS 'for processes of 0.1.0 that still read';

    CREATE FUNCTION change_epochs() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE users SET epoch = gen_random_uuid()
        WHERE id IN (SELECT user_id FROM changed);
        RETURN NULL;
    END $$;
    COMMENT ON FUNCTION change_epochs IS 'for whoever changes notes without the note store';

    -- A row may be given to another user: then both have other notes than before.
    CREATE FUNCTION change_epochs_of_both() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE users SET epoch = gen_random_uuid()
        WHERE id IN (SELECT user_id FROM changed UNION ALL SELECT user_id FROM gone);
        RETURN NULL;
    END $$;

    CREATE FUNCTION change_all_epochs() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE users SET epoch = gen_random_uuid();
        RETURN NULL;
    END $$;
    """)
    for table in ("notes", "chunks", "chunk_vectors"):
        for event, rows in _EVENTS.items():
            function = "change_epochs_of_both" if event == "UPDATE" else "change_epochs"
            op.execute(
                f"CREATE TRIGGER {table}_{event.lower()} AFTER {event} ON {table}"
                f" {rows} FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
            )
        op.execute(
            f"CREATE TRIGGER {table}_truncate AFTER TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION change_all_epochs()"
        )
