"""The stub provider does what it is told, to the calls it is told, and counts what came of it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import httpx2
import pytest

from loadtests.stub_provider import (
    BEHAVIOURS,
    ConfidentlyWrong,
    Garbage,
    Hang,
    Obey,
    RateLimit,
    Say,
    ServerError,
    SlowDrip,
    StubProvider,
    running_stub,
)

NOTES = "<notes>\n[1] Noah | 2020\nNoah was\nold. He built.\n\n[2] Ruth\nShe stayed.\n</notes>"
STUB = (sys.executable, "-m", "loadtests.stub_provider")


@pytest.fixture
async def stub() -> AsyncGenerator[StubProvider, None]:
    async with running_stub() as started:
        yield started


@pytest.fixture
async def http() -> AsyncGenerator[httpx2.AsyncClient, None]:
    async with httpx2.AsyncClient(timeout=60) as client:
        yield client


def body(**more: Any) -> dict[str, Any]:
    rules = {"role": "system", "content": "Cite like this:\n[1] or\n[2][3]."}
    return {"model": "m", "messages": [rules, {"role": "user", "content": NOTES}], **more}


async def ask(http: httpx2.AsyncClient, stub: StubProvider, **more: Any) -> httpx2.Response:
    return await http.post(f"{stub.url}/chat/completions", json=body(**more))


async def said(http: httpx2.AsyncClient, stub: StubProvider, **more: Any) -> str:
    answer = (await ask(http, stub, **more)).json()
    return str(answer["choices"][0]["message"]["content"])


async def statuses(http: httpx2.AsyncClient, stub: StubProvider, calls: int) -> list[int]:
    return [(await ask(http, stub)).status_code for _ in range(calls)]


async def test_without_a_script_it_quotes_the_first_source(
    stub: StubProvider, http: httpx2.AsyncClient
) -> None:
    assert await said(http, stub) == "Noah was old. [1]"
    assert await said(http, stub, messages=[]) == "Your notes do not answer this."


async def test_confidently_wrong_is_the_contrary_or_something_else(
    stub: StubProvider, http: httpx2.AsyncClient
) -> None:
    await stub.behave(ConfidentlyWrong())
    assert await said(http, stub) == "Noah was not old. [1]"
    await stub.behave(ConfidentlyWrong("unrelated"))
    answer = await said(http, stub)
    assert "Noah" not in answer
    assert answer.endswith(" [1]")


async def test_an_obeying_one_quotes_what_was_asked_for_in_as_many_sentences_as_the_rules_allow(
    stub: StubProvider, http: httpx2.AsyncClient
) -> None:
    await stub.behave(Obey())

    async def answer(question: str, rules: str = "Cite like [1].") -> str:
        turns = [
            {"role": "system", "content": rules},
            {"role": "user", "content": f"{NOTES}\n\nQuestion: {question}"},
        ]
        return await said(http, stub, messages=turns)

    assert await answer("Who stayed, and who built?") == "He built. [1]\nShe stayed. [2]"
    one = await answer("Who stayed, and who built?", "Answer in at most one sentence.")
    assert one == "He built. [1]"
    assert await answer("Which railways closed?") == "Your notes do not answer this."


async def test_a_window_counts_calls_since_the_script_came_into_force(
    stub: StubProvider, http: httpx2.AsyncClient
) -> None:
    for _ in range(2):
        await stub.behave(ServerError(from_call=1, until_call=3))
        assert await statuses(http, stub, 4) == [200, 500, 500, 200]


async def test_a_share_of_calls_is_the_same_with_the_same_seed(
    stub: StubProvider, http: httpx2.AsyncClient
) -> None:
    drawn = []
    for seed in (1, 1, 2):
        await stub.behave(ServerError(503, share=0.5, seed=seed))
        drawn.append(await statuses(http, stub, 30))
    assert drawn[0] == drawn[1] != drawn[2]
    assert set(drawn[0]) == {200, 503}


async def test_of_behaviours_that_contradict_the_last_holds_and_others_add_up(
    stub: StubProvider, http: httpx2.AsyncClient
) -> None:
    await stub.behave(Say("once"), Say("twice", until_call=1), RateLimit(3, from_call=2))
    assert [await said(http, stub), await said(http, stub)] == ["twice", "once"]
    limited = await ask(http, stub)
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "3")


async def test_a_stream_gives_the_same_answer_and_its_usage_only_when_asked(
    stub: StubProvider, http: httpx2.AsyncClient
) -> None:
    plain = await ask(http, stub, stream=True, max_tokens=2)
    counted = await ask(http, stub, stream=True, stream_options={"include_usage": True})
    *_, done = events = [e.removeprefix("data: ") for e in plain.text.strip().split("\n\n")]
    chunks = [json.loads(each) for each in events[:-1]]
    deltas = [each["choices"][0]["delta"].get("content", "") for each in chunks]
    assert (done, "".join(deltas)) == ("[DONE]", "Noah was")
    assert chunks[-1]["choices"][0]["finish_reason"] == "length"
    assert "usage" not in plain.text
    usage = json.loads(counted.text.strip().split("\n\n")[-2].removeprefix("data: "))
    assert usage["choices"] == []
    assert usage["usage"] == (await ask(http, stub)).json()["usage"]


async def test_what_is_billed_is_what_the_answers_say_and_nothing_for_errors(
    stub: StubProvider, http: httpx2.AsyncClient
) -> None:
    usage = (await ask(http, stub)).json()["usage"]
    await stub.behave(ServerError())
    await ask(http, stub)
    calls = await stub.calls()
    billed = (calls.input_tokens, calls.output_tokens)
    assert billed == (usage["prompt_tokens"], usage["completion_tokens"])
    assert calls.by_status == {200: 1, 500: 1}
    assert calls.by_behaviour == {"server_error": 1}
    await stub.reset_calls()
    assert (await stub.calls()).total == 0


async def test_calls_in_flight_and_those_that_left_are_seen(
    stub: StubProvider, http: httpx2.AsyncClient
) -> None:
    await stub.behave(Hang())
    asked = [asyncio.create_task(ask(http, stub)) for _ in range(3)]
    while (await stub.calls()).in_flight < 3:
        pass
    for each in asked:
        each.cancel()
    await asyncio.gather(*asked, return_exceptions=True)
    while (calls := await stub.calls()).in_flight:
        pass
    assert (calls.most_in_flight, calls.left_early, calls.answered) == (3, 3, 0)


async def test_a_script_that_cannot_be_played_is_refused_and_the_old_one_stays(
    stub: StubProvider, http: httpx2.AsyncClient
) -> None:
    control = stub.url.replace("/v1", "/control")
    await stub.behave(Say("still"))
    for wrong in [{"behaviour": "hnag"}, {"behaviour": "hang", "shrae": 1}, {"behaviour": "say"}]:
        refused = await http.put(control, json={"behaviours": [wrong]})
        assert refused.status_code == 422
        assert "confidently_wrong" in refused.json()["error"], "it lists what there is"
    with pytest.raises(ValueError, match="share"):
        await stub.behave(Hang(share=2))
    assert await said(http, stub) == "still"


async def test_the_control_endpoint_and_the_help_explain_every_behaviour(
    stub: StubProvider, http: httpx2.AsyncClient
) -> None:
    await stub.behave(Garbage("other_shape"), SlowDrip())
    shown = (await http.get(stub.url.replace("/v1", "/control"))).json()
    assert [each["behaviour"] for each in shown["behaviours"]] == ["garbage", "slow_drip"]
    command = (sys.executable, "-m", "loadtests.stub_provider", "--help")
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    printed = (await process.communicate())[0].decode()
    for name, kind in BEHAVIOURS.items():
        assert str(kind.__doc__) in shown["known"][name]
        assert str(kind.__doc__) in printed


async def test_a_request_that_is_none_is_refused(
    stub: StubProvider, http: httpx2.AsyncClient
) -> None:
    for content in (b"", b"[]", b'{"messages": 7}'):
        refused = await http.post(f"{stub.url}/chat/completions", content=content)
        assert refused.status_code == 400


async def test_sigterm_ends_the_command_cleanly_even_while_a_call_hangs(
    http: httpx2.AsyncClient,
) -> None:
    started = await asyncio.create_subprocess_exec(
        *(*STUB, "--port", "0", "--behaviour", "hang"), stdout=subprocess.PIPE
    )
    assert started.stdout
    addresses = json.loads(await started.stdout.readline())
    stub = StubProvider(**addresses, http=http)
    assert stub.pid == started.pid
    asked = asyncio.create_task(ask(http, stub))
    while not (await stub.calls()).in_flight:
        pass
    started.terminate()
    assert await asyncio.wait_for(started.wait(), timeout=30) == 0
    await asyncio.gather(asked, return_exceptions=True)


async def test_a_frozen_stub_is_stopped_too() -> None:
    async with running_stub() as stub:
        os.kill(stub.pid, signal.SIGSTOP)
    with pytest.raises(ProcessLookupError):
        os.kill(stub.pid, 0)


async def test_it_ends_when_its_owner_is_killed() -> None:
    program = (
        "import asyncio\nfrom loadtests.stub_provider import running_stub\n"
        "async def main():\n"
        "    async with running_stub() as stub:\n"
        "        print(stub.url, flush=True)\n"
        "        await asyncio.Event().wait()\n"
        "asyncio.run(main())"
    )
    owner = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program), stdout=subprocess.PIPE
    )
    assert owner.stdout
    url = (await owner.stdout.readline()).decode().strip()
    async with httpx2.AsyncClient(timeout=60) as http, aclosing(gone(http, url)) as attempts:
        owner.kill()
        await owner.wait()
        async with asyncio.timeout(30):
            async for _ in attempts:
                pass


async def gone(http: httpx2.AsyncClient, url: str) -> AsyncGenerator[None, None]:
    """Ask until nobody answers."""
    while True:
        try:
            await http.get(url)
        except httpx2.TransportError:
            return
        yield


def test_mistakes_on_the_command_line_are_said_without_a_traceback(
    subtests: pytest.Subtests,
) -> None:
    for arguments in (["--behaviour", "hnag"], ["--behaviour", "{"], ["--port", "1"]):
        with subtests.test(arguments=arguments):
            if arguments == ["--port", "1"] and os.geteuid() == 0:
                continue  # root may take it
            ran = subprocess.run([*STUB, *arguments], capture_output=True, text=True, check=False)
            assert ran.returncode == 2
            assert "error" in ran.stderr
            assert "Traceback" not in ran.stderr
