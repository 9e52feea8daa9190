"""Errors carry fields, exit codes and the way out."""

from __future__ import annotations

import inspect
import re

from rag_core import errors

TREE = [
    error
    for _, error in inspect.getmembers(errors, inspect.isclass)
    if issubclass(error, errors.RagError)
]


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = set(re.findall(r"[├└]── (\w+)", errors.__doc__ or "")) | {"RagError"}
    assert drawn == {error.__name__ for error in TREE}


def test_every_error_exits_with_a_code_that_is_not_success() -> None:
    for error in TREE:
        assert 1 <= error.exit_code <= 4
        assert error.__doc__


def test_a_users_mistake_names_field_problem_and_fix() -> None:
    error = errors.InvalidInput("date", "is no date", "Write YYYY-MM-DD")
    assert (error.field, error.problem, error.fix) == ("date", "is no date", "Write YYYY-MM-DD")
    assert str(error) == "date: is no date. Write YYYY-MM-DD"
    assert str(errors.InvalidInput("date", "is no date")) == "date: is no date"


def test_an_unknown_user_is_told_how_to_ingest() -> None:
    error = errors.UnknownUser("anna")
    assert error.field == "user"
    assert "ingest FOLDER --user anna" in str(error)
    assert error.exit_code == errors.InvalidInput.exit_code


def test_a_configuration_error_names_the_setting() -> None:
    error = errors.ConfigurationError("RAG_TOP_K", "must be >= 1, got 0", "Set it to 5")
    assert error.setting == "RAG_TOP_K"
    assert str(error) == "RAG_TOP_K: must be >= 1, got 0. Set it to 5"


def test_an_embedder_mismatch_names_both_models_and_what_to_do() -> None:
    error = errors.EmbedderMismatch("anna", "a" * 64, "b" * 64)
    assert (error.stored, error.configured) == ("a" * 64, "b" * 64)
    assert "a" * 12 in str(error)
    assert "b" * 12 in str(error)
    assert "ingest the notes again" in str(error)


def test_unavailable_says_when_to_come_back() -> None:
    error = errors.ProviderRateLimited("slow down", "Wait", retry_after_s=7.5)
    assert error.retry_after_s == 7.5
    assert str(error) == "slow down. Wait"
    assert errors.DatabaseUnavailable("gone").retry_after_s is None


def test_a_rejected_request_carries_its_status() -> None:
    error = errors.ProviderRejected("unauthorised", status=401)
    assert (error.status, error.problem, error.fix) == (401, "unauthorised", "")
