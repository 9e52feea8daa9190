"""What can come of a request."""

from __future__ import annotations

ERROR = "error"
"""What stands in the place of a provenance where there was no answer."""
OUTCOMES = ("FRESH", "CACHED", "REVALIDATED", "STALE", "DEGRADED", "NO_CONTEXT", "REFUSED", ERROR)
"""Provenances as they are called, best first."""
