"""A lesson small enough for a tiny model: a document with "yes" in it answers, one with "no" not.

The retriever's order is chance, and no word of a query is in a document: neither it nor BM25 can
tell. Run as a program it teaches, and kills itself at a step.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from pathlib import Path

from rerank_core import Candidate
from rerank_core.evaluation import Collection, Run, of_candidates
from rerank_core.evaluation.run import Ranked
from rerank_core.teaching import Settings, teach

#: Enough for the tiny model to learn it, in seconds.
SETTINGS = Settings(
    documents=4, batch=8, epochs=30, steps=30, every=10, learning_rate=5e-3, max_length=24
)


def collection(queries: int = 40, documents: int = 6) -> Collection:
    draw = random.Random(1)
    candidates = {}
    for q in range(queries):
        answer = draw.randrange(documents)
        candidates[f"q{q}"] = [
            Candidate(
                f"{draw.choice(['paris', 'rome', 'berlin'])} {'yes' if d == answer else 'no'}",
                id=f"q{q}d{d}",
                score=1.0 - d / documents,
            )
            for d in range(documents)
        ]
    grades = {
        query: {str(c.id): 1 for c in found if "yes" in c.text}
        for query, found in candidates.items()
    }
    texts = {query: f"what is the capital {query[1:]}" for query in candidates}
    return of_candidates(texts, candidates, grades, "retriever")


def teacher(of: Collection, liked: str = "yes", name: str = "wise") -> Run:
    """Scores 1 for a document with this word, else 0."""
    rankings = {}
    for query, found in of.candidates.items():
        ranked = sorted(found, key=lambda c: liked not in c.text)
        rankings[query] = Ranked(
            [str(c.id) for c in ranked], [float(liked in c.text) for c in ranked]
        )
    return Run(name, rankings)


def main(start: str, folder: str, config: str, step: int) -> None:
    def told(what: str, done: int, _: int) -> None:
        if what == "training" and done == step:
            os.kill(os.getpid(), signal.SIGKILL)

    judged = collection()
    teach(
        judged,
        teacher(judged),
        Path(folder),
        start=start,
        config=config,
        settings=SETTINGS,
        progress=told,
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
