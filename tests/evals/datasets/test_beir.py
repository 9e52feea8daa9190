from __future__ import annotations

from pathlib import Path

import pytest

from evals.datasets.beir import Document, read_collection
from rag_core.errors import InvalidInput

CORPUS = '{"_id": "d1", "title": "Ark", "text": "rested"}\n{"_id": "d2", "text": "flood"}\n'
QUERIES = '{"_id": "q1", "text": "ark?"}\n{"_id": "q2", "text": "unjudged"}\n'
QRELS = "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\n"


def write(folder: Path, corpus: str = CORPUS, queries: str = QUERIES, qrels: str = QRELS) -> Path:
    (folder / "qrels").mkdir()
    (folder / "corpus.jsonl").write_text(corpus)
    (folder / "queries.jsonl").write_text(queries)
    (folder / "qrels" / "test.tsv").write_text(qrels)
    return folder


def test_a_collection_is_read_with_only_its_judged_queries(tmp_path: Path) -> None:
    found = read_collection(write(tmp_path))
    assert found.name == tmp_path.name
    assert found.docs == {"d1": Document("d1", "rested", "Ark"), "d2": Document("d2", "flood")}
    assert found.queries == {"q1": "ark?"}
    assert found.qrels == {"q1": {"d1": 2, "d2": 0}}


def test_windows_line_ends_are_read(tmp_path: Path) -> None:
    found = read_collection(write(tmp_path, qrels=QRELS.replace("\n", "\r\n")))
    assert found.qrels == {"q1": {"d1": 2, "d2": 0}}


@pytest.mark.parametrize(
    ("part", "content", "expected"),
    [
        ("corpus", "", "corpus.jsonl: is empty"),
        ("corpus", '{"_id": "d1", "text"', "corpus.jsonl line 1: is not valid JSON"),
        ("corpus", '\n{"_id": "d1"}', "corpus.jsonl line 2, field text: Object missing"),
        (
            "corpus",
            CORPUS + '{"_id": "d1", "text": "x"}',
            "line 3, field _id: 'd1' stands on",
        ),
        ("corpus", '{"_id": 7, "text": "x"}', "line 1, field _id: Expected `str`, got `int`"),
        ("corpus", '{"_id": "d1", "text": " "}', "line 1: text must not be empty"),
        (
            "queries",
            '{"_id": "q1", "text": ""}',
            "queries.jsonl line 1, field text: Expected",
        ),
        (
            "queries",
            QUERIES + QUERIES,
            "queries.jsonl line 3, field _id: 'q1' stands on",
        ),
        ("qrels", "q1\td1\t1\n", "test.tsv line 1: must be the header"),
        ("qrels", QRELS.splitlines()[0], "test.tsv: holds no judgements"),
        ("qrels", QRELS + "q1 d1 1\n", "line 4: must have 3 fields with tabs between, has 1"),
        ("qrels", QRELS + "q1\td1\thigh\n", "line 4, field score: must be a whole number"),
        ("qrels", QRELS + "q9\td1\t1\n", "line 4, field query-id: there is no 'q9'"),
        ("qrels", QRELS + "q1\td9\t1\n", "line 4, field corpus-id: there is no 'd9'"),
        ("qrels", QRELS + "q1\td1\t1\n", "line 4: judges d1 a second time"),
    ],
)
def test_malformed_input_names_file_line_and_field(
    tmp_path: Path, part: str, content: str, expected: str
) -> None:
    write(tmp_path, **{part: content})
    with pytest.raises(InvalidInput) as caught:
        read_collection(tmp_path)
    assert expected in str(caught.value)


def test_a_missing_file_is_named_with_the_layout(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"corpus\.jsonl: no such file\. A collection holds"):
        read_collection(tmp_path)
