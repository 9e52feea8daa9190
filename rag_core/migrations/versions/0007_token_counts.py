"""What a chunk takes of a context, counted when it is written and not at each question.

Chunks that are here already have none: they are counted when a process first finds them, and
stored when their note is next written (or embedded again). Nothing is copied or rewritten.
"""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute("""
    ALTER TABLE chunks ADD COLUMN tokens integer, ADD COLUMN tokens_of text;
    COMMENT ON COLUMN chunks.tokens IS 'of the block that a context shows the chunk in';
    COMMENT ON COLUMN chunks.tokens_of IS
        'hash of that block and of the tokenizer: the count holds for nothing else';
    """)
