"""Servers that tests shall use instead of their own: `python -m tests.fleet` names them."""

from __future__ import annotations

import os

DATABASE_URL = os.environ.get("RAG_TEST_DATABASE_URL")
"""A migrated database for tests that share one; perhaps through pgbouncer."""

PREPARE = os.environ.get("RAG_TEST_DATABASE_PREPARE") != "false"
"""Whether that database takes prepared statements."""
