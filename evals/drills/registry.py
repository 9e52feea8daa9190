"""All drills, each with what goes wrong and what is supposed to come of it."""

from __future__ import annotations

from evals.drills.drill import Drill, Phase
from evals.drills.limit import Limit
from evals.drills.limits import (
    answered,
    calls_in_trouble,
    calls_once_open,
    degraded_quality,
    ended_as,
    given_again,
    only_unavailable,
    p99,
    p99_once_open,
    past_cap,
    recovered,
    slowest,
    slowest_by_provider,
    taken_back,
    unbooked,
    unmarked,
    wrong_facts,
)
from evals.drills.run import DrillRun
from evals.drills.troubles import (
    budget_spent,
    postgres_frozen,
    provider_does,
    provider_gone_for_an_hour,
    redis_frozen,
    redis_killed,
)
from loadtests.stub_provider import (
    ConfidentlyWrong,
    CutMidStream,
    Garbage,
    Hang,
    Loading,
    OutOfCredit,
    RateLimit,
    Say,
    ServerError,
)
from rag_core.adapters.redis import LEDGER_TIMEOUT_S
from rag_core.domain import Provenance
from rag_core.errors import InvalidInput
from rag_core.settings import Settings

DATABASE_TIMEOUT_S = 0.5
"""Of the drill that freezes Postgres; deployed are 2 s."""
CAP_USD = 0.5
"""A day, in the drill that spends it."""
_LONG = (
    "Your notes speak of this in more than one place, and say the same in each of them [1]. " * 9
)
_ANY = tuple(map(str, Provenance))


def _no_provider(*special: Limit) -> tuple[Limit, ...]:
    """What is supposed where no provider answers, beside what is special to the trouble."""
    return (*special, answered(), degraded_quality(), recovered(3.0), unbooked())


def _no_redis() -> tuple[Limit, ...]:
    """What is supposed where Redis does not answer: once it is given up, nobody notices."""
    return (
        p99_once_open(of="redis", settled_s=LEDGER_TIMEOUT_S),
        slowest("what may be waited for Redis", _redis_waits_s),
        answered(),
        ended_as(Provenance.DEGRADED, most=0),
        taken_back("redis", 3.0),
        unbooked(),
    )


def _redis_waits_s(run: DrillRun) -> float:
    """What a request may wait for caches, and a paid call for the ledger, before doing without."""
    return LEDGER_TIMEOUT_S + Settings().redis_budget_s


_OPENS = (p99_once_open(), calls_once_open())
"""Of a provider whose failures open its breaker."""
_IS_LEFT_ALONE = (slowest_by_provider(), calls_in_trouble())
"""Of a provider that says how long it is to be left alone."""

_ALL = (
    Drill(
        name="provider-500s",
        title="The provider answers 500, for good",
        story="Every call to the only provider fails with a 500.",
        trouble=provider_does(ServerError()),
        limits=_no_provider(*_OPENS),
        lasts={"long": 10.0},
    ),
    Drill(
        name="provider-hangs",
        title="The provider hangs",
        story="The only provider takes each call and says nothing.",
        trouble=provider_does(Hang()),
        limits=_no_provider(p99_once_open(probes=False), slowest_by_provider(), calls_once_open()),
        lasts={"smoke": 1.5},
    ),
    Drill(
        name="provider-429s",
        title="A storm of 429",
        story="The only provider answers 429 and asks to be left alone for a second.",
        trouble=provider_does(RateLimit(retry_after_s=1)),
        limits=_no_provider(*_IS_LEFT_ALONE),
    ),
    Drill(
        name="provider-garbage",
        title="The provider answers garbage",
        story="The only provider answers 200 with HTML.",
        trouble=provider_does(Garbage()),
        limits=_no_provider(*_OPENS),
    ),
    Drill(
        name="provider-cuts",
        title="The provider cuts streams",
        story="The only provider closes the connection after 60 tokens of each stream.",
        trouble=provider_does(Say(text=_LONG), CutMidStream(after_tokens=60)),
        streamed=True,
        limits=_no_provider(*_OPENS, unmarked()),
    ),
    Drill(
        name="provider-402",
        title="The provider's credit is spent",
        story="The only provider answers 402.",
        trouble=provider_does(OutOfCredit()),
        limits=_no_provider(*_OPENS),
    ),
    Drill(
        name="provider-loading",
        title="The provider loads its model",
        story="The only provider answers 503: the model is loaded in half a second.",
        trouble=provider_does(Loading(estimated_time=0.5)),
        limits=_no_provider(*_IS_LEFT_ALONE),
    ),
    Drill(
        name="provider-back-after-an-hour",
        title="The provider is back after an hour",
        story="The only provider answers 503, asks to be left alone for an hour, and is well then.",
        trouble=provider_gone_for_an_hour(ServerError(status=503, retry_after_s=3_600)),
        limits=_no_provider(*_IS_LEFT_ALONE),
        simulated="The hour passes at once, at the end of the trouble: our clock is set ahead.",
    ),
    Drill(
        name="provider-wrong",
        title="The provider is confidently wrong",
        story="The only provider says the contrary of the first source, and cites it.",
        trouble=provider_does(ConfidentlyWrong()),
        probes={"smoke": 24},
        limits=(
            p99(200.0, Phase.TROUBLE),
            answered(),
            wrong_facts(0.5),
            given_again(least=1),
            ended_as(Provenance.DEGRADED, most=0),
            unbooked(),
        ),
    ),
    Drill(
        name="budget-spent",
        title="The day's budget is spent",
        story="Another worker spends what is left of the day's budget; then the owner raises it.",
        trouble=budget_spent(raised_to_usd=2 * CAP_USD),
        limits=_no_provider(p99(200.0, Phase.TROUBLE), calls_in_trouble(most=0), past_cap(CAP_USD)),
        lasts={"smoke": 1.6},
        settings={
            "budget_all_usd": CAP_USD,
            "budget_allowance_usd": 0.01,
            "budget_processes": 2,
        },
    ),
    Drill(
        name="redis-frozen",
        title="Redis is frozen",
        story="Redis is stopped by SIGSTOP: it takes connections and answers nothing.",
        trouble=redis_frozen,
        limits=_no_redis(),
    ),
    Drill(
        name="redis-killed",
        title="Redis is killed",
        story="Redis is killed, and starts again empty.",
        trouble=redis_killed,
        limits=_no_redis(),
    ),
    Drill(
        name="postgres-frozen",
        title="Postgres is frozen, killed and restarted",
        story="Postgres is stopped by SIGSTOP, then killed, then started again.",
        trouble=postgres_frozen,
        limits=(
            slowest("the database's timeout", lambda _: DATABASE_TIMEOUT_S),
            only_unavailable(),
            ended_as(*_ANY, most=0),
            recovered(2.0, by=_ANY),
            calls_in_trouble(most=0),
            unbooked(),
        ),
        settings={"database_timeout_s": DATABASE_TIMEOUT_S},
    ),
)

DRILLS = {drill.name: drill for drill in _ALL}
"""By name."""

ALL = "all"


def chosen(name: str) -> tuple[Drill, ...]:
    """The drill of that name, or all.

    Raises:
        InvalidInput: there is no such drill.
    """
    if name == ALL:
        return _ALL
    if name not in DRILLS:
        raise InvalidInput("NAME", f"{name!r} is no drill", f"Drills: {ALL}, {', '.join(DRILLS)}")
    return (DRILLS[name],)
