"""API keys, of which only the SHA-256 is kept."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute("""
    CREATE TABLE api_keys (
        prefix          text PRIMARY KEY,
        digest          bytea NOT NULL CHECK (length(digest) = 32),
        user_id         text NOT NULL,
        plan            text NOT NULL DEFAULT '',
        name            text NOT NULL DEFAULT '',
        created_at      timestamptz NOT NULL DEFAULT now(),
        expires_at      timestamptz,
        revoked_at      timestamptz
    );
    COMMENT ON TABLE api_keys IS
        'says who a user is, so found before the user is known: a reference table, not sharded';
    COMMENT ON COLUMN api_keys.digest IS 'SHA-256 of the key, whose secret has 256 random bits';
    CREATE INDEX api_keys_user ON api_keys (user_id);
    """)
