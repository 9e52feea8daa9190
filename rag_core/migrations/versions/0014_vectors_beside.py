"""Vectors of another embedder beside those that are searched: a model is changed without a stop.

Processes of older versions go on: they neither see nor write what is beside.
"""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.execute("""
    CREATE TABLE embedders (
        digest    text PRIMARY KEY,
        model     text NOT NULL
    );
    COMMENT ON TABLE embedders IS
        'those that may serve every user beside each other; empty while there is one';

    CREATE TABLE vectors_beside (
        user_id     text NOT NULL,
        note_id     text NOT NULL,
        position    integer NOT NULL,
        embedder    text NOT NULL,
        embedding   vector(384) NOT NULL,
        PRIMARY KEY (user_id, note_id, position, embedder),
        FOREIGN KEY (user_id, note_id, position)
            REFERENCES chunks (user_id, note_id, position) ON DELETE CASCADE
    );
    COMMENT ON TABLE vectors_beside IS 'of other embedders than users.embedder, unit length';
    ALTER TABLE vectors_beside ALTER COLUMN embedding SET STORAGE PLAIN;

    CREATE TABLE vectors_covered (
        user_id     text NOT NULL REFERENCES users ON DELETE CASCADE,
        embedder    text NOT NULL,
        epoch       uuid NOT NULL,
        PRIMARY KEY (user_id, embedder)
    );
    COMMENT ON TABLE vectors_covered IS
        'at that epoch every chunk of the user had its vector in vectors_beside';

    ALTER TABLE users ADD COLUMN lacks_vectors boolean NOT NULL DEFAULT false;
    COMMENT ON COLUMN users.lacks_vectors IS
        'a writer by another embedder left chunks without a vector in chunk_vectors';
    """)
