"""Real text that is on every machine: what Python's standard library says of its functions.

Prints one JSON document a line, as a retriever hands them over: {"text", "id", "score"}.

    q="split a long text into lines of a given width"
    python examples/stdlib_docs.py "$q" | rerank rank "$q"
"""

from __future__ import annotations

import inspect
import json
import math
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib import import_module
from types import ModuleType

MODULES = (
    "asyncio", "concurrent.futures", "contextlib", "datetime", "functools", "heapq", "itertools",
    "json", "logging", "multiprocessing", "os", "pathlib", "random", "re", "sched", "selectors",
    "shutil", "signal", "socket", "sqlite3", "statistics", "subprocess", "tempfile", "textwrap",
    "threading", "time", "timeit", "traceback", "urllib.request", "uuid", "weakref", "zipfile",
)  # fmt: skip


def documented(module: ModuleType) -> Iterator[tuple[str, str]]:
    """Name and docstring of each public function and class."""
    for name, thing in sorted(vars(module).items()):
        public = not name.startswith("_") and (inspect.isroutine(thing) or inspect.isclass(thing))
        doc = inspect.getdoc(thing) if public else None
        if doc and len(doc.split()) >= 8:
            yield f"{module.__name__}.{name}", doc


def all_texts(modules: Sequence[str] = MODULES) -> dict[str, str]:
    """The docstrings of these modules, by name, each on one line."""
    return {
        name: f"{name}: {' '.join(doc.split())}"
        for module in modules
        for name, doc in documented(import_module(module))
    }


def retrieve(question: str, depth: int = 100) -> list[dict[str, object]]:
    """The `depth` docstrings most like the question, best first, by a rough retriever.

    It compares the three-letter sequences of the texts, rare ones counting more (cosine), which is
    fast, forgiving of word endings, and knows no words: what a reranker is for.
    """
    texts = all_texts()
    counts = {name: trigrams(text) for name, text in texts.items()}
    having = Counter(trigram for counted in counts.values() for trigram in counted)
    rarity = {trigram: math.log(len(texts) / n) for trigram, n in having.items()}
    wanted = weighed(trigrams(question), rarity)
    found: list[dict[str, object]] = [
        {"id": name, "text": text, "score": round(cosine(wanted, weighed(counts[name], rarity)), 4)}
        for name, text in texts.items()
    ]
    return sorted(found, key=lambda document: -document["score"])[:depth]  # type: ignore[operator]


def trigrams(text: str) -> Counter[str]:
    letters = re.sub(r"[^a-z]+", " ", text.lower())
    return Counter(letters[i : i + 3] for i in range(len(letters) - 2))


def weighed(counts: Counter[str], rarity: dict[str, float]) -> dict[str, float]:
    return {key: (1 + math.log(n)) * rarity.get(key, 0.0) for key, n in counts.items()}


def cosine(one: dict[str, float], other: dict[str, float]) -> float:
    product = sum(weight * other.get(key, 0.0) for key, weight in one.items())
    return product / (math.hypot(*one.values()) * math.hypot(*other.values()) or 1.0)


if __name__ == "__main__":
    for document in retrieve(" ".join(sys.argv[1:])):
        print(json.dumps(document))
