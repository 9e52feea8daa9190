"""Where vectors of several embedders stand beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from rag_core.domain.user import UserId

if TYPE_CHECKING:
    from rag_core.domain.ranking import Vector


@dataclass(frozen=True, slots=True)
class ChunkText:
    """A stored chunk, as an embedder is given it."""

    note_id: str
    position: int
    sha256: str
    text: str


@dataclass(frozen=True, slots=True)
class EmbedderState:
    """What is stored of one embedder, over all users."""

    digest: str
    model: str
    """As it was named when it was put beside another; empty where nobody said."""
    beside: bool
    """Whether it may serve every user."""
    main_users: int
    """Number of users whose notes were first embedded by it."""
    vectors: int


class VectorStore(Protocol):
    """Vectors of chunks by embedder.

    An embedder may serve a user whose notes are of it, and every user once it is registered. It
    covers a user while each of the user's chunks has its vector.
    """

    async def register(self, models: Mapping[str, str]) -> None:
        """Let embedders serve every user, with those that users' notes are of; digest → name."""
        ...

    async def serves(self, user: UserId, embedder: str) -> bool:
        """Whether it may serve the user."""
        ...

    async def missing(
        self, user: UserId, embedder: str, *, after: tuple[str, int] = ("", -1), most: int
    ) -> list[ChunkText]:
        """The user's next chunks without its vector, in order of note and position."""
        ...

    async def put(
        self, user: UserId, embedder: str, items: Sequence[tuple[ChunkText, Vector]]
    ) -> None:
        """Add vectors to those chunks that are still what they were.

        Raises:
            EmbedderMismatch: it may not serve the user.
        """
        ...

    async def cover(self, user: UserId, embedder: str) -> bool:
        """Note that it covers the user, until a note changes; false if a vector is missing."""
        ...
