"""API keys: what a client holds, and what is stored of it.

A key is `rag_<prefix>_<secret>`: the prefix finds and names it, the secret is 256 random bits. Only
its SHA-256 is stored. A slow hash would protect passwords, which can be guessed; 256 random bits
cannot be.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from rag_core.access.credential import Credential
from rag_core.domain.user import UserId

_FORM = re.compile(r"rag_([0-9a-f]{12})_[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as its client shows it."""

    prefix: str
    text: str = field(repr=False)

    @classmethod
    def issue(cls) -> ApiKey:
        """A new key; nobody can guess another one from it."""
        prefix = secrets.token_hex(6)
        return cls(prefix, f"rag_{prefix}_{secrets.token_hex(32)}")

    @classmethod
    def parse(cls, text: str) -> ApiKey | None:
        """The key that `text` is; None where it has not the form of one."""
        form = _FORM.fullmatch(text)
        return cls(form[1], text) if form else None

    @property
    def digest(self) -> bytes:
        """SHA-256 of the whole key; 32 bytes."""
        return hashlib.sha256(self.text.encode()).digest()


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A key in force, as whoever checks one knows it."""

    digest: bytes = field(repr=False)
    credential: Credential


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """A key as its owner sees it listed, in force or not."""

    prefix: str
    user: UserId
    plan: str
    name: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class KeyStore(Protocol):
    """Where keys are kept; all times are those of its own clock."""

    async def find(self, prefixes: Collection[str]) -> Mapping[str, IssuedKey]:
        """Those of the keys that are in force: known, neither revoked nor expired.

        Raises:
            DatabaseUnavailable: they cannot be read.
        """
        ...

    async def add(
        self,
        key: ApiKey,
        user: UserId,
        *,
        plan: str = "",
        name: str = "",
        days: float | None = None,
    ) -> None:
        """Store the digest of a new key, which expires after `days`, if ever.

        Raises:
            DatabaseUnavailable: it may not have been stored.
        """
        ...

    async def revoke(self, prefix: str) -> bool:
        """End a key for good; False where there was none in force.

        Raises:
            DatabaseUnavailable: it may still be in force.
        """
        ...

    async def records(self, user: UserId | None = None) -> list[KeyRecord]:
        """All keys, or those of `user`, the oldest first.

        Raises:
            DatabaseUnavailable: they cannot be read.
        """
        ...
