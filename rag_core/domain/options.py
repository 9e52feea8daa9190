"""What a question may say of how its answer is written."""

from __future__ import annotations

from dataclasses import dataclass, field

KEY_FIELD = "X-Provider-Key"
"""The header that a key of the asker's own comes in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How one answer is to be written; None: as it is configured.

    Args:
        provider: its name; no other is asked then.
        temperature: without a unit, from 0, always the likeliest word, to 2.
        max_tokens: of the answer, at most.
        key: of the asker's own, for `provider`; for this one call, and kept nowhere.
    """

    provider: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    key: str | None = field(default=None, repr=False)

    @property
    def identity(self) -> tuple[str, ...]:
        """What of them decides an answer, beside who writes it and how long it may be.

        Of a key that there is one: what it made is its own, and is shared with no other question.
        """
        heat = () if self.temperature is None else (f"temperature={self.temperature:g}",)
        return (*heat, *(() if self.key is None else ("own key",)))


AS_CONFIGURED = Options()
"""Nothing is asked for."""
