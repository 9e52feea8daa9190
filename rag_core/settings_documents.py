"""Settings of documents: where they may be fetched from, and how many are read at once."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode

from rag_core.settings_serving import listed

_HOST = re.compile(
    r"\.?(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?"
)


class DocumentSettings(BaseSettings):
    """The part of the settings that is about documents."""

    # Documents from the web.
    ingest_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="that documents may be fetched from; .example.org: all below it"
    )

    # Documents that are uploaded wait in a queue for a worker.
    ingest_worker: bool = Field(
        True, description="`serve` reads them itself; false: `worker` processes do"
    )
    ingest_concurrency: int = Field(1, ge=1, le=64)
    """Number of documents that a process reads at once."""
    ingest_fleet_concurrency: int | None = Field(None, ge=1, le=10_000)
    """Number of uploaded documents that all processes together read at once; the same in each."""
    ingest_user_concurrency: int = Field(2, ge=1, le=64)
    """Number of a user's documents that are read at once, in all processes together."""
    ingest_user_queue: int = Field(2_000, ge=1, le=1_000_000)
    """Number of a user's versions that may wait; then uploads get 429."""
    ingest_attempts: int = Field(5, ge=1, le=50)
    """Number of times that a document is tried; then it is left to `jobs retry`."""

    @field_validator("ingest_hosts", mode="before")
    @classmethod
    def _hosts_listed(cls, value: Any) -> Any:
        return listed(value.lower()) if isinstance(value, str) else value

    @field_validator("ingest_hosts")
    @classmethod
    def _hosts_named(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            if not _HOST.fullmatch(host):
                raise ValueError(f"{host[:80]!r} is no name of a host, as notes.example.org is")
        return hosts
