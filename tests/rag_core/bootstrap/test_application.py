"""Wiring: settings decide which parts run, and every part can be brought along."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

import rag_core
from rag_core.adapters.embedders import HashingEmbedder
from rag_core.adapters.generators import ExtractiveGenerator
from rag_core.adapters.generators.chat_completions import ChatCompletionsGenerator
from rag_core.adapters.postgres import HNSW_INDEX, IndexKind, index_vectors
from rag_core.bootstrap import assemble, open_generator, open_providers, servers
from rag_core.domain import Provenance, Query, Tokenizer, UserId
from rag_core.embedded import StackUrls
from rag_core.errors import ConfigurationError
from rag_core.settings import Settings
from rag_core.settings_providers import ProviderSettings
from tests.rag_core.embedded.processes import eventually, running_below
from tests.rag_core.library import CountingEmbedder, note
from tests.rag_core.scene import QUESTION, open_scene, settings_for


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, ExtractiveGenerator),
        ({"hf_token": "hf_x"}, ChatCompletionsGenerator),
        ({"hf_base_url": "http://127.0.0.1:1/v1"}, ChatCompletionsGenerator),
        ({"generator": "extractive", "hf_token": "hf_x"}, ExtractiveGenerator),
        ({"generator": "providers", "hf_token": "hf_x"}, ChatCompletionsGenerator),
    ],
)
async def test_hugging_face_answers_where_it_is_configured_else_the_extractive_generator(
    settings: dict[str, Any], expected: type, tokenizer: Tokenizer
) -> None:
    async with open_generator(Settings(**settings), HashingEmbedder(), tokenizer) as generator:
        assert isinstance(generator, expected)


async def test_hugging_face_without_a_token_or_a_server_is_refused(tokenizer: Tokenizer) -> None:
    with pytest.raises(ConfigurationError, match=r"RAG_HF_TOKEN.*RAG_HF_BASE_URL"):
        async with open_generator(Settings(generator="providers"), HashingEmbedder(), tokenizer):
            raise AssertionError("it must not open")


async def test_the_providers_come_in_the_order_of_their_names(tokenizer: Tokenizer) -> None:
    settings = Settings(
        providers="openai,mine,groq,huggingface",  # type: ignore[arg-type] # as from the environment
        provider={
            "groq": ProviderSettings(
                key=SecretStr("gsk"), model="g", price_input_usd=0.1, price_output_usd=0.2
            ),
            "mine": ProviderSettings(
                base_url=SecretStr("http://127.0.0.1:1/v1"),
                model="m",
                price_input_usd=0,
                price_output_usd=0,
            ),
        },
        hf_token=SecretStr("hf_x"),
    )
    async with open_providers(settings, tokenizer) as generators:
        assert [(each.name, each.model) for each in generators] == [
            *(("mine", "m"), ("groq", "g"), ("huggingface", settings.hf_model)),
        ]
        assert [each.prices.input_usd for each in generators] == [0, 0.1, settings.price_input_usd]
    async with open_providers(Settings(), tokenizer) as generators:
        assert generators == ()


async def test_settings_name_the_model_and_its_prices(tokenizer: Tokenizer) -> None:
    settings = Settings(
        hf_base_url="http://127.0.0.1:1/v1",
        hf_model="some/model",
        price_input_usd=0.5,
        price_output_usd=2.0,
    )
    async with open_generator(settings, HashingEmbedder(), tokenizer) as generator:
        assert generator.model == "some/model"
        assert (generator.prices.input_usd, generator.prices.output_usd) == (0.5, 2.0)


async def test_build_gives_a_pipeline_that_answers(
    database_url: str, user: UserId, tokenizer: Tokenizer
) -> None:
    async with open_scene(settings_for(database_url), user, tokenizer) as scene:
        await scene.store(note("grace"))
    async with rag_core.build(
        settings_for(database_url), embedder=HashingEmbedder(), tokenizer=tokenizer
    ) as pipeline:
        answer = await pipeline.answer(QUESTION, user)
    assert (answer.provenance, answer.generator) == (Provenance.FRESH, "extractive")


async def test_a_pipeline_runs_on_the_systems_clock_and_listens_to_nobody_by_default(
    database_url: str, user: UserId, tokenizer: Tokenizer
) -> None:
    async with assemble(
        settings_for(database_url, generator="extractive"),
        embedder=CountingEmbedder(),
        tokenizer=tokenizer,
    ) as application:
        await application.ingest.run(user, [note("grace")])
        answer = await application.pipeline.answer(QUESTION, user)
    assert answer.generator == "extractive"
    assert answer.timings_ms["total"] > 0


async def test_the_search_method_of_the_settings_is_the_one_that_runs(
    own_database: str, user: UserId, tokenizer: Tokenizer
) -> None:
    """And one whose index is not there is refused; who has few chunks is scanned, where told to."""
    with pytest.raises(ConfigurationError, match="rag_core index hnsw"):
        async with open_scene(settings_for(own_database, search_method="hnsw"), user, tokenizer):
            pass
    await index_vectors(own_database, IndexKind.HNSW)
    vector = (await HashingEmbedder().embed([QUESTION]))[0]
    for method, up_to, uses_graph in (("exact", 0, False), ("hnsw", 0, True), ("hnsw", 1, False)):
        settings = settings_for(own_database, search_method=method, exact_up_to=up_to)
        async with open_scene(settings, user, tokenizer) as scene:
            await scene.store(note("grace"))
            plan = await scene.application.retriever.explain(user, Query(vector), k=5)
            assert any(node.index == HNSW_INDEX for node in plan) is uses_graph
            assert (await scene.ask()).citations[0].note_id == "grace"


async def test_without_urls_the_embedded_servers_are_started_migrated_and_stopped(
    tmp_path: Path, user: UserId, tokenizer: Tokenizer
) -> None:
    settings = Settings(home=tmp_path / "home", min_score=0.2)
    async with assemble(settings, embedder=HashingEmbedder(), tokenizer=tokenizer) as application:
        await application.ingest.run(user, [note("grace")])
        answer = await application.pipeline.answer(QUESTION, user)
        assert answer.citations[0].note_id == "grace"
        assert running_below(tmp_path)
    await eventually(lambda: not running_below(tmp_path))


async def test_servers_that_the_settings_name_are_used_and_none_is_started(
    stack: StackUrls, tmp_path: Path
) -> None:
    settings = Settings(
        home=tmp_path / "home",
        database_url=stack.database_url,
        redis_url=stack.redis_url,
    )
    async with servers(settings) as urls:
        assert (urls.database_url, urls.redis_url) == (stack.database_url, stack.redis_url)
    assert not (tmp_path / "home").exists()


async def test_caches_in_memory_leave_redis_alone(database_url: str, tmp_path: Path) -> None:
    settings = settings_for(database_url, redis_url="redis://127.0.0.1:1", home=tmp_path / "home")
    async with servers(settings) as urls:
        assert urls.redis_url is None


async def test_a_redis_that_is_not_there_costs_hits_and_nothing_else(
    database_url: str, user: UserId, tokenizer: Tokenizer
) -> None:
    settings = settings_for(database_url, cache="redis", redis_url="redis://127.0.0.1:1")
    async with open_scene(settings, user, tokenizer) as scene:
        await scene.store(note("grace"))
        answers = [await scene.ask(), await scene.ask()]
    assert {answer.provenance for answer in answers} <= {
        Provenance.FRESH,
        Provenance.CACHED,
        Provenance.REVALIDATED,
    }
    assert answers[0].provenance is Provenance.FRESH
