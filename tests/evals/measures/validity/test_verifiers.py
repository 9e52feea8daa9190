"""Verifiers: a small model made on the spot, a small server, and the settings that name them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.responses import Response

from evals.measures.check_failure import CheckFailed
from evals.measures.judge import Judge
from evals.measures.judge_cache import JudgeBudget, JudgeCache
from evals.measures.scores import Scored, Unscored
from evals.measures.validity.checkers import JudgeChecker
from evals.measures.validity.verifier_settings import open_verifier
from evals.measures.validity.verifiers import (
    WINDOW_WORDS,
    CrossEncoderVerifier,
    ServedVerifier,
    supported_label,
    windows,
)
from rag_core.domain import Prices
from rag_core.errors import ConfigurationError
from tests.evals.measures.judge_server import JudgeServer, judge_server, says

WORDS = ["rain", "falls", "snow", "on", "the", "hills", ".", "it"]
NLI = ("contradiction", "entailment", "neutral")


def tiny_model(folder: Path, labels: tuple[str, ...]) -> str:
    """A BERT of random weights with a vocabulary of a few words."""
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from tokenizers.processors import TemplateProcessing
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    ids = {word: number for number, word in enumerate([*special, *WORDS])}
    tokenizer = Tokenizer(WordLevel(ids, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", ids["[CLS]"]), ("[SEP]", ids["[SEP]"])],
    )
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token"), special, strict=True))
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=64, **names
    ).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(ids), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=64, initializer_range=0.5,
        id2label=dict(enumerate(labels)), label2id={each: n for n, each in enumerate(labels)},
    )  # fmt: skip
    BertForSequenceClassification(config).save_pretrained(folder)
    return str(folder)


PAIRS = [("it snow", "rain falls on the hills ."), ("rain falls", "the snow . rain falls .")]


async def test_the_class_that_means_supported_gives_the_score(tmp_path: Path) -> None:
    first = CrossEncoderVerifier(tiny_model(tmp_path / "a", NLI))
    other = CrossEncoderVerifier(tiny_model(tmp_path / "b", ("entailment", *NLI[::2])))
    one, two = await first.scores(PAIRS), await other.scores(PAIRS)
    assert all(0 < score < 1 for score in (*one, *two))
    assert list(one) != pytest.approx(list(two)), "the same weights, another class of theirs"
    assert await first.scores([]) == []


async def test_of_one_logit_the_sigmoid_is_the_score(tmp_path: Path) -> None:
    verifier = CrossEncoderVerifier(tiny_model(tmp_path, ("supported",)))
    scores = await verifier.scores(PAIRS)
    assert len(scores) == len(PAIRS)
    assert all(0 < score < 1 for score in scores)


async def test_the_best_window_of_a_long_source_counts(tmp_path: Path) -> None:
    verifier = CrossEncoderVerifier(tiny_model(tmp_path, NLI))
    near, far = "Rain falls .", "Snow " + "snow " * WINDOW_WORDS + "."
    for source in (f"{near} {far}", f"{far} {near}"):
        pieces = windows(source)
        assert len(pieces) == 2
        apart = await verifier.scores([("rain falls", piece) for piece in pieces])
        together = await verifier.scores([("rain falls", source)])
        assert together == [pytest.approx(max(apart))]
        assert apart[0] != pytest.approx(apart[1])


@pytest.mark.parametrize(
    ("labels", "wanted", "index"),
    [
        (NLI, None, 1),
        (("not_entailment", "entailment"), None, 1),
        (("SUPPORTED", "UNSUPPORTED"), None, 0),
        (("hallucinated", "consistent"), None, 1),
        (("LABEL_0", "LABEL_1"), "label_1", 1),
    ],
)
def test_the_supported_class_is_read_from_the_labels(
    labels: tuple[str, ...], wanted: str | None, index: int
) -> None:
    assert supported_label(dict(enumerate(labels)), wanted) == index


@pytest.mark.parametrize("wanted", [None, "LABEL_7"])
def test_labels_that_say_nothing_are_an_error_that_names_the_setting(wanted: str | None) -> None:
    with pytest.raises(ConfigurationError, match="RAG_VERIFIER_LABEL"):
        supported_label({0: "LABEL_0", 1: "LABEL_1"}, wanted)


async def test_the_environment_names_a_model_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_verifier() as none:
        assert none is None
    monkeypatch.setenv("RAG_VERIFIER_MODEL", tiny_model(tmp_path / "tiny", NLI))
    async with open_verifier() as verifier:
        assert verifier
        assert verifier.name == "verifier tiny"
        assert len(await verifier.scores(PAIRS)) == len(PAIRS)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("MODEL", "/no/such/model", "cannot be loaded"),
        ("BASE_URL", "http://127.0.0.1:9/v1", "RAG_VERIFIER_MODEL"),
        ("TIMEOUT_S", "soon", "RAG_VERIFIER_TIMEOUT_S"),
    ],
)
async def test_what_cannot_be_used_is_named(
    name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"RAG_VERIFIER_{name}", value)
    with pytest.raises(ConfigurationError, match=said):
        async with open_verifier():
            pass


@pytest.fixture
async def server() -> AsyncIterator[JudgeServer]:
    async with judge_server() as running:
        yield running


@pytest.fixture
async def served(server: JudgeServer) -> AsyncIterator[ServedVerifier]:
    verifier = ServedVerifier(base_url=server.base_url, model="m", max_retries=0, timeout_s=10)
    yield verifier
    await verifier.close()


def first_token(**logprobs: float) -> Response:
    """A reply whose first token could have been one of several."""
    body = json.loads(bytes(says("Yes").body))
    top = [{"token": word, "logprob": value, "bytes": None} for word, value in logprobs.items()]
    body["choices"][0]["logprobs"] = {"content": [{**top[0], "top_logprobs": top}], "refusal": None}
    return Response(json.dumps(body), media_type="application/json")


async def test_a_server_is_asked_as_minicheck_expects(
    server: JudgeServer, served: ServedVerifier
) -> None:
    server.reply = lambda prompt: says("Yes" if "rain" in prompt.splitlines()[1] else "No.")
    pairs = [("It rains: rain.", "Rain falls."), ("It snows.", "Rain falls.")]
    assert await served.scores(pairs) == [1.0, 0.0]
    assert "Document: Rain falls.\nClaim: It snows." in server.prompts


async def test_the_probability_of_the_first_token_is_the_score(
    server: JudgeServer, served: ServedVerifier
) -> None:
    server.reply = lambda prompt: first_token(Yes=-0.5108256, no=-1.6094379, Well=-3.0)
    assert await served.scores([("a", "b")]) == [pytest.approx(0.75)]


async def test_a_failed_call_is_unscored_and_the_others_stand(
    server: JudgeServer, served: ServedVerifier
) -> None:
    replies = {"broken": Response(status_code=500), "odd": says("Perhaps"), "fine": says("Yes")}
    server.reply = lambda prompt: replies[prompt.rpartition(" ")[2]]
    broken, odd, fine = await served.outcomes([(name, "b") for name in replies])
    assert isinstance(broken, Unscored)
    assert "server failed" in broken.reason
    assert odd == Unscored("the verifier said neither yes nor no: 'Perhaps'")
    assert fine == Scored(1.0)
    with pytest.raises(CheckFailed):
        await served.scores([("broken", "b")])


async def test_the_judge_is_a_checker_within_its_budget(
    server: JudgeServer, tmp_path: Path
) -> None:
    server.reply = lambda prompt: says('{"probability": 0.25}' if "rain" in prompt else "{}")
    budget = JudgeBudget(25.0, Prices(0.001, 0.001))
    judge = Judge(
        base_url=server.base_url, model="m", cache=JudgeCache(tmp_path), budget=budget,
        max_retries=0,
    )  # fmt: skip
    right, odd = await JudgeChecker(judge).outcomes([("rain", "falls"), ("snow", "falls")])
    assert right == Scored(0.25)
    assert isinstance(odd, Unscored)
    assert budget.spent_usd > 0
    budget.max_usd = budget.spent_usd
    (spent,) = await JudgeChecker(judge).outcomes([("hail and rain", "falls")])
    assert spent == Unscored(f"judge budget of ${budget.max_usd:g} spent")
    await judge.close()
