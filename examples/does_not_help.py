"""My reranker does not help: the doctor says why, and what to change.

    pip install '.[eval]'
    python examples/does_not_help.py

The reranker below has the two faults that are met most often: its scorer gives distances, of which
less is better, and it is handed four candidates, as LangChain's stores bring unless told otherwise.
"""

from __future__ import annotations

import re

from stdlib_docs import retrieve

from rerank_core import Reranker
from rerank_core.doctor import Diagnosis, diagnose

#: Questions, and the document that answers each: a dozen of your own is a start.
JUDGED = {
    "wait until all threads have reached a point": ["threading.Barrier"],
    "copy a file with its metadata": ["shutil.copy2"],
    "copy the permission bits of a file": ["shutil.copystat", "shutil.copymode"],
    "cache the results of a function": ["functools.lru_cache", "functools.cache"],
    "find the n largest elements": ["heapq.nlargest"],
    "create a temporary directory that is removed afterwards": ["tempfile.TemporaryDirectory"],
    "wait for a coroutine with a timeout": ["asyncio.wait_for"],
    "run a command and capture its output": ["subprocess.run", "subprocess.check_output"],
    "wrap a long text into lines": ["textwrap.wrap", "textwrap.fill"],
    "remove a whole folder with all that is in it": ["shutil.rmtree"],
    "how much space is left on the disk": ["shutil.disk_usage"],
    "shuffle a list in place": ["random.shuffle"],
}


def distances(query: str, texts: list[str]) -> list[float]:
    """The share of the query's words that a text lacks."""
    wanted = set(re.findall(r"\w+", query.lower()))
    return [1 - len(wanted & set(re.findall(r"\w+", text.lower()))) / len(wanted) for text in texts]


def similarities(query: str, texts: list[str]) -> list[float]:
    return [1 - distance for distance in distances(query, texts)]


Found = dict[str, list[dict[str, object]]]


def asked(reranker: Reranker, retrieved: Found, depth: int) -> Diagnosis:
    shown = {query: documents[:depth] for query, documents in retrieved.items()}
    return diagnose(reranker, shown, qrels=JUDGED)


def show(step: str, found: Diagnosis) -> None:
    print(f"\n{step}: nDCG@10 {found.before:.3f} before, {found.after:.3f} after")
    for finding in found:
        print(f"  {finding.cause}: {finding.seen}.\n    {finding.change}.")


if __name__ == "__main__":
    retrieved = {query: retrieve(query, depth=50) for query in JUDGED}
    show("as it is", asked(Reranker(distances), retrieved, depth=4))
    show("with 50 candidates", asked(Reranker(distances), retrieved, depth=50))
    show("with similarities", asked(Reranker(similarities), retrieved, depth=50))
    show("with the embedded default", asked(Reranker(), retrieved, depth=50))
