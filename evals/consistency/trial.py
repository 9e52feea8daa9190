"""One trial: clients that ask and change notes through many workers, amid all kinds of trouble."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from evals.consistency.database import backstage, own_database
from evals.consistency.faults import Fault
from evals.consistency.history import ABSENT, History, mentions
from evals.consistency.result import TrialResult
from evals.consistency.sql import sql_editor
from evals.consistency.trouble import Trouble
from evals.consistency.valkeys import valkey_pair
from evals.consistency.workers import SETTINGS, Surroundings, Worker, hire
from evals.consistency.world import Actions, Pauses
from evals.consistency.writers import TOPICS, USERS, Writers
from rag_core.adapters.embedders import HashingEmbedder
from rag_core.adapters.llama_tokenizer import LlamaTokenizer
from rag_core.cli import progress_bar
from rag_core.domain import Answer, UserId
from rag_core.errors import Unavailable
from rag_core.pipeline import Pipeline

CLIENTS = 48
"""Chosen."""

HANGS_S = 60.0
"""What takes longer would never end."""

DECK = 2_000
"""Steps in which what happens once in 2,000 happens once."""

HOT = 0.5
"""Share of the questions that are about the note changed last: there a cache errs first."""


class Trial:
    """Clients over workers; what they see is judged by one history."""

    def __init__(
        self,
        workers: Sequence[Worker],
        history: History,
        chance: random.Random,
        result: TrialResult,
    ) -> None:
        self._workers = workers
        self._history = history
        self._chance = chance
        self.result = result

    async def run(self, others: Actions, *, steps: int, until_wrong: bool) -> None:
        """All steps, by clients at the same time; they ask, or do what `others` do."""
        shares = {self.ask: 100 - sum(others.values()), **others}
        deck = _decks(shares, self._chance)
        result = self.result
        result.events |= {action.__name__: 0 for action in shares}

        async def client() -> None:
            while result.steps < steps and not (until_wrong and result.wrong):
                result.steps += 1
                bar.update(1)
                action = next(deck)
                result.events[action.__name__] += 1
                async with asyncio.timeout(HANGS_S):
                    await action()

        with progress_bar(steps, "trial", "step") as bar:
            async with asyncio.TaskGroup() as group:
                for _ in range(CLIENTS):
                    group.create_task(client())

    async def ask(self) -> None:
        """Somebody asks; now and then goes away before the answer comes."""
        user, topic = self._chance.choice(USERS), self._chance.choice(TOPICS)
        if self._history.latest and self._chance.random() < HOT:
            user, topic = self._history.latest
        worker = self._chance.choice(self._workers)
        asking = asyncio.create_task(self._ask(worker, user, topic))
        if self._chance.random() < 0.02:
            await asyncio.sleep(0.01 * self._chance.random())
            asking.cancel()
            self.result.events["went away"] += 1
        await asyncio.wait([asking])
        if not asking.cancelled():
            asking.result()

    async def _ask(self, worker: Worker, user: UserId, topic: str) -> None:
        first = self._history.tick()
        if late_s := worker.settings.max_staleness_s:
            first = worker.clock.tick_after(worker.clock.monotonic() - late_s)
        question = f"What did I note about {topic}?"
        streamed = self._chance.random() < 0.2
        try:
            answer = await _answer(worker.pipeline, question, user, streamed=streamed)
        except Unavailable as error:
            self.result.unavailable[type(error).__name__] += 1
            return
        (self.result.late if late_s else self.result.provenances)[answer.provenance] += 1
        self._judge(user, topic, answer, first)

    def _judge(self, user: UserId, topic: str, answer: Answer, first: int) -> None:
        """Its evidence stood at one moment since `first`, and what was there was found."""
        seen = mentions(answer.text)
        if any(mention.user != user for mention in seen):
            self.result.other_user += 1
            self.result.explain(f"{user} was told {answer.text}")
        claims = {topic: ABSENT} | {mention.note: mention.version for mention in seen}
        last = self._history.tick()
        if not self._history.allows(user, claims, first=first, last=last):
            self.result.changed_evidence += 1
            account = self._history.account(user, claims)
            self.result.explain(
                f"{answer.provenance} to {user} from {first} to {last}: {claims}. {account}"
            )


def _decks(shares: Actions, chance: random.Random) -> Iterator[Callable[[], Awaitable[None]]]:
    """What to do next, for ever: in each `DECK` steps every action comes as often as its share.

    Drawn freely, the rarest would be missing from one short trial in fifty.
    """
    deck = [action for action, share in shares.items() for _ in range(round(share * DECK / 100))]
    while True:
        chance.shuffle(deck)
        yield from deck


async def _answer(pipeline: Pipeline, question: str, user: UserId, *, streamed: bool) -> Answer:
    if not streamed:
        return await pipeline.answer(question, user)
    async with aclosing(pipeline.stream(question, user)) as parts:
        return [part async for part in parts if isinstance(part, Answer)][-1]


async def try_to_break(
    server_url: str, *, steps: int, seed: int, fault: Fault = Fault.NONE
) -> TrialResult:
    """Run one trial in a database of its own on that server, and two Valkeys.

    With a fault it ends with the first wrong answer.
    """
    began = time.monotonic()
    history, result, chance = History(), TrialResult(), random.Random(seed)
    async with _world(server_url, history, result, chance, fault) as (workers, others):
        trial = Trial(workers, history, chance, result)
        await trial.run(others, steps=steps, until_wrong=fault is not Fault.NONE)
    result.seconds = time.monotonic() - began
    return result


@asynccontextmanager
async def _world(
    server_url: str, history: History, result: TrialResult, chance: random.Random, fault: Fault
) -> AsyncIterator[tuple[list[Worker], Actions]]:
    """Servers, workers, and what may happen to them."""
    pauses = Pauses(chance)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="trial-")))
        url = await stack.enter_async_context(own_database(server_url))
        operator = await stack.enter_async_context(backstage(url))
        await operator.add_users(USERS, HashingEmbedder().digest)
        if fault is Fault.TRIGGER:
            await operator.blunt_triggers()
        editor = await stack.enter_async_context(sql_editor(url, pauses))
        valkeys = await stack.enter_async_context(valkey_pair(folder, chance))
        tokenizer = LlamaTokenizer()
        workers = []
        for number, settings in enumerate(SETTINGS):
            own = folder / str(number)
            own.mkdir()
            around = Surroundings(
                url, valkeys.primary.url, own, chance, pauses, history.tick, tokenizer, fault
            )
            workers.append(await stack.enter_async_context(hire(settings, around)))
        writers = Writers(history, workers, editor, operator, chance, result)
        trouble = Trouble(workers, valkeys, operator, chance)
        yield workers, writers.actions | trouble.actions
