"""An alert as plain fields."""

from __future__ import annotations

from rag_core.budget import NANO_PER_USD, Alert


def payload(alert: Alert) -> dict[str, str | float | None]:
    """What machines read: kind, scope, user, spent_usd, cap_usd, at (ISO 8601, UTC), sentence."""
    return {
        "kind": alert.kind,
        "scope": alert.scope,
        "user": alert.user,
        "spent_usd": alert.spent_nano / NANO_PER_USD,
        "cap_usd": alert.cap_nano / NANO_PER_USD,
        "at": alert.at.isoformat(timespec="seconds"),
        "sentence": alert.sentence,
    }
