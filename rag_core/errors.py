"""Every error rag_core raises, in one tree.

    RagError
    ├── InvalidInput            the caller's mistake; names the field and the fix
    │   ├── UnknownUser         no such user, or a user without notes
    │   └── NotFound            the user has nothing of that id
    ├── Unauthenticated         no user id came with the request
    │   └── InvalidCredential   one came that cannot be believed
    ├── PreconditionFailed      another change came first
    ├── RateLimitExceeded       the user, or all users, asked too often
    ├── ConfigurationError      a setting or an installed part is wrong
    │   └── EmbedderMismatch    stored vectors come from another embedder
    ├── Unavailable             a part we depend on cannot be reached; may be retried
    │   ├── DatabaseUnavailable
    │   ├── CacheUnavailable
    │   ├── DeadlineExceeded    the request's time is up
    │   ├── EmbeddedServerError
    │   ├── Overloaded          too many are waiting for the same part already
    │   ├── BreakerOpen         the part failed too often of late, and is left alone
    │   └── ProviderUnavailable refused, cut, 5xx
    │       ├── ProviderTimeout
    │       ├── ProviderRateLimited
    │       ├── ProviderLoading     503 while the model is being loaded
    │       ├── ProviderOutOfCredit 402
    │       └── BudgetExhausted     the day's money is spent: ours, not the provider's, to refuse
    └── ProviderError           the provider answered, but not usefully
        ├── ProviderRejected    4xx: the request or the credential is wrong
        │   └── ContextOverflow the prompt is longer than the model reads
        ├── ProviderRefused     the model's own rules forbid it to answer
        └── ProviderMisbehaved  the body or the stream could not be understood

Errors carry fields, not only text, so that an edge can translate them without parsing.
"""

from __future__ import annotations


class RagError(Exception):
    """Base of every error that rag_core raises on purpose."""

    exit_code = 1


class InvalidInput(RagError):
    """The caller's input cannot be used; says which field, what is wrong and how to mend it."""

    exit_code = 2

    def __init__(self, field: str, problem: str, fix: str = "") -> None:
        self.field, self.problem, self.fix = field, problem, fix
        super().__init__(f"{field}: {problem}" + (f". {fix}" if fix else ""))


class UnknownUser(InvalidInput):
    """The user has no notes here."""

    def __init__(self, user: str) -> None:
        super().__init__(
            "user",
            f"no notes are stored for {user!r}",
            f"Ingest some first: python -m rag_core ingest FOLDER --user {user}",
        )


class NotFound(InvalidInput):
    """The user has nothing of that kind and id; whether somebody else has is not said."""


class Unauthenticated(RagError):
    """No authentication context came with the request, or none that can be believed."""

    exit_code = 2


class InvalidCredential(Unauthenticated):
    """A key or token came that is malformed, forged, expired, revoked or meant for others."""


class PreconditionFailed(RagError):
    """What was to be changed is not what the caller saw; `stored` is its version now, if any."""

    exit_code = 2

    def __init__(self, problem: str, fix: str = "", *, stored: str | None = None) -> None:
        self.problem, self.fix, self.stored = problem, fix, stored
        super().__init__(problem + (f". {fix}" if fix else ""))


class RateLimitExceeded(RagError):
    """The user (or all users together) asked too often; there is room again after a while."""

    exit_code = 4

    def __init__(self, limit: str, scope: str, *, retry_after_s: float) -> None:
        self.limit, self.scope, self.retry_after_s = limit, scope, retry_after_s
        whose = "this user" if scope == "user" else "all users together"
        super().__init__(f"{limit} is the limit of {whose}")


class ConfigurationError(RagError):
    """A setting, or an installed part it names, cannot be used."""

    exit_code = 3

    def __init__(self, setting: str, problem: str, fix: str = "") -> None:
        self.setting, self.problem, self.fix = setting, problem, fix
        super().__init__(f"{setting}: {problem}" + (f". {fix}" if fix else ""))


class EmbedderMismatch(ConfigurationError):
    """The stored chunks were embedded by another model than the one configured."""

    def __init__(self, user: str, stored: str, configured: str) -> None:
        self.user, self.stored, self.configured = user, stored, configured
        super().__init__(
            "RAG_EMBEDDER_MODEL",
            f"the notes of {user!r} were embedded by {stored[:12]}, "
            f"but the configured embedder is {configured[:12]}",
            "Set RAG_EMBEDDER_MODEL back and run: python -m rag_core re-embed --to MODEL;"
            " or ingest the notes again with --re-embed",
        )


class Unavailable(RagError):
    """A part that rag_core depends on cannot be reached at the moment."""

    exit_code = 4

    def __init__(self, problem: str, fix: str = "", *, retry_after_s: float | None = None) -> None:
        self.problem, self.fix, self.retry_after_s = problem, fix, retry_after_s
        super().__init__(problem + (f". {fix}" if fix else ""))


class DatabaseUnavailable(Unavailable):
    """Postgres cannot be reached, or closed the connection."""


class CacheUnavailable(Unavailable):
    """Redis cannot be reached within its time budget, or answered garbage."""


class DeadlineExceeded(Unavailable):
    """The request could not be answered in the time it had."""


class EmbeddedServerError(Unavailable):
    """A server that we start ourselves did not start."""


class Overloaded(Unavailable):
    """So many wait for this part already that another one would wait in vain."""


class BreakerOpen(Unavailable):
    """The part failed too often of late; it is asked again after `retry_after_s`."""


class ProviderUnavailable(Unavailable):
    """The generation provider refused, cut the connection or answered 5xx."""


class ProviderTimeout(ProviderUnavailable):
    """The generation provider did not answer in time."""


class ProviderRateLimited(ProviderUnavailable):
    """The generation provider asked us to slow down; see `retry_after_s`."""


class ProviderLoading(ProviderUnavailable):
    """The provider is loading the model; see `retry_after_s`."""


class ProviderOutOfCredit(ProviderUnavailable):
    """The account with the generation provider has no credit left (402)."""


class BudgetExhausted(ProviderUnavailable):
    """The day's budget of the user, or of all users, does not pay for another call.

    Args:
        scope: `user`, `all`, or `process` where the ledger cannot be reached.
    """

    def __init__(self, scope: str, *, retry_after_s: float | None = None) -> None:
        self.scope = scope
        whose = {"user": "this user's", "all": "the"}.get(scope, "this process's")
        super().__init__(f"{whose} budget of the day is spent", retry_after_s=retry_after_s)


class ProviderError(RagError):
    """The generation provider answered, but the answer is of no use."""

    exit_code = 4

    def __init__(self, problem: str, fix: str = "", *, status: int | None = None) -> None:
        self.problem, self.fix, self.status = problem, fix, status
        super().__init__(problem + (f". {fix}" if fix else ""))


class ProviderRejected(ProviderError):
    """The provider refused the request itself (4xx): wrong credential, model or parameters."""


class ContextOverflow(ProviderRejected):
    """The prompt and the output asked for are more tokens than the model takes."""


class ProviderRefused(ProviderError):
    """The model, or a filter of its provider, refused to answer this prompt."""


class ProviderMisbehaved(ProviderError):
    """The provider's body or stream could not be understood."""
