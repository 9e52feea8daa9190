"""Which days' ledgers were ever opened, and the calls of one day found without reading all."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("""
    CREATE TABLE ledger_days (day date PRIMARY KEY);
    COMMENT ON TABLE ledger_days IS
        'a day that is here has had a ledger: one that Redis does not know was lost there';
    CREATE INDEX api_calls_day ON api_calls (day);
    """)
