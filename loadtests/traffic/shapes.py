"""The load tests that there are, by name."""

from __future__ import annotations

from loadtests.traffic.shape import Shape, Trouble, Victim
from loadtests.traffic.stage import Mix, Stage

_NO_ABUSE = Mix(abuse_share=0.0, edit_share=0.0)
_ROOM = {"RAG_PROVIDER_CONCURRENCY": "1000", "RAG_CONCURRENT_QUERIES": "2000"}
"""100 requests/s of which half take 3.5 s are 175 at once, a spike to 500 many more."""


def _warm_up(seconds: float, to_rate: float) -> Stage:
    return Stage(name="warm-up", seconds=seconds, rate=to_rate / 4, to_rate=to_rate, judged=False)


SMOKE = Shape(
    name="smoke",
    story="A minute: does it hold a little, and a spike of three times that?",
    people=60,
    warm_ranks=5,
    stages=(
        _warm_up(10, 15),
        Stage(name="steady", seconds=25, rate=15),
        Stage(name="spike", seconds=5, rate=45),
        Stage(name="after", seconds=20, rate=15),
    ),
)
FULL = Shape(
    name="full",
    story="1,000 people with think time, ten minutes at 100 requests/s, a spike to 500.",
    people=1_000,
    callers=1_000,
    warm_ranks=15,  # chosen, of 150; what can be hit by it, `asked_before` says
    workers=2,
    settings=_ROOM,
    stages=(
        _warm_up(30, 100),
        Stage(name="steady", seconds=300, rate=100),
        Stage(name="spike", seconds=10, rate=500),
        Stage(name="after", seconds=260, rate=100),
    ),
)
PEOPLE = Shape(
    name="people",
    story="1,000 people, each with a minute of thought between two questions on average.",
    people=1_000,
    callers=1_000,
    warm_ranks=3,
    workers=2,
    settings=_ROOM,
    stages=(_warm_up(20, 16.7), Stage(name="steady", seconds=100, rate=16.7)),
)
SUSTAINED = Shape(
    name="sustained",
    story="100 requests/s for two minutes.",
    people=400,
    callers=600,
    warm_ranks=10,
    workers=2,
    settings=_ROOM,
    stages=(_warm_up(20, 100), Stage(name="steady", seconds=120, rate=100)),
)
SPIKE = Shape(
    name="spike",
    story="From 50 requests/s to 500 at once, for ten seconds.",
    people=400,
    callers=1_000,
    warm_ranks=10,
    workers=2,
    settings=_ROOM,
    stages=(
        _warm_up(15, 50),
        Stage(name="steady", seconds=20, rate=50),
        Stage(name="spike", seconds=10, rate=500),
        Stage(name="after", seconds=30, rate=50),
    ),
)
COLD = Shape(
    name="cold",
    story="Every cache is empty: a deployment's first minute.",
    people=200,
    callers=400,
    workers=2,
    settings=_ROOM,
    stages=(Stage(name="cold", seconds=60, rate=20),),
)
WARM = Shape(
    name="warm",
    story="The same minute with the ten most popular questions of each person cached.",
    people=200,
    callers=400,
    warm_ranks=10,
    workers=2,
    settings=_ROOM,
    stages=(Stage(name="warm", seconds=60, rate=20),),
)
PROVIDER_FAILS = Shape(
    name="provider-fails",
    story="The provider answers with errors from half way on, for twenty seconds.",
    people=100,
    warm_ranks=5,
    stages=(_warm_up(10, 15), Stage(name="steady", seconds=80, rate=15)),
    troubles=(Trouble(Victim.PROVIDER, 45.0, 20.0),),
    settings={"RAG_BREAKER_OPEN_S": "5"},
)
POSTGRES_FAILS = Shape(
    name="postgres-fails",
    story="Postgres is killed half way and comes back by recovery.",
    people=100,
    warm_ranks=5,
    stages=(_warm_up(10, 15), Stage(name="steady", seconds=60, rate=15)),
    troubles=(Trouble(Victim.POSTGRES, 40.0),),
)
CHAOS = Shape(
    name="chaos",
    story="kill -9 of a worker, Redis, Postgres and the provider, one after the other.",
    people=100,
    warm_ranks=5,
    workers=2,
    stages=(
        _warm_up(10, 15),
        Stage(name="chaos", seconds=110, rate=15, mix=Mix(edit_share=0.1)),
    ),
    troubles=(
        Trouble(Victim.WORKER, 20.0),
        Trouble(Victim.REDIS, 45.0),
        Trouble(Victim.POSTGRES, 70.0),
        Trouble(Victim.STUB, 95.0, 5.0),
    ),
    settings={"RAG_BREAKER_OPEN_S": "5"},
)
CAPACITY = Shape(
    name="capacity",
    story="What a hit costs, what a miss costs, and whether the two add up in a mix and a spike.",
    people=120,
    callers=400,
    warm_ranks=10,
    settings=_ROOM,
    stages=(
        _warm_up(10, 20),
        Stage(
            name="hits", seconds=20, rate=60,
            mix=Mix(abuse_share=0, edit_share=0, stream_share=0, new_share=0, ranks=10),
        ),
        Stage(
            name="misses", seconds=20, rate=10,
            mix=Mix(abuse_share=0, edit_share=0, stream_share=0, new_share=1),
        ),
        Stage(name="mixed", seconds=40, rate=30, mix=_NO_ABUSE),
        Stage(name="spike", seconds=10, rate=90, mix=_NO_ABUSE),
        Stage(name="after", seconds=20, rate=30, mix=_NO_ABUSE),
    ),
)  # fmt: skip

SHAPES = {
    each.name: each
    for each in (
        *(SMOKE, FULL, PEOPLE, SUSTAINED, SPIKE, COLD, WARM),
        *(PROVIDER_FAILS, POSTGRES_FAILS, CHAOS, CAPACITY),
    )
}
