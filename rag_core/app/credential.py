"""Who asks, as a request's credential says; see `rag_core.access`."""

from __future__ import annotations

from rag_core.access import Authenticator, Credential

__all__ = ["Authenticator", "Credential"]
