"""Problems: every error of ours is one, and none tells of our inside."""

from __future__ import annotations

import inspect

import pytest

from rag_core import errors
from rag_core.app.problem import INTERNAL, KINDS, kind_of, problem_of
from rag_core.domain import Tokenizer, UserId
from rag_core.errors import RagError
from rag_core.events import RequestServed
from rag_core.settings import Settings
from tests.rag_core.app.served import EVENTS, open_served
from tests.rag_core.held_generator import HeldGenerator
from tests.rag_core.library import note
from tests.rag_core.scene import QUESTION

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
RETRYABLE = (errors.Unavailable, errors.RateLimitExceeded)
OURS = (errors.ConfigurationError,)
"""What is ours to mend: nothing is told of it."""

ERRORS = [
    each
    for each in vars(errors).values()
    if inspect.isclass(each) and issubclass(each, RagError) and each is not RagError
]


def raised(kind: type[RagError]) -> RagError:
    """One of them, whose words hold a secret."""
    if issubclass(kind, errors.Unauthenticated):
        return kind("secret")
    names = inspect.signature(kind).parameters.values()
    required = [
        each for each in names if each.default is each.empty and each.kind != each.VAR_KEYWORD
    ]
    given = [each for each in required if each.kind == each.POSITIONAL_OR_KEYWORD]
    named = {each.name: 2.5 for each in required if each.kind == each.KEYWORD_ONLY}
    return kind(*("secret" for _ in given), **named)


@pytest.mark.parametrize("kind", ERRORS)
def test_every_error_has_a_status_and_a_code_of_its_own(kind: type[RagError]) -> None:
    told = kind_of(raised(kind))
    assert (told is INTERNAL) == issubclass(kind, OURS)
    assert told.retryable == issubclass(kind, RETRYABLE)
    assert told.retryable == (told.status in (429, 503, 504))


@pytest.mark.parametrize("kind", ERRORS)
def test_only_what_is_the_callers_own_is_told_in_the_errors_own_words(
    kind: type[RagError],
) -> None:
    callers = (
        *(errors.InvalidInput, errors.PreconditionFailed, errors.RateLimitExceeded),
        errors.Unauthenticated,
    )
    problem = problem_of(raised(kind), "r1", "")
    assert ("secret" in repr(problem)) == issubclass(kind, callers)


def test_codes_are_stable_words() -> None:
    """Programs depend on them: changing one is a decision."""
    assert {kind.code for kind in KINDS.values()} == {
        *("invalid_input", "not_found", "unauthenticated", "precondition_failed", "rate_limited"),
        *("unavailable", "overloaded", "deadline_exceeded", "provider_unavailable"),
        *("budget_exhausted", "provider_error", "stopping", "internal", "invalid_credential"),
    }


def test_a_problem_names_its_trace_or_else_its_request() -> None:
    assert problem_of(RagError(), "r1", TRACE).trace_id == "0af7651916cd43dd8448eb211c80319c"
    assert problem_of(RagError(), "c0ffee" + "0" * 26, "").trace_id == "c0ffee" + "0" * 26
    assert len(problem_of(RagError(), "r1", "").trace_id) == 32  # as spans have it


def test_when_to_come_back_is_said_in_whole_seconds_and_never_too_early() -> None:
    limited = errors.RateLimitExceeded("10/minute", "user", retry_after_s=2.1)
    assert problem_of(limited, "r1", "").retry_after_s == 3
    assert problem_of(errors.Unavailable("x"), "r1", "").retry_after_s == 1


class Broken(HeldGenerator):
    """Has a mistake in it."""

    async def generate(self, prompt: object, *, max_tokens: int) -> object:  # type: ignore[override]
        raise KeyError("secret")

    async def stream(self, prompt: object, *, max_tokens: int) -> object:  # type: ignore[override]
        for number in range(20):
            yield f"Word{number} is a word of many. "
        raise KeyError("secret")


async def test_what_nobody_foresaw_leaks_nothing_and_is_found_by_its_id(
    settings: Settings, user: UserId, tokenizer: Tokenizer, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_served(settings, user, tokenizer, generator=Broken()) as served:
        await served.put(note("grace"))
        reply = await served.ask(QUESTION, **{"x-request-id": "find-me"})
        assert (reply.status_code, reply.json()["code"]) == (500, "internal")
        assert reply.headers["content-type"] == "application/problem+json"
        assert reply.headers["x-request-id"] == reply.json()["request_id"] == "find-me"
        assert "secret" not in reply.text
        assert "KeyError" not in reply.text
        assert "request find-me failed: KeyError" in caplog.text
        served_event = served.told(RequestServed)[-1]
        assert (served_event.status, served_event.error) == (500, "internal")


async def test_what_nobody_foresaw_in_a_stream_is_its_last_event(
    settings: Settings, user: UserId, tokenizer: Tokenizer
) -> None:
    async with open_served(settings, user, tokenizer, generator=Broken()) as served:
        await served.put(note("grace"))
        reply = await served.ask(QUESTION, **EVENTS)
        assert reply.text.count("event: error") == 1
        assert reply.text.rstrip().rpartition("event: ")[2].startswith("error")
        assert "secret" not in reply.text
        assert served.told(RequestServed)[-1].error == "internal"
