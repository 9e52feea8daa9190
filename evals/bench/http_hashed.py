"""The app with hashed vectors: all that it does itself, and no model run beside it.

python -m evals.bench.http_hashed PORT          settings come from the environment, as deployed
"""

from __future__ import annotations

import sys

import uvicorn

from rag_core.adapters.embedders import HashingEmbedder
from rag_core.app import create_app
from rag_core.settings import load_settings


def main(port: str) -> None:
    """Serve."""
    app = create_app(load_settings(), embedder=HashingEmbedder())
    uvicorn.run(app, port=int(port), access_log=False, log_level="warning")


if __name__ == "__main__":
    main(*sys.argv[1:])
