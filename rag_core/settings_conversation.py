"""Settings of conversations: how much of them is kept, and who rewrites follow-ups."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings


class ConversationSettings(BaseSettings):
    """The part of the settings that is about conversations."""

    # Conversations; kept in Redis, or without one in the memory of this process.
    session_turns: int = Field(25, ge=20, le=30, description="questions that a session keeps")
    session_ttl_s: float = Field(
        2_592_000, ge=1, le=31_536_000, description="how long a session that is not used is kept"
    )
    follow_ups: Literal["auto", "rules"] = Field(
        "auto", description="who rewrites them: a provider where there is one, or rules"
    )
    follow_up_timeout_s: float = Field(
        3.0, gt=0, le=60, description="for a provider to rewrite one; then the rules do"
    )
