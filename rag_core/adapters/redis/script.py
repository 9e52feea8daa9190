"""A Lua script that a server runs as one atomic step."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from redis.exceptions import NoScriptError

from rag_core.adapters.redis.client import RedisClient
from rag_core.errors import CacheUnavailable


class Script:
    """Runs by its digest; its text is sent where the server does not have it yet."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    async def run(
        self, redis: RedisClient, keys: Sequence[str], *arguments: bytes | str | float
    ) -> Any:
        """The script's reply.

        Raises:
            CacheUnavailable: Redis did not answer in time, or the script failed.
        """
        rest = (len(keys), *keys, *arguments)
        try:
            return await redis.execute("EVALSHA", self._digest, *rest)
        except CacheUnavailable as error:
            if not isinstance(error.__cause__, NoScriptError):
                raise
        return await redis.execute("EVAL", self.text, *rest)
