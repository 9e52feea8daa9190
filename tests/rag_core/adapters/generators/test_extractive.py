"""The extractive generator quotes the sentences that answer, verbatim and cited, or declines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING

import pytest

from rag_core.adapters.embedders import HashingEmbedder
from rag_core.adapters.generators import ExtractiveGenerator, ExtractiveWeights, stem, terms
from rag_core.adapters.llama_tokenizer import LlamaTokenizer
from rag_core.domain import DECLINING_TEXT, FREE, Prompt
from tests.rag_core.adapters.generators.conftest import prompt_of

if TYPE_CHECKING:
    from rag_core.domain import Matrix

ARK = (
    "The world was full of violence in those days. "
    "Noah built the ark of gopher wood, as God told him. "
    "It had three storeys and one door. "
    "Rain fell for forty days."
)
RUTH = "Ruth gleaned in the field of Boaz until evening. She stayed with Naomi in Bethlehem."
LINE = re.compile(r"(.+) \[(\d+)\]")


@pytest.fixture
def generator(tokenizer: LlamaTokenizer) -> ExtractiveGenerator:
    return ExtractiveGenerator(HashingEmbedder(), tokenizer)


def quotes(text: str) -> list[tuple[str, int]]:
    """The quoted sentences with the numbers they cite."""
    matches = [LINE.fullmatch(line) for line in text.splitlines()]
    return [(match.group(1), int(match.group(2))) for match in matches if match]


async def test_the_matching_sentence_is_quoted_with_the_one_after_it(
    generator: ExtractiveGenerator,
) -> None:
    completion = await generator.generate(
        prompt_of("Of what wood was Noah's ark built?", RUTH, ARK), max_tokens=400
    )

    assert quotes(completion.text) == [
        ("Noah built the ark of gopher wood, as God told him.", 2),
        ("It had three storeys and one door.", 2),
    ]
    assert completion.finish_reason == "stop"


async def test_every_line_is_verbatim_in_the_source_it_cites(
    generator: ExtractiveGenerator, prompt: Prompt
) -> None:
    completion = await generator.generate(prompt, max_tokens=400)

    cited = quotes(completion.text)
    assert len(cited) == len(completion.text.splitlines())
    for sentence, number in cited:
        source = prompt.context.source(number)
        assert source is not None
        assert sentence in source.text


async def test_it_declines_when_no_sentence_is_near(generator: ExtractiveGenerator) -> None:
    prompt = prompt_of("Who won the football on Saturday?", ARK, RUTH)

    completion = await generator.generate(prompt, max_tokens=400)

    assert completion.text == DECLINING_TEXT


def test_it_declines_in_the_words_that_the_rules_ask_for(
    prompt: Prompt,
) -> None:
    assert f'"{DECLINING_TEXT}"' in prompt.system


async def test_a_near_duplicate_is_quoted_once(generator: ExtractiveGenerator) -> None:
    sentence = "Noah built the ark of gopher wood, as God told him."

    completion = await generator.generate(
        prompt_of("Of what wood did Noah build the ark?", sentence, sentence), max_tokens=400
    )

    assert quotes(completion.text) == [(sentence, 1)]


async def test_sentences_of_two_sources_are_both_quoted_when_both_answer(
    generator: ExtractiveGenerator,
) -> None:
    first, second = "Noah built the ark with three storeys.", "The ark of Noah had one large door."

    completion = await generator.generate(
        prompt_of("What was the ark of Noah like?", first, second), max_tokens=400
    )

    assert sorted(quotes(completion.text)) == sorted([(first, 1), (second, 2)])


async def test_whole_lines_only_as_far_as_the_budget_goes(
    generator: ExtractiveGenerator, tokenizer: LlamaTokenizer
) -> None:
    prompt = prompt_of("Of what wood was Noah's ark built?", ARK)
    whole = (await generator.generate(prompt, max_tokens=400)).text
    first_line = whole.splitlines()[0]

    completion = await generator.generate(prompt, max_tokens=tokenizer.count(whole) - 1)

    assert completion.text == first_line
    assert completion.finish_reason == "stop"


async def test_a_sentence_that_would_read_as_a_citation_is_not_quoted(
    generator: ExtractiveGenerator,
) -> None:
    """A note that says `[2]` must not cite what it did not come from."""
    prompt = prompt_of("Who built the ark of wood?", "Noah built the ark of wood [2]. " + RUTH, ARK)

    completion = await generator.generate(prompt, max_tokens=400)

    assert "wood [2]" not in completion.text
    assert ("Noah built the ark of gopher wood, as God told him.", 2) in quotes(completion.text)


async def test_it_is_free_and_counts_its_tokens(
    generator: ExtractiveGenerator, prompt: Prompt, tokenizer: LlamaTokenizer
) -> None:
    completion = await generator.generate(prompt, max_tokens=400)

    assert generator.prices == FREE
    assert completion.usage.output_tokens == tokenizer.count(completion.text)
    assert completion.usage.input_tokens == sum(tokenizer.count(m.content) for m in prompt.messages)


async def test_a_long_context_is_embedded_only_in_part(tokenizer: LlamaTokenizer) -> None:
    """What keeps an answer within its milliseconds: at most 100 words beside the question."""
    embedder = RecordingEmbedder()
    generator = ExtractiveGenerator(embedder, tokenizer)
    long = " ".join(f"Noah laid plank number {n} of the ark with care." for n in range(200))

    await generator.generate(prompt_of("How was the ark of Noah built?", long), max_tokens=400)

    question, *rest = embedder.texts
    assert question == "How was the ark of Noah built?"
    assert 50 < sum(len(text.split()) for text in rest) <= 100


class RecordingEmbedder(HashingEmbedder):
    """A hashing embedder that remembers what it was given."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def embed(self, texts: Sequence[str]) -> Matrix:
        self.texts += texts
        return await super().embed(texts)


def test_forms_of_a_word_share_a_stem() -> None:
    for words in [
        ("forgive", "forgiven", "forgiveness"),
        ("pray", "prayed", "praying", "prayers"),
        ("sin", "sins"),
        ("covenant", "covenants"),
    ]:
        assert len({stem(word) for word in words}) == 1


def test_words_that_every_question_has_are_no_terms() -> None:
    assert terms("What did I say in my sermon about the ark?") == {stem("ark")}


async def test_weights_decide_how_much_is_quoted_and_when_nothing_is(
    tokenizer: LlamaTokenizer, prompt: Prompt
) -> None:
    one = ExtractiveWeights(max_quotes=1, min_share_of_best=0)
    two, none = replace(one, max_quotes=2), replace(one, min_score=1.0)

    short, longer, declined = [
        (
            await ExtractiveGenerator(HashingEmbedder(), tokenizer, weights).generate(
                prompt, max_tokens=400
            )
        ).text
        for weights in (one, two, none)
    ]

    assert 0 < len(quotes(short)) < len(quotes(longer))
    assert declined == DECLINING_TEXT


def test_every_weight_is_part_of_the_model_that_answers_are_kept_under(
    tokenizer: LlamaTokenizer,
) -> None:
    weights = ExtractiveWeights()
    others = [replace(weights, **{each.name: 1}) for each in fields(weights)]

    models = {
        ExtractiveGenerator(HashingEmbedder(), tokenizer, w).model for w in (weights, *others)
    }

    assert len(models) == 1 + len(others)
    assert ExtractiveGenerator(HashingEmbedder(), tokenizer).model in models
