"""What is planted in a log line does not come out, and what is harmless does."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from rag_core.adapters.telemetry import MASK, LogListener, log_to_stderr, mask, masked
from rag_core.correlation import PRIVATE_TEXT, REQUEST_ID, TRACE_PARENT
from rag_core.events import AlertUndelivered, SigningKeysFetched

QUESTION = 'What did I write about "grace"\nand about Ann?'

SECRETS = {
    "a bearer token": ("sent Authorization: Bearer q7-Zk.0_s3cr3t", "q7-Zk"),
    "a header of curl": ("curl -H 'authorization: Basic YW5uOnNlY3JldA=='", "YW5uOnNl"),
    "a JSON web token": ("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2ln refused", "eyJzdWIi"),
    "a Hugging Face token": ("401 for hf_AbCdEfGhIjKlMnOpQrStUvWxYz", "hf_AbCd"),
    "a key of OpenAI": ("Incorrect API key provided: sk-proj-abcdefghijklmnop", "abcdefghijklmnop"),
    "one of ours": ("rag_0123456789abcdef0123456789abcdef", "0123456789abcdef"),
    "a key by its name": ('{"api_key": "0123456789"}', "0123456789"),
    "a password by its name": ("RAG_ADMIN_PASSWORD=correct-horse", "correct-horse"),
    "a database's password": ("postgresql://rag:hunter2secret@db:5432/rag", "hunter2secret"),
    "a Redis password": ("redis://:hunter2secret@redis:6379/0", "hunter2secret"),
    "an e-mail address": ("could not mail ann.smith+notes@mail.example.org", "ann.smith"),
    "the question": (f"no answer to {QUESTION}", "grace"),
    "the question in a repr": (f"no answer to {QUESTION!r}", "grace"),
    "the question in JSON": (json.dumps({"body": f"x {QUESTION} y"}), "grace"),
    "the question in other letters": (f"POST {QUESTION.upper()}", "GRACE"),
}

HARMLESS = (
    "input_tokens=1200 output_tokens=90",
    "the ledger could not be told of 3 calls: Redis failed",
    "meta-llama/Llama-3.2-3B-Instruct",
    "http://127.0.0.1:8000/assistant/query",
    "2026-11-22T08:05:34.485277Z 12:30:59",
    "rag_core.budget.daily_ledger",
    "RAG_HF_TOKEN is not set",
    "ask it again",
)


@pytest.fixture
def _question() -> Iterator[None]:
    """Within a request that asks `QUESTION`."""
    token = PRIVATE_TEXT.set(QUESTION)
    yield
    PRIVATE_TEXT.reset(token)


@pytest.fixture
def _root_logger() -> Iterator[None]:
    """The root logger is pytest's again afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.usefixtures("_question")
@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_does_not_pass(name: str) -> None:
    text, secret = SECRETS[name]
    assert secret in text
    assert secret not in mask(text)
    assert MASK in mask(text)


@pytest.mark.usefixtures("_question")
@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_harmless_stays_as_it_is(text: str) -> None:
    assert mask(text) == text


def test_the_question_is_masked_within_its_request_only() -> None:
    assert mask(f"asked {QUESTION}") == f"asked {QUESTION}"


def test_fields_are_masked_by_their_names_however_deep() -> None:
    fields = {"usage": {"input_tokens": 3}, "note": {"Title": "Grace", "n": [1, "hf_" + "a" * 20]}}
    assert masked({"question": "Why?", "user": "ann", **fields}) == {
        "question": MASK,
        "user": "ann",
        "usage": {"input_tokens": 3},
        "note": {"Title": MASK, "n": [1, MASK]},
    }


@pytest.mark.usefixtures("_question", "_root_logger")
@pytest.mark.parametrize("form", ["json", "text"])
def test_no_secret_leaves_by_a_librarys_message_its_arguments_or_its_traceback(
    form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    log_to_stderr("info", form)  # type: ignore[arg-type]
    logger = logging.getLogger("some.library")
    for text, _ in SECRETS.values():
        logger.warning(text)
        logger.info("failed: %s", text, extra={"question": text})
        try:
            raise ValueError(text)
        except ValueError:
            logger.exception("a bug")
    said = capsys.readouterr().err
    assert said.count("some.library") == 3 * len(SECRETS)
    assert "ValueError" in said
    assert [name for name, (_, secret) in SECRETS.items() if secret in said] == []


@pytest.mark.usefixtures("_root_logger")
def test_a_librarys_line_is_json_with_the_ids_of_request_and_trace(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log_to_stderr("warning", "json")
    tokens = REQUEST_ID.set("abc"), TRACE_PARENT.set(f"00-{'1f' * 16}-{'2e' * 8}-01")
    logging.getLogger("some.library").warning("%d went wrong", 3)
    logging.getLogger("some.library").info("nothing")
    REQUEST_ID.reset(tokens[0])
    TRACE_PARENT.reset(tokens[1])
    line = json.loads(capsys.readouterr().err)
    assert line.pop("timestamp")
    assert line == {
        "event": "3 went wrong",
        "level": "warning",
        "logger": "some.library",
        "request_id": "abc",
        "trace_id": "1f" * 16,
    }


def test_what_others_say_in_an_event_is_masked(capsys: pytest.CaptureFixture[str]) -> None:
    listener = LogListener("debug")
    listener(AlertUndelivered("webhook", "https://ops:hunter2secret@hooks.example.org said 500"))
    listener(SigningKeysFetched("Bearer abcdefgh was refused", 0, 1.0))
    said = capsys.readouterr().err
    assert "hunter2secret" not in said
    assert "abcdefgh" not in said
    assert said.count(MASK) == 2
