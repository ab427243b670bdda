"""Which pairs of query and document are judged: the first few of every run, as TREC pools."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from ...errors import InvalidInputError
from ..collection import Collection
from ..run import Run

#: As many of the first documents of each run are judged, as nDCG@10 looks at.
POOL = 10


@dataclass(frozen=True, slots=True)
class Pair:
    """A query and one of its documents, by their ids and with their texts."""

    query: str
    document: str
    asked: str
    text: str

    @property
    def key(self) -> str:
        """The same for the same texts, in whichever collection: 32 hexadecimal digits."""
        digest = blake2b(digest_size=16)
        for part in (self.asked, self.text):
            data = part.encode("utf-8", "surrogatepass")
            digest.update(len(data).to_bytes(8, "big") + data)
        return digest.hexdigest()


def pooled(collection: Collection, runs: Sequence[Run] = (), depth: int = POOL) -> list[Pair]:
    """The first `depth` documents of the base and of every run, each once, query by query.

    Raises `InvalidInputError` where texts are missing, or a run has a document that is none.
    """
    if depth < 1:
        raise InvalidInputError(f"pool is {depth}: judge at least the first document of each run")
    texts_there = any(c.text for found in collection.candidates.values() for c in found)
    if not texts_there or not all(collection.queries.get(q) for q in collection.candidates):
        raise InvalidInputError(
            "queries or candidates have no text here, only ids, and nobody can judge these: "
            "give a folder with corpus.jsonl and queries.jsonl, or a log of rankings"
        )
    pairs = []
    for query, candidates in collection.candidates.items():
        texts = {str(candidate.id): candidate.text for candidate in candidates}
        wanted: dict[str, None] = {}
        for run in (collection.base, *runs):
            ranked = run.rankings.get(query)
            for doc in () if ranked is None else ranked.ids[:depth]:
                if doc not in texts:
                    raise InvalidInputError(
                        f"the run {run.name!r} ranks {doc!r} for query {query!r}, which is not "
                        "among its candidates: give more of them (--depth), or its corpus"
                    )
                wanted[doc] = None
        asked = collection.queries[query]
        # nobody can say anything of an empty document
        pairs += [Pair(query, doc, asked, texts[doc]) for doc in wanted if texts[doc].strip()]
    return pairs
