"""Settings of money: what a day may cost, and who is told."""

from __future__ import annotations

import re
from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings

MAX_BUDGET_USD = 9_000_000
"""Whole nano-dollars up to here are exact in every script language."""


class MoneySettings(BaseSettings):
    """The part of the settings that is about money."""

    # Money, for each day of UTC; 0: no paid call is made. Free providers never ask.
    budget_user_usd: float = Field(5.0, ge=0, le=MAX_BUDGET_USD, description="of one user")
    budget_all_usd: float = Field(100.0, ge=0, le=MAX_BUDGET_USD, description="of all together")
    budget_allowance_usd: float = Field(
        0.25, ge=0, le=MAX_BUDGET_USD, description="what a process may spend while Redis is away"
    )
    budget_processes: int = Field(
        8, ge=1, le=10_000, description="how many have an allowance; theirs is kept back from all"
    )
    alert_webhook_url: SecretStr | None = Field(None, description="gets JSON by POST")
    alert_email_to: str | None = Field(None, description="addresses, separated by commas")
    alert_email_from: str | None = Field(None, description="address of the sender")
    alert_smtp_url: SecretStr | None = Field(None, description="smtps://user:password@host:465")

    @field_validator("alert_email_to", "alert_email_from")
    @classmethod
    def _addresses(cls, addresses: str | None) -> str | None:
        for address in addresses.split(",") if addresses else ():
            if not re.fullmatch(r"[^@\s]+@[^@\s]+", address.strip()):
                raise ValueError("must be e-mail addresses, like ops@example.org")
        return addresses

    @model_validator(mode="after")
    def _affordable(self) -> Self:
        if self.budget_all_usd and (
            self.budget_allowance_usd * self.budget_processes > self.budget_all_usd
        ):
            raise ValueError(
                "RAG_BUDGET_ALLOWANCE_USD times RAG_BUDGET_PROCESSES must be at most "
                "RAG_BUDGET_ALL_USD"
            )
        mail = (self.alert_email_to, self.alert_email_from, self.alert_smtp_url)
        if any(mail) and not all(mail):
            raise ValueError(
                "RAG_ALERT_EMAIL_TO, RAG_ALERT_EMAIL_FROM and RAG_ALERT_SMTP_URL go together"
            )
        return self
