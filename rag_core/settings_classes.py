"""Settings of classes of questions: what each may use, where that is less than the rest may."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode

from rag_core.domain.question_class import ClassBudgets, QuestionClass
from rag_core.errors import ConfigurationError
from rag_core.settings_providers import checked_names, configured_providers

if TYPE_CHECKING:
    from rag_core.settings import Settings

_Tokens = Annotated[int | None, Field(ge=64)]
_Output = Annotated[int | None, Field(ge=8)]
_Names = Annotated[tuple[str, ...], NoDecode]

_PROVIDERS = tuple(f"class_{kind}_providers" for kind in QuestionClass)


class ClassSettings(BaseSettings):
    """The part of the settings that is about classes of questions.

    `…_context_tokens` and `…_output_tokens` are numbers of tokens.
    """

    # Classes of questions, told by rules: each may have budgets and providers of its own. What is
    # not set is as for every question; what nobody has measured is not used (`doctor` says so).
    class_look_up_context_tokens: _Tokens = Field(None, description="of a look-up")
    class_look_up_output_tokens: _Output = Field(None, description="of a look-up")
    class_look_up_providers: _Names = Field((), description="of RAG_PROVIDERS, for a look-up")
    class_list_context_tokens: _Tokens = Field(None, description="of a question for a list")
    class_list_output_tokens: _Output = Field(None, description="of a question for a list")
    class_list_providers: _Names = Field((), description="of RAG_PROVIDERS, for a list")
    class_summary_context_tokens: _Tokens = Field(None, description="of a question for a summary")
    class_summary_output_tokens: _Output = Field(None, description="of a question for a summary")
    class_summary_providers: _Names = Field((), description="of RAG_PROVIDERS, for a summary")
    class_chit_chat_context_tokens: _Tokens = Field(None, description="of chit-chat")
    class_chit_chat_output_tokens: _Output = Field(None, description="of chit-chat")
    class_chit_chat_providers: _Names = Field((), description="of RAG_PROVIDERS, for chit-chat")
    class_evidence: Path | None = Field(
        None, description="JSON: what was shown of classes; None: the package's"
    )

    @field_validator(*_PROVIDERS, mode="before")
    @classmethod
    def _class_names(cls, names: object) -> object:
        if isinstance(names, str):
            names = [name.strip() for name in names.split(",") if name.strip()]
        return checked_names(names) if isinstance(names, list | tuple) else names


CLASS_SETTINGS = frozenset(ClassSettings.model_fields)


def class_budgets(settings: Settings) -> dict[QuestionClass, ClassBudgets]:
    """What is set of each class of which anything is set."""
    found = {
        kind: ClassBudgets(
            context_tokens=getattr(settings, f"class_{kind}_context_tokens"),
            output_tokens=getattr(settings, f"class_{kind}_output_tokens"),
            providers=getattr(settings, f"class_{kind}_providers"),
        )
        for kind in QuestionClass
    }
    return {kind: budgets for kind, budgets in found.items() if budgets != ClassBudgets()}


def usual_budgets(settings: Settings) -> ClassBudgets:
    """What every question may use that is of no class with budgets of its own.

    Raises:
        ConfigurationError: a provider lacks a setting.
    """
    return ClassBudgets(
        context_tokens=settings.context_tokens,
        output_tokens=settings.output_tokens,
        providers=_written_by(settings, ()),
    )


def wanted_budgets(settings: Settings) -> dict[QuestionClass, ClassBudgets]:
    """`class_budgets` with the models of the providers, as evidence speaks of them.

    Raises:
        ConfigurationError: a provider lacks a setting.
    """
    return {
        kind: replace(each, providers=_written_by(settings, each.providers))
        for kind, each in class_budgets(settings).items()
    }


def _written_by(settings: Settings, names: tuple[str, ...]) -> tuple[str, ...]:
    """`groq:llama-3`, for each that is configured of `names`, or without them of all."""
    models = {each.name: each.model for each in configured_providers(settings)}
    chosen = [name for name in names or models if name in models]
    return tuple(f"{name}:{models[name]}" for name in chosen) or ("extractive",)


def class_problems(settings: Settings) -> Iterator[ConfigurationError]:
    """Providers of a class that RAG_PROVIDERS does not name."""
    for kind, budgets in class_budgets(settings).items():
        if others := [name for name in budgets.providers if name not in settings.providers]:
            variable = f"RAG_CLASS_{kind.upper()}_PROVIDERS"
            problem = f"names {', '.join(others)}, which RAG_PROVIDERS does not"
            yield ConfigurationError(variable, problem, "Add it there: it may stand last")
