"""Settings of conversations: how much of them is kept."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings


class ConversationSettings(BaseSettings):
    """The part of the settings that is about conversations."""

    # Conversations; kept in Redis, or without one in the memory of this process.
    session_turns: int = Field(25, ge=20, le=30, description="questions that a session keeps")
    session_ttl_s: float = Field(
        2_592_000, ge=1, le=31_536_000, description="how long a session that is not used is kept"
    )
