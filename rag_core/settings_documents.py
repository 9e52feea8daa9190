"""Settings of documents: where they may be fetched from."""

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
