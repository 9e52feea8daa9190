"""The ASGI application: HTTP in front of the pipeline that is deployed."""

from __future__ import annotations

# fmt: off
from rag_core.app.application import create_app
from rag_core.app.credential import Authenticator, Credential
from rag_core.app.reload import Read

__all__ = [
    "Authenticator", "Credential", "Read", "create_app",
]
