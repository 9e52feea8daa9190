"""A user's paid calls of the last hour, found without reading all of them."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("CREATE INDEX api_calls_user_at ON api_calls (user_id, at) INCLUDE (nano_usd)")
