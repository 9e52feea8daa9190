"""Steps 3 to 5, embed, retrieve and context: the best notes within budget, or no generation."""

from __future__ import annotations

from rag_core.domain import DECLINING_TEXT, NO_USAGE, Provenance, Tokenizer, UserId
from tests.rag_core.library import library, note
from tests.rag_core.scene import QUESTION, Scene, open_scene, settings_for


async def test_the_prompt_holds_the_best_note_and_keeps_to_its_budget(
    database_url: str, user: UserId, tokenizer: Tokenizer
) -> None:
    settings = settings_for(database_url, context_tokens=80, top_k=20)
    async with open_scene(settings, user, tokenizer) as scene:
        await scene.store(*library(20))
        await scene.ask("Why did the shepherd search the hills for one missing sheep?")
    context = scene.generator.prompts[0].context
    assert context.sources[0].hit.title.startswith("On shepherd")
    assert context.tokens <= 80
    assert tokenizer.count(context.render()) <= 80


async def test_no_hit_above_the_threshold_means_no_generation(scene: Scene) -> None:
    answer = await scene.ask("Quantum chromodynamics lectures?")
    assert (answer.provenance, answer.text) == (Provenance.NO_CONTEXT, DECLINING_TEXT)
    assert (answer.usage, answer.cost_usd) == (NO_USAGE, 0.0)
    assert scene.generator.calls == 0


async def test_an_unknown_user_gets_no_context(scene: Scene, other_user: UserId) -> None:
    answer = await scene.ask(user=other_user)
    assert answer.provenance is Provenance.NO_CONTEXT


async def test_retrieve_shows_hits_below_the_threshold_too(scene: Scene) -> None:
    ranking = (await scene.application.pipeline.retrieve(QUESTION, scene.user)).ranking
    assert len(ranking.hits) == 3
    assert ranking.hits[0].note_id == "grace"
    assert ranking.hits[-1].score < 0.2


async def test_in_hybrid_search_one_decision_a_question_says_whether_the_notes_answer_it(
    database_url: str, user: UserId, tokenizer: Tokenizer
) -> None:
    for least, provenance in ((0.0, Provenance.FRESH), (1.0, Provenance.NO_CONTEXT)):
        settings = settings_for(database_url, search_mode="hybrid", min_answerability=least)
        async with open_scene(settings, user, tokenizer) as scene:
            await scene.store(note("grace"))
            assert (await scene.ask()).provenance is provenance
