"""What tuning chose, as the tables of a config file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..config import combination_table
from ..ranking.candidate import RETRIEVAL
from .tuning import Tuning


def tables(
    found: Tuning, scorers: Mapping[str, tuple[str, Mapping[str, Any]]], most: int
) -> dict[str, dict[str, Any]]:
    """The tables `reranker`, which `Reranker.from_config` reads, and `tuned`, for its reader.

    `scorers`: of each system tuned, the name of its signal, and the table of its reranker.
    `most`: how many candidates there were. The retriever alone is a depth of 0.
    """
    kept = found.kept
    name = kept.system or next(iter(scorers))
    signal, table = scorers[name]
    reranker: dict[str, Any] = dict(table)
    if kept.depth < most:
        reranker["depth"] = kept.depth
    if kept.combination is not None:
        combine = combination_table(kept.combination)
        weights = combine["weights"]
        combine["weights"] = {RETRIEVAL: weights[RETRIEVAL], signal: weights[name]}
        reranker["combine"] = combine
    if found.said is not None and (kept.combination is not None or found.said == "distance"):
        # said, not guessed query by query; and that it takes them
        reranker.setdefault("retrieval_score", found.said)
    tuned = {
        "kept": kept.label,
        "measure": found.measure,
        "queries": found.queries,
        "on_these_queries": round(found.quality, 6),
        "retriever_and_scorers_alone": dict(found.ends),
        "half_and_half": dict(found.defaults),
        "held_out": round(found.tuned, 6),
        "spread": round(found.spread, 6),
        "gain": round(found.gain, 6),
        "p": round(found.p, 6),
        "notes": list(found.notes),
    }
    if found.threshold is not None:
        tuned["threshold"] = found.threshold.to_dict()
    return {"reranker": reranker, "tuned": tuned}
