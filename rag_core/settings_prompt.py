"""Settings of the prompt: the words that say how to answer."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings


class PromptSettings(BaseSettings):
    """The part of the settings that is about the prompt."""

    # The prompt. What never happens stands below the file's words, whatever they are.
    prompt_file: Path | None = Field(None, description="how to answer, in other words; UTF-8")
