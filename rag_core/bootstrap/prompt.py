"""The rules of the prompt that the settings name."""

from __future__ import annotations

from rag_core.domain.prompt import RULES, rules_with
from rag_core.errors import ConfigurationError, InvalidInput
from rag_core.settings import Settings

_VARIABLE = "RAG_PROMPT_FILE"


def prompt_rules(settings: Settings) -> str:
    """The rules that come with the package, or those with the guidance of `RAG_PROMPT_FILE`.

    Raises:
        ConfigurationError: the file cannot be read, or lacks what answers are checked by.
    """
    path = settings.prompt_file
    if path is None:
        return RULES
    try:
        return rules_with(path.expanduser().read_text(encoding="utf-8"))
    except OSError as error:
        problem = f"{path} cannot be read: {error.strerror}"
        raise ConfigurationError(_VARIABLE, problem) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(_VARIABLE, f"{path} is not UTF-8 text") from error
    except InvalidInput as error:
        raise ConfigurationError(_VARIABLE, f"{path} {error.problem}", error.fix) from error
