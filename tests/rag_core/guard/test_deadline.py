"""The deadline of a request, and a timeout that a busy event loop does not set off."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable

import pytest

from rag_core.clock import ManualClock
from rag_core.guard import CURRENT_DEADLINE, Deadline, PatientTimeout, seconds_left


def test_a_deadline_comes_nearer_and_stays_when_it_is_there() -> None:
    clock = ManualClock()
    deadline = Deadline(10.0, clock)
    left = []
    for _ in range(3):
        left.append(deadline.left_s())
        clock.advance(6)
    assert left == [10.0, 4.0, 0.0]


def test_without_a_deadline_a_call_may_take_the_most_there_is() -> None:
    assert seconds_left(2.0) == 2.0


def test_a_call_may_take_what_its_request_has_left_if_that_is_less() -> None:
    clock = ManualClock()
    with Deadline(10.0, clock).applied():
        assert seconds_left(2.0) == 2.0
        clock.advance(9)
        assert seconds_left(2.0) == 1.0
        clock.advance(9)
        assert seconds_left(2.0) == 0.0
    assert seconds_left(2.0) == 2.0


def test_an_error_within_the_block_ends_it_all_the_same() -> None:
    with pytest.raises(KeyError), Deadline(1.0, ManualClock()).applied():
        raise KeyError("broken")
    assert CURRENT_DEADLINE.get() is None


async def test_requests_at_once_have_deadlines_of_their_own_and_so_have_their_tasks() -> None:
    clock = ManualClock()

    async def call() -> float:
        await asyncio.sleep(0)
        return seconds_left(99)

    async def request(seconds: float) -> tuple[float, float]:
        with Deadline(seconds, clock).applied():
            return await call(), await asyncio.create_task(call())

    assert list(await asyncio.gather(request(1), request(2))) == [(1, 1), (2, 2)]


# Patience

BUSY_S = 0.5
"""For so long a test holds the event loop, as a long computation would."""


Pipe = tuple[asyncio.StreamReader, Callable[[bytes], int]]


@pytest.fixture
async def pipe() -> AsyncIterator[Pipe]:
    """What the event loop reads, and how to write it without the event loop."""
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=ours)
    with theirs:
        yield reader, theirs.send
    writer.close()
    await writer.wait_closed()


async def test_what_ends_in_time_is_left_alone() -> None:
    async with PatientTimeout(30):
        await asyncio.sleep(0)


async def test_what_takes_too_long_is_ended() -> None:
    ended = asyncio.Event()

    async def endless() -> None:
        async with PatientTimeout(0.001):
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

    with pytest.raises(TimeoutError):
        await endless()
    assert ended.is_set()


async def test_no_time_at_all_is_a_timeout() -> None:
    with pytest.raises(TimeoutError):
        async with PatientTimeout(0):
            await asyncio.Event().wait()


async def test_a_reply_that_came_while_the_loop_was_busy_counts(pipe: Pipe) -> None:
    """Nobody read it, but it was there in time: the server is not to blame."""
    read, write = pipe
    async with PatientTimeout(BUSY_S / 10):
        reading = asyncio.ensure_future(read.readline())
        await asyncio.sleep(0)
        write(b"reply\n")
        time.sleep(BUSY_S)  # noqa: ASYNC251 - being busy, not waiting
        assert await reading == b"reply\n"


async def test_time_in_which_the_loop_was_busy_is_given_back(pipe: Pipe) -> None:
    """Once: what took too long by our own fault may take as long again."""
    read, write = pipe
    async with PatientTimeout(BUSY_S / 10) as patience:
        asyncio.get_running_loop().call_later(BUSY_S + BUSY_S / 10, write, b"reply\n")
        time.sleep(BUSY_S)  # noqa: ASYNC251 - being busy, not waiting
        assert await read.readline() == b"reply\n"
    assert patience.late_s >= BUSY_S - 2 * BUSY_S / 10


async def test_a_reply_that_is_read_in_the_last_turn_of_the_loop_counts(pipe: Pipe) -> None:
    """It has woken the block already, which merely had no turn yet."""
    read, write = pipe
    loop = asyncio.get_running_loop()

    def busy() -> None:
        write(b"reply\n")
        time.sleep(BUSY_S / 10)

    async with PatientTimeout(BUSY_S / 10):
        loop.call_later(BUSY_S / 10, busy)  # right after the timer, so during its grace
        assert await read.readline() == b"reply\n"


async def test_a_reply_that_has_not_come_when_the_loop_is_free_again_does_not(
    pipe: Pipe,
) -> None:
    """However busy it was."""
    read, _ = pipe

    async def busy() -> None:
        async with PatientTimeout(BUSY_S / 10):
            await asyncio.sleep(0)
            time.sleep(BUSY_S)  # noqa: ASYNC251 - being busy, not waiting
            await read.readline()

    with pytest.raises(TimeoutError):
        await busy()


async def test_a_cancellation_from_outside_stays_one() -> None:
    async def waiting() -> None:
        async with PatientTimeout(30):
            await asyncio.Event().wait()

    task = asyncio.create_task(waiting())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


async def test_an_error_of_the_block_comes_through() -> None:
    with pytest.raises(KeyError):
        async with PatientTimeout(30):
            raise KeyError("broken")


async def test_the_timer_of_a_block_that_is_over_does_nothing_any_more() -> None:
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, said: complaints.append(said))
    async with PatientTimeout(0.001):
        pass
    await asyncio.sleep(0.01)
    assert complaints == []
