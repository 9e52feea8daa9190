"""How much of a list is asked for."""

from __future__ import annotations

from starlette.datastructures import QueryParams

from rag_core.errors import InvalidInput

PAGE, MOST = 50, 200
"""Rows of a page, unless `limit` says otherwise, and at most; chosen."""


def limit_of(query: QueryParams) -> int:
    """The number of rows that a page is to have.

    Raises:
        InvalidInput: `limit` is no number from 1 to `MOST`.
    """
    given = query.get("limit", str(PAGE))
    if not given.isascii() or not given.isdigit() or not 1 <= int(given[:9]) <= MOST:
        raise InvalidInput("limit", f"must be a number from 1 to {MOST}")
    return int(given)
