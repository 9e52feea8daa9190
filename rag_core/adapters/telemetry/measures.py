"""What is measured: every name with its labels; together at most `MAX_SERIES` series."""

from __future__ import annotations

from typing import get_args

from rag_core import events
from rag_core.adapters.telemetry.measure import Label, Measure, closed
from rag_core.domain.answer import Provenance

MAX_SERIES = 300
"""More than that is not exported, by one process or by all workers of one together; required."""

_OURS = (
    *("DatabaseUnavailable", "DeadlineExceeded", "Overloaded", "BreakerOpen"),
    *("ProviderUnavailable", "ProviderTimeout", "ProviderRateLimited", "BudgetExhausted"),
    *("ProviderError", "ProviderRejected", "ConfigurationError"),
)
_CALLERS = ("InvalidInput", "cancelled")
_FOLDED = {"UnknownUser": "InvalidInput", "EmbedderMismatch": "ConfigurationError"}

_PROVENANCE = closed("provenance", *Provenance)
_VARIANT = closed("variant", *get_args(events.Variant))
_ERROR = Label(name="error", values=(*_OURS, *_CALLERS), folded=_FOLDED)
_PROVIDER = Label(name="provider", room=4)
_LEVEL = closed("level", *get_args(events.Level))
_STATUS = Label(
    name="status",
    values=("2xx", "3xx", "400", "401", "404", "412", "413", "429", "499", "4xx", "500", "503"),
)
_ROUTE = Label(
    name="route",
    values=(
        *("/assistant/query", "/assistant/stats", "/assistant/limits", "/notes", "/notes/{id}"),
        "/imports/{id}",
    ),
)

QUERY_SECONDS = Measure(
    name="assistant_query_duration_seconds",
    kind="histogram",
    help="From a question's arrival to its whole answer, by where the answer came from",
    labels=(_PROVENANCE,),
    buckets=(0.005, 0.05, 0.5, 2.5, 5.0, 10.0, 30.0),
)
VARIANT_SECONDS = Measure(
    name="assistant_variant_duration_seconds",
    kind="summary",
    help="Questions answered and failed by the stable pipeline and by the canary, and their time",
    labels=(_VARIANT, closed("outcome", "answered", "failed")),
)
QUERIES = Measure(
    name="assistant_queries_total",
    kind="counter",
    help="Questions answered, by where the answer came from and by which pipeline",
    labels=(_PROVENANCE, _VARIANT),
)
ERRORS = Measure(
    name="assistant_errors_total",
    kind="counter",
    help="Questions that got no answer; InvalidInput and cancelled are the caller's doing",
    labels=(_ERROR,),
)
TOKENS = Measure(
    name="assistant_query_tokens_total",
    kind="counter",
    help="Tokens that answers have used",
    labels=(closed("direction", "input", "output"),),
)
TRUNCATIONS = Measure(
    name="assistant_truncations_total",
    kind="counter",
    help="Answers to a question that was cut, and answers that were cut themselves",
    labels=(closed("what", "question", "output"),),
)
NO_CONTEXT_RATE = Measure(
    name="assistant_no_context_rate",
    kind="gauge",
    help="Share of all answers so far for which the notes held nothing, 0 to 1",
)
REFUSALS = Measure(
    name="assistant_refusals_total",
    kind="counter",
    help="Questions refused as an attack, and completions withheld as they leaked the rules",
    labels=(closed("reason", "attack", "leak"),),
)
LOOKUPS = Measure(
    name="assistant_cache_lookups_total",
    kind="counter",
    help="Looks into a cache by what came of them; one that was unavailable is a miss, too",
    labels=(_LEVEL, closed("outcome", *get_args(events.LookupOutcome))),
)
HIT_RATE = Measure(
    name="assistant_cache_hit_rate",
    kind="gauge",
    help="Share of all looks into a cache so far that spared the work, 0 to 1",
    labels=(_LEVEL,),
)
SAVED_SECONDS = Measure(
    name="assistant_cache_saved_seconds_total",
    kind="counter",
    help="What answers from the cache took to make the first time",
)
SAVED_USD = Measure(
    name="assistant_cache_saved_usd_total",
    kind="counter",
    help="What answers from the cache cost the first time",
)
STEP_SECONDS = Measure(
    name="assistant_step_duration_seconds",
    kind="summary",
    help="Steps of the pipeline; the search has a histogram of its own",
    labels=(closed("step", "answer_cache", "embed", "context", "generate", "store", "ladder"),),
)
SEARCH_SECONDS = Measure(
    name="vector_search_duration_seconds",
    kind="histogram",
    help="Searches of a user's chunks, waiting for a connection included",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.025, 0.1, 0.5),
)
SHORT_SEARCHES = Measure(
    name="vector_search_short_results_total",
    kind="counter",
    help="Searches by index that found fewer chunks than there were to find",
)
BREAKER = Measure(
    name="assistant_breaker_state",
    kind="gauge",
    help="0 closed, 1 half-open, 2 open, as the last worker saw it that made a call",
    labels=(Label(name="dependency", room=6),),
)
OPENED = Measure(
    name="assistant_breaker_opened_total",
    kind="counter",
    help="Times that a worker saw a breaker open",
    labels=(Label(name="dependency", room=6),),
)
PROVIDER_SECONDS = Measure(
    name="assistant_provider_duration_seconds",
    kind="histogram",
    help="Calls of a provider, however they ended",
    labels=(_PROVIDER,),
    buckets=(0.5, 2.0, 5.0, 10.0, 30.0),
)
GENERATION_FAILURES = Measure(
    name="assistant_generation_failures",
    kind="counter",
    help="Calls of a provider that failed",
    labels=(_PROVIDER,),
)
PROVIDER_ERRORS = Measure(
    name="assistant_provider_errors_total",
    kind="counter",
    help="Calls of providers that failed, by error, and those that nobody waited for",
    labels=(
        Label(
            name="error",
            values=(
                *("ProviderUnavailable", "ProviderTimeout", "ProviderRateLimited", "BreakerOpen"),
                *("ProviderLoading", "ProviderOutOfCredit", "BudgetExhausted", "Overloaded"),
                *("ProviderRejected", "ContextOverflow", "ProviderRefused", "cancelled"),
                *("ProviderMisbehaved", "DeadlineExceeded"),
            ),
        ),
    ),
)
HEDGES = Measure(
    name="assistant_hedged_calls_total",
    kind="counter",
    help="Calls of a provider that were made because another one was slow",
)
SPEND = Measure(
    name="assistant_spend_usd_total",
    kind="counter",
    help="What settled calls have cost, as this app's processes settled them",
    labels=(_PROVIDER,),
)
DAY_COST = Measure(
    name="assistant_api_cost_usd",
    kind="gauge",
    help="What all users' calls of this day of UTC have cost, by the cost book in Postgres",
)
TOP_USER_COST = Measure(
    name="assistant_top_user_cost_usd",
    kind="gauge",
    help="What the day's calls of the user who spent most have cost, by the cost book",
)
USERS_OVER = Measure(
    name="assistant_users_over_budget",
    kind="gauge",
    help="How many users have spent their day's budget, by the cost book",
)
BUDGET_USED = Measure(
    name="assistant_budget_used_share",
    kind="gauge",
    help="Share of the day's budget of all users that is spent or held, from 0",
)
HOLDS = Measure(
    name="assistant_holds_total",
    kind="counter",
    help="Paid calls that asked for money before: held, of the allowance, or refused and by whose",
    labels=(
        closed("outcome", "held", "allowance", "refused_user", "refused_all", "refused_process"),
    ),
)
BUDGET_ALERTS = Measure(
    name="assistant_budget_alerts_total",
    kind="counter",
    help="Alerts about money that owners were told",
    labels=(closed("scope", "user", "all"),),
)
UNDELIVERED = Measure(
    name="assistant_alerts_undelivered_total",
    kind="counter",
    help="Alerts about money that did not reach a listener",
)
RATE_LIMITED = Measure(
    name="assistant_rate_limit_hits",
    kind="counter",
    help="Questions turned away as their user, or all users, asked too often",
    labels=(closed("scope", "user", "all"),),
)
IN_FLIGHT = Measure(
    name="assistant_concurrent_queries",
    kind="level",
    help="Questions under way over HTTP",
)
SHED = Measure(
    name="assistant_shed_queries_total",
    kind="counter",
    help="Questions turned away as too many were under way, or waited for the embedder",
)
CONCURRENCY_LIMIT = Measure(
    name="assistant_concurrency_limit",
    kind="gauge",
    help="How many questions a worker let in at once when one last turned some away",
)
EPOCH_SECONDS = Measure(
    name="assistant_epoch_read_seconds",
    kind="summary",
    help="Reads of epochs in Postgres, each for all who asked meanwhile",
    labels=(closed("outcome", "ok", "unavailable"),),
)
EPOCH_USERS = Measure(
    name="assistant_epoch_users_total",
    kind="counter",
    help="Users whose epochs those reads asked for",
)
POOL_SECONDS = Measure(
    name="assistant_pool_wait_seconds",
    kind="summary",
    help="Waits for a connection to Postgres",
    labels=(closed("pool", "read", "write"),),
)
DOCUMENTS_WAITING = Measure(
    name="assistant_documents_waiting",
    kind="gauge",
    help="Versions of documents that wait to be read",
)
DOCUMENTS_OLDEST = Measure(
    name="assistant_documents_oldest_wait_seconds",
    kind="gauge",
    help="How long the first of them has waited",
)
RESPONSES = Measure(
    name="assistant_http_responses_total",
    kind="counter",
    help="Responses by status; 499: the client went away",
    labels=(_STATUS,),
)
HTTP_SECONDS = Measure(
    name="assistant_http_request_duration_seconds",
    kind="summary",
    help="Requests from the first byte to the last, by the route's pattern",
    labels=(_ROUTE,),
)
LIMITS_UNKNOWN = Measure(
    name="assistant_rate_limits_unknown_total",
    kind="counter",
    help="Questions let in without being counted, as Redis could not be asked",
)
SIGNING_KEYS = Measure(
    name="assistant_signing_keys_fetched_total",
    kind="counter",
    help="Times that the keys of bearer tokens were fetched from the identity provider",
    labels=(closed("outcome", "ok", "failed"),),
)

DERIVED = (HIT_RATE, NO_CONTEXT_RATE)
"""Made of others when they are looked at, over all workers together."""

RECORDED = tuple(
    each for each in list(globals().values()) if isinstance(each, Measure) and each not in DERIVED
)
"""Every other one, in order of their definition."""
