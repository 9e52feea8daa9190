"""The classes of questions with budgets of their own, as far as evidence lets them."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from rag_core.bootstrap.providers import Writers
from rag_core.class_evidence import proven, read_class_evidence
from rag_core.domain.question_class import ClassBudgets, QuestionClass
from rag_core.errors import ConfigurationError
from rag_core.providers.router import Router
from rag_core.settings import Settings
from rag_core.settings_classes import class_budgets, usual_budgets, wanted_budgets

_LOG = logging.getLogger(__name__)


def classes_in_use(settings: Settings) -> dict[QuestionClass, ClassBudgets]:
    """Those that are set and proven; the log names those that are set and are not.

    Raises:
        ConfigurationError: the evidence cannot be read.
    """
    wanted = class_budgets(settings)
    if not wanted:
        return {}
    evidence = read_class_evidence(settings.class_evidence)
    shown = proven(wanted_budgets(settings), usual_budgets(settings), evidence)
    for kind in wanted.keys() - shown.keys():
        _LOG.warning("RAG_CLASS_%s_… is not used: nothing shows what it costs", kind.upper())
    return {kind: budgets for kind, budgets in wanted.items() if kind in shown}


def class_routers(
    classes: Mapping[QuestionClass, ClassBudgets], writers: Writers
) -> dict[QuestionClass, Router]:
    """Who writes for classes with providers of their own: guarded as for everybody else.

    Without any provider the notes are quoted for all.

    Raises:
        ConfigurationError: a class has none that is configured.
    """
    found = {}
    for kind, budgets in classes.items():
        if budgets.providers and writers.providers:
            own = [each for name in budgets.providers if (each := writers.named(name))]
            if not own:
                problem = f"names {', '.join(budgets.providers)}, and none of them is configured"
                raise ConfigurationError(f"RAG_CLASS_{kind.upper()}_PROVIDERS", problem)
            found[kind] = writers.router.of(own)
    return found
