"""Which alerts were told already, in this process."""

from __future__ import annotations

from rag_core.budget import Alert
from rag_core.domain.user import UserId


class MemoryAlertLog:
    """AlertLog of one process."""

    def __init__(self) -> None:
        self._told: set[tuple[str, UserId | None]] = set()

    async def first(self, alert: Alert) -> bool:
        """See `AlertLog`."""
        mark = (alert.key, alert.user)
        if mark in self._told:
            return False
        self._told.add(mark)
        return True
