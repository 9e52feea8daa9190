"""Who asks: a user id that came from a credential, never from a request body."""

from __future__ import annotations

import re
from typing import NewType

from rag_core.errors import InvalidInput, Unauthenticated

UserId = NewType("UserId", str)

# No braces, spaces or control characters: the id becomes a Redis hash tag `{user}`. The bar is what
# some identity providers put into it: auth0|5f7c8ec7c33c6c004bbafe82.
_ALLOWED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@:+|-]{0,127}")


def authenticated(user: str | None) -> UserId:
    """Return `user` as the id that every query and key is bound to.

    Raises:
        Unauthenticated: no id was given.
        InvalidInput: the id has characters that a key may not carry.
    """
    if not user:
        raise Unauthenticated("no user id came with the request; say who asks")
    if not _ALLOWED.fullmatch(user):
        raise InvalidInput(
            "user",
            f"{user[:40]!r} is not a user id",
            "Use 1 to 128 letters, digits or . _ @ : + | - beginning with a letter or digit",
        )
    return UserId(user)
