"""What `python -m evals calibrate` prints: figures beside references, as a table or as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from evals.measures.scores import Aggregate
from evals.results.numbers import number, span
from evals.results.table import text_table
from evals.retrieval.calibrate import REFERENCES, Calibration
from rag_core.domain import SearchMethod

_COLUMNS = (
    "collection", "chunking", "search", "queries", "nDCG@10", "95 %", "recall@5", "MRR@10",
    "p50", "found by",
)  # fmt: skip
_MEASURES = {"nDCG@10": "ndcg_at_10", "R@5": "recall_at_5", "RR@10": "mrr_at_10"}


def as_text(calibrations: Sequence[Calibration]) -> str:
    """The table, a line for each reference, and the ingest's pace."""
    rows = [_row(calibration) for calibration in calibrations]
    lines = [text_table(_COLUMNS, rows), ""]
    lines += (
        _reference_lines(calibrations) + _agreement_lines(calibrations) + _pace_lines(calibrations)
    )
    return "\n".join(lines)


def as_json(calibrations: Sequence[Calibration]) -> list[dict[str, Any]]:
    """One object a calibration; intervals, reference and throughput included."""
    return [_object(calibration) for calibration in calibrations]


def _row(calibration: Calibration) -> list[str]:
    ndcg = calibration.measures["nDCG@10"]
    return [
        calibration.collection,
        calibration.chunking,
        f"{calibration.mode} {calibration.system}",
        str(calibration.queries),
        _value(ndcg),
        span(ndcg.low, ndcg.high, "score"),
        _value(calibration.measures["R@5"]),
        _value(calibration.measures["RR@10"]),
        number(calibration.latency_p50_ms, "ms"),
        calibration.index,
    ]


def _value(aggregate: Aggregate) -> str:
    return "–" if aggregate.value is None else f"{aggregate.value:.4f}"


def _reference_lines(calibrations: Sequence[Calibration]) -> list[str]:
    lines = []
    for calibration in calibrations:
        reference = REFERENCES.get(calibration.collection)
        ndcg = calibration.measures["nDCG@10"].value
        comparable = calibration.chunking.startswith("whole")
        if reference and ndcg is not None and comparable:
            lines.append(
                f"{calibration.collection}, {calibration.mode} {calibration.system}: "
                f"nDCG@10 {ndcg:.4f} beside "
                f"{reference.ndcg_at_10:.3f} ({ndcg - reference.ndcg_at_10:+.4f}), recall@5 "
                f"reference {reference.recall_at_5:.3f}; {reference.source}"
            )
    return lines or [f"no reference is known for {calibrations[0].collection}"]


def _agreement_lines(calibrations: Sequence[Calibration]) -> list[str]:
    """How far HNSW is from exact, for each way of cutting."""
    by_key = {(c.chunking, c.system): c.measures["nDCG@10"].value for c in calibrations}
    lines = []
    for chunking in dict.fromkeys(c.chunking for c in calibrations):
        exact = by_key.get((chunking, SearchMethod.EXACT))
        hnsw = by_key.get((chunking, SearchMethod.HNSW))
        if exact is not None and hnsw is not None:
            lines.append(f"hnsw minus exact, {chunking}: nDCG@10 {hnsw - exact:+.4f}")
    return lines


def _pace_lines(calibrations: Sequence[Calibration]) -> list[str]:
    lines = []
    for chunking, throughput in {c.chunking: c.throughput for c in calibrations}.items():
        if throughput is None:
            lines.append(f"ingest, {chunking}: stored before, so its pace was not measured")
        else:
            lines.append(
                f"ingest, {chunking}: {throughput.ingest_texts} texts at "
                f"{throughput.ingest_per_s:.1f}/s, the bare embedder {throughput.bare_per_s:.1f}/s"
                f" in the same run: {throughput.ratio:.2f} of it"
            )
    return lines


_PLAIN = ("collection", "documents", "queries", "chunking", "index", "latency_p50_ms")


def _object(calibration: Calibration) -> dict[str, Any]:
    reference = REFERENCES.get(calibration.collection)
    throughput = calibration.throughput
    return {
        **{name: getattr(calibration, name) for name in _PLAIN},
        "system": calibration.system.value,
        "measures": {
            name: asdict(calibration.measures[measure]) for measure, name in _MEASURES.items()
        },
        "reference": asdict(reference) if reference else None,
        "throughput": {**asdict(throughput), "ratio": throughput.ratio} if throughput else None,
        "plan": calibration.plan.splitlines(),
    }
