"""Real text that is on every machine: what Python's standard library says of its functions.

Prints one JSON document a line, as a retriever would hand them over: {"text", "id", "score"}.
The "retriever" is a rough one: it only counts shared beginnings of words with a question that is
about running coroutines.

    python examples/stdlib_docs.py | rerank rank "run a coroutine with a time limit"
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Iterator
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


def retrieve(question: str, depth: int = 100) -> list[dict[str, object]]:
    """The `depth` docstrings that share most word beginnings with the question, best first."""

    def stems(text: str) -> set[str]:
        return {word[:4] for word in re.findall(r"[a-z]{3,}", text.lower())}

    wanted = stems(question)
    found = [
        {"id": name, "text": f"{name}: {' '.join(doc.split())}", "score": len(wanted & stems(doc))}
        for module in MODULES
        for name, doc in documented(import_module(module))
    ]
    return sorted(found, key=lambda document: -document["score"])[:depth]  # type: ignore[operator]


if __name__ == "__main__":
    for document in retrieve(" ".join(sys.argv[1:]) or "run a coroutine with a time limit"):
        print(json.dumps(document))
