"""What a request's key or token says of who asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rag_core.domain.user import UserId


@dataclass(frozen=True, slots=True)
class Credential:
    """Who asks, and by which plan; an empty plan is everybody's."""

    user: UserId
    plan: str = ""


class Headers(Protocol):
    """The headers of a request, as Starlette has them."""

    @property
    def raw(self) -> Sequence[tuple[bytes, bytes]]:
        """Each name, in lower case, and value, in the order in which they came."""
        ...


class Authenticator(Protocol):
    """Says who asks."""

    async def __call__(self, headers: Headers) -> Credential:
        """The credential that `headers` carry.

        Raises:
            Unauthenticated: they carry none.
            InvalidCredential: they carry one that is not believed, or several.
            Unavailable: it cannot be told now.
        """
        ...
