"""The generator that the settings name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

from rag_core.adapters.generators.extractive import ExtractiveGenerator
from rag_core.domain.completion import Generator
from rag_core.domain.cost import Prices
from rag_core.domain.ranking import Embedder
from rag_core.domain.tokens import Tokenizer
from rag_core.errors import ConfigurationError
from rag_core.settings import Settings, secret


@asynccontextmanager
async def open_generator(
    settings: Settings, embedder: Embedder, tokenizer: Tokenizer
) -> AsyncIterator[Generator]:
    """Hugging Face where a token or a server is configured, else the extractive generator.

    Raises:
        ConfigurationError: Hugging Face is asked for, and neither token nor server is set.
    """
    configured = bool(settings.hf_token or settings.hf_base_url)
    if settings.generator == "extractive" or (settings.generator == "auto" and not configured):
        yield ExtractiveGenerator(embedder, tokenizer)
        return
    if not configured:
        raise ConfigurationError(
            "RAG_HF_TOKEN",
            "is not set, but RAG_GENERATOR is huggingface",
            "Set it, or RAG_HF_BASE_URL, or RAG_GENERATOR=extractive",
        )
    # Takes half a second to import, and most uses do without.
    from rag_core.adapters.generators.huggingface import HuggingFaceGenerator

    generator = HuggingFaceGenerator(
        model=settings.hf_model,
        token=secret(settings.hf_token),
        base_url=secret(settings.hf_base_url),
        timeout_s=settings.hf_timeout_s,
        prices=Prices(settings.price_input_usd, settings.price_output_usd),
        tokenizer=tokenizer,
    )
    async with aclosing(generator):
        yield generator
