"""What was spent: a log of paid calls, and a row a user, day, provider and model."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("""
    CREATE TABLE api_calls (
        user_id         text NOT NULL,
        call_id         text NOT NULL,
        at              timestamptz NOT NULL,
        day             date NOT NULL,
        provider        text NOT NULL,
        model           text NOT NULL,
        input_tokens    bigint NOT NULL CHECK (input_tokens >= 0),
        output_tokens   bigint NOT NULL CHECK (output_tokens >= 0),
        nano_usd        bigint NOT NULL CHECK (nano_usd >= 0),
        PRIMARY KEY (user_id, call_id)
    );
    COMMENT ON TABLE api_calls IS 'one row a settled call; settling it again changes nothing';
    COMMENT ON COLUMN api_calls.day IS 'the day of UTC whose budget the call was held in';
    COMMENT ON COLUMN api_calls.nano_usd IS 'billionths of a US dollar';

    CREATE TABLE user_api_costs (
        user_id         text NOT NULL,
        day             date NOT NULL,
        provider        text NOT NULL,
        model           text NOT NULL,
        calls           bigint NOT NULL,
        input_tokens    bigint NOT NULL,
        output_tokens   bigint NOT NULL,
        nano_usd        bigint NOT NULL,
        PRIMARY KEY (user_id, day, provider, model)
    );
    COMMENT ON TABLE user_api_costs IS
        'sums of api_calls, kept in the same transaction, and to be made again from them';
    CREATE INDEX user_api_costs_day ON user_api_costs (day);
    """)
