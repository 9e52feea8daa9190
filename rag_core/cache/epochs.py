"""Epochs: a random nonce per user that changes whenever one of the user's notes changes.

The truth is in the database, changed by the very transaction that changes a note. A cache may
hold a copy, on a lease, under two rules:

- A copy is made only while the database promises that no change is in flight (`hold`).
- A writer announces a change before it commits. Where it cannot, it waits out the lease, after
  which no copy is believed.

So a lost, evicted or outdated copy costs a look into the database and nothing else.
(C. Gray and D. Cheriton, Leases: an efficient fault-tolerant mechanism for distributed file cache
consistency, SOSP 1989.)
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import NewType, Protocol

from rag_core.user import UserId

Epoch = NewType("Epoch", str)

LEASE_S = 10.0
"""How long a copy is believed, and so how long a writer waits that cannot announce."""

CLOCK_SKEW_S = 0.5
"""How far apart the clocks of two machines may be; a waiting writer waits this much longer."""


class EpochSource(Protocol):
    """Where the truth about epochs is: the database that holds the notes."""

    async def epoch(self, user: UserId) -> Epoch | None:
        """The user's committed epoch; None for a user who has never had a note."""
        ...

    def hold(self, user: UserId) -> AbstractAsyncContextManager[Epoch | None]:
        """The user's epoch, which does not change within the block.

        None for an unknown user, and while a change of the user's notes is in flight.
        """
        ...


class EpochBoard(Protocol):
    """Where a change of notes is made known to whoever holds a copy of the epoch."""

    async def announce(self, user: UserId, epoch: Epoch) -> bool:
        """A transaction that sets `epoch` is about to commit; returns once no copy is believed.

        False when it could only wait: then there is nothing to confirm.
        """
        ...

    async def confirm(self, user: UserId, epoch: Epoch) -> None:
        """The announced transaction has committed."""
        ...


class NoBoard:
    """For deployments whose caches ask the database itself."""

    async def announce(self, user: UserId, epoch: Epoch) -> bool:
        return False

    async def confirm(self, user: UserId, epoch: Epoch) -> None:
        return
