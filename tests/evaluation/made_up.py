"""A small collection whose figures can be checked by hand."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

from rerank_core import Candidate
from rerank_core.evaluation import Collection, Run, of_candidates
from rerank_core.evaluation.run import Ranked


def collection(queries: int = 4, candidates: int = 5, relevant_at: int = 2) -> Collection:
    """Every query has its one relevant document at the same place, counted from 0."""
    found = {
        f"q{q}": [
            Candidate(f"document {d} of {q}", id=f"q{q}d{d}", score=float(candidates - d))
            for d in range(candidates)
        ]
        for q in range(queries)
    }
    texts = {query: f"question {query}" for query in found}
    return of_candidates(texts, found, {q: {f"{q}d{relevant_at}": 1} for q in found}, "retriever")


def run(name: str, base: Collection, scores: Mapping[str, Sequence[float | None]]) -> Run:
    """A run that orders the base's candidates by these scores, in their order; None comes last."""
    rankings = {}
    for query, values in scores.items():
        ids = [str(candidate.id) for candidate in base.candidates[query]]
        known = [-math.inf if value is None else value for value in values]
        order = sorted(range(len(ids)), key=known.__getitem__, reverse=True)
        rankings[query] = Ranked([ids[i] for i in order], [values[i] for i in order])
    return Run(name, rankings)


def noisy(name: str, base: Collection, quality: float, seed: int = 0) -> Run:
    """A run whose scores are chance, but for `quality` more for what is relevant."""
    draw = random.Random(seed)
    return run(
        name,
        base,
        {
            query: [
                draw.gauss() + quality * base.qrels[query].get(str(candidate.id), 0)
                for candidate in found
            ]
            for query, found in base.candidates.items()
        },
    )


def write_jsonl(path: Path, rows: Sequence[object]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
