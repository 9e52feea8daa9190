"""The words of each chunk with their weights, for search by words.

Readers go on while the words of what is stored are counted (some 10,000 chunks a second); writers
wait for it. A process of an earlier version that still writes afterwards stores chunks without
words: they are found by their vectors alone until their note is written again.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

from rag_core.domain.words import WORD_DIMENSIONS, word_weights

revision = "0009"
down_revision = "0008"

_BATCH = 2_000
_EVENTS = {
    "INSERT": ("REFERENCING NEW TABLE AS changed", "change_epochs"),
    "UPDATE": ("REFERENCING OLD TABLE AS gone NEW TABLE AS changed", "change_epochs_of_both"),
    "DELETE": ("REFERENCING OLD TABLE AS changed", "change_epochs"),
}
# As a chunk is embedded; the title as notes have it, of which chunks repeat the beginning.
_STORED = """
SELECT chunks.user_id, note_id, position,
    concat_ws(E'\\n', nullif(left(title, 200), ''), nullif(heading, ''), text)
FROM chunks JOIN notes ON notes.user_id = chunks.user_id AND notes.id = note_id
"""


def upgrade() -> None:
    op.execute("""
    LOCK TABLE chunks IN SHARE ROW EXCLUSIVE MODE;  -- readers read on

    CREATE TABLE chunk_words (
        user_id     text NOT NULL,
        note_id     text NOT NULL,
        position    integer NOT NULL,
        words       sparsevec NOT NULL
    );
    COMMENT ON TABLE chunk_words IS 'what a search by words scans: nothing but keys and words';
    COMMENT ON COLUMN chunk_words.words IS
        'what BM25 gives each stem, at the dimension that its hash says; without the idf';
    """)
    _count_words()
    op.execute("""
    ALTER TABLE chunk_words ADD PRIMARY KEY (user_id, note_id, position);
    ALTER TABLE chunk_words ADD FOREIGN KEY (user_id, note_id, position)
        REFERENCES chunks (user_id, note_id, position) ON DELETE CASCADE NOT VALID;
    """)
    for event, (rows, function) in _EVENTS.items():
        op.execute(
            f"CREATE TRIGGER chunk_words_{event.lower()} AFTER {event} ON chunk_words"
            f" {rows} FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
        )
    op.execute(
        "CREATE TRIGGER chunk_words_truncate AFTER TRUNCATE ON chunk_words"
        " FOR EACH STATEMENT EXECUTE FUNCTION change_all_epochs()"
    )


def _count_words() -> None:
    connection = op.get_bind()
    stored = text(_STORED).execution_options(yield_per=_BATCH)
    for batch in connection.execute(stored).partitions():
        rows = [
            {"user": user, "note": note, "position": position, "words": _literal(said)}
            for user, note, position, said in batch
        ]
        connection.execute(
            text(
                "INSERT INTO chunk_words"
                " VALUES (:user, :note, :position, CAST(:words AS sparsevec))"
            ),
            rows,
        )


def _literal(said: str) -> str:
    """A sparse vector as pgvector reads it; its dimensions count from 1."""
    weights = word_weights(said)
    pairs = (f"{place + 1}:{weight:.6g}" for place, weight in sorted(weights.items()))
    return f"{{{','.join(pairs)}}}/{WORD_DIMENSIONS}"
