"""What the routes work with while the application runs."""

from __future__ import annotations

from rag_core.app.credential import Authenticator
from rag_core.bootstrap.application import Application
from rag_core.bootstrap.telemetry import Telemetry
from rag_core.settings import Settings


class Service:
    """The assembled application, set when the server starts and gone when it stops."""

    application: Application
    telemetry: Telemetry
    authenticate: Authenticator

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
