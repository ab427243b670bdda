"""What the embedded default is worth: SciFact, 10 to 100 candidates deep, by two retrievers.

    python benchmarks/embedded_default.py

prints nDCG@10 (by ir_measures) of the retriever's order, of `Reranker()`, and of the same where the
retriever's scores are withheld (its order alone, through `Retrieved`; a plain list). Beside it
stands what it was before: words as they are written, no prior, half and half. The candidates are
all-MiniLM-L6-v2's, and BM25's over the whole corpus (unstemmed, by bm25s). It exits with 1 where
the default is below its retriever. See scifact_data.py for where the data is expected.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence

from scifact_data import SciFact, ndcg_10

from rerank_core import Candidate, Reranker
from rerank_core.combine import WeightedSum
from rerank_core.evaluation.retrieval import bm25_run
from rerank_core.ranking.given import Retrieved
from rerank_core.text.words import words

DEPTHS = 10, 20, 50, 100

Found = list[tuple[str, float]]


def unstemmed(query: str, texts: Sequence[str]) -> list[float]:
    """BM25 over the candidates alone, words as they are written."""
    import bm25s

    vocabulary: dict[str, int] = {}
    corpus = [[vocabulary.setdefault(w, len(vocabulary)) for w in words(text)] for text in texts]
    index = bm25s.BM25()
    index.index((corpus, vocabulary), create_empty_token=False, show_progress=False)
    wanted = [vocabulary[word] for word in words(query) if word in vocabulary]
    return [float(score) for score in index.get_scores(wanted)] if wanted else [0.0] * len(texts)


def scored(data: SciFact, found: Found) -> list[Candidate]:
    return [Candidate(data.texts[i], id=i, score=score) for i, score in found]


def ordered(data: SciFact, found: Found) -> list[Candidate]:
    return Retrieved(Candidate(data.texts[i], id=i) for i, _ in found)


def plain(data: SciFact, found: Found) -> list[Candidate]:
    return list(ordered(data, found))


def ndcg(
    data: SciFact, found: Mapping[str, Found], reranker: Reranker, form: Callable[..., object]
) -> float:
    run = {}
    for query, best in found.items():
        hits = reranker.rank(data.queries[query], form(data, best)).all  # type: ignore[arg-type]
        run[query] = {str(hit.id): -float(hit.rank) for hit in hits}
    return ndcg_10(data.qrels, run)


def main() -> None:
    data = SciFact()
    lexical = bm25_run(data.texts, data.queries, max(DEPTHS))
    retrievers: dict[str, dict[str, Found]] = {
        "all-MiniLM-L6-v2": data.dense(max(DEPTHS)),
        "BM25": {
            query: list(zip(ranked.ids, ranked.scores, strict=True))
            for query, ranked in lexical.rankings.items()
        },
    }
    before = Reranker(
        {"unstemmed": unstemmed},
        top_n=None,
        combine=WeightedSum({"unstemmed": 0.5, "retrieval": 0.5}),
    )
    default = Reranker(top_n=None)
    below = False
    print("| SciFact, 300 queries | " + " | ".join(map(str, DEPTHS)) + " |")
    print("|---|" + "---|" * len(DEPTHS))
    for name, candidates in retrievers.items():
        cut = {k: {query: found[:k] for query, found in candidates.items()} for k in DEPTHS}
        retriever = ndcg_10(data.qrels, {query: dict(f) for query, f in candidates.items()})
        rows = {
            "words as written, no prior": [ndcg(data, cut[k], before, scored) for k in DEPTHS],
            "the embedded default": [ndcg(data, cut[k], default, scored) for k in DEPTHS],
            "the same, scores withheld": [ndcg(data, cut[k], default, ordered) for k in DEPTHS],
            "the same, a plain list": [ndcg(data, cut[k], default, plain) for k in DEPTHS],
        }
        print(f"| {name} |" + f" {retriever:.4f} |" * len(DEPTHS))
        for row, values in rows.items():
            print(f"| {name}, {row} | " + " | ".join(f"{value:.4f}" for value in values) + " |")
            sys.stdout.flush()
        below = below or min(rows["the embedded default"]) < retriever
    sys.exit("the default is below its retriever" if below else 0)


if __name__ == "__main__":
    main()
