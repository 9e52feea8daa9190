"""Who asks, as a request's credential says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from starlette.datastructures import Headers

from rag_core.domain.user import UserId


@dataclass(frozen=True, slots=True)
class Credential:
    """What a request's key or token vouches for."""

    user: UserId
    plan: str = ""
    """Name of the user's plan, which has limits of its own; empty: the ordinary ones."""


class Authenticator(Protocol):
    """Tells from a request's headers who asks."""

    async def __call__(self, headers: Headers) -> Credential:
        """The credential that the headers carry.

        Raises:
            Unauthenticated: they carry none, or none that can be believed.
        """
        ...
