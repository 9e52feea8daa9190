"""Who pays for a call, and how much is put aside for it."""

from __future__ import annotations

import math
import secrets
from contextlib import AbstractAsyncContextManager

from rag_core.budget.spending import Spending
from rag_core.correlation import REQUEST_ID
from rag_core.domain.completion import Generator
from rag_core.domain.user import UserId
from rag_core.providers.call import Account, Pay, unpaid

PROMPT_MARGIN = 1.2
"""A provider's own tokenizer may count more tokens than ours: so many times, chosen."""

TEMPLATE_TOKENS = 64
"""What a chat template adds to the messages at most; chosen."""


def paid_by(user: UserId, spending: Spending | None, *, prompt_tokens: int, max_tokens: int) -> Pay:
    """Puts aside what a call may cost `user`, of a prompt that we count so many tokens in."""
    if spending is None:
        return unpaid
    most = math.ceil(prompt_tokens * PROMPT_MARGIN) + TEMPLATE_TOKENS

    def pay(generator: Generator) -> AbstractAsyncContextManager[Account]:
        # An id that came with a request may come again and again.
        attempt = f"{REQUEST_ID.get()}-{secrets.token_hex(8)}"
        return spending.paid(user, attempt, generator, most, max_tokens)

    return pay
