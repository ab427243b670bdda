"""Real passages of 30 to 300 words, and a query, for what is only about speed."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("RERANK_DATA", ROOT.parent / "shared" / "data"))

QUERY = "Does vitamin D regulate the expression of genes in the immune system?"


def passages(count: int, seed: int = 0) -> list[str]:
    """The openings of real texts, their lengths in words log-uniform in 30..300, as most are short.

    From the abstracts of SciFact where they are at hand, else from Python's own documentation.
    """
    draw = random.Random(seed)
    long = [words for words in map(str.split, _texts()) if len(words) >= 300]
    return [" ".join(draw.choice(long)[: round(30 * 10 ** draw.random())]) for _ in range(count)]


def _texts() -> list[str]:
    corpus = DATA / "scifact" / "corpus.jsonl"
    if corpus.is_file():
        return [json.loads(line)["text"] for line in corpus.open(encoding="utf-8")]
    from pydoc_data.topics import topics

    return list(topics.values())
