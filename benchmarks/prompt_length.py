"""How much of a document is worth showing: nDCG@10 by the first N characters, beside tokens.

    python benchmarks/prompt_length.py [--encoder]     the encoder takes minutes

100 dense candidates a query of SciFact, ranked by their first N characters: by BM25 over the
candidates, and by cosine of all-MiniLM-L6-v2. Neither is an LLM: they stand in for one, since they
lose what is cut off as it does. The encoder itself reads no further than 256 tokens, about 1,100
characters, and abstracts are short: 1,400 characters in the mean. Tokens are estimated, of ten
documents in one call.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
from collections.abc import Mapping

from scifact_data import SciFact, minilm_folder, ndcg_10

from rerank_core.scorers import BM25Scorer
from rerank_core.text.truncation import estimate_tokens, truncate

LENGTHS = (150, 300, 600, 1000, 2000)
Run = dict[str, dict[str, float]]


def by_bm25(data: SciFact, shown: Mapping[str, str], lists: Mapping[str, list[str]]) -> Run:
    async def rank() -> Run:
        scorer, run = BM25Scorer(), {}
        for query, documents in lists.items():
            texts = [shown[document] for document in documents]
            scores = await scorer.score(data.queries[query], texts)
            run[query] = {
                document: (score or 0.0) - place * 1e-9
                for place, (document, score) in enumerate(zip(documents, scores, strict=True))
            }
        return run

    return asyncio.run(rank())


def by_encoder(data: SciFact, shown: Mapping[str, str], lists: Mapping[str, list[str]]) -> Run:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(minilm_folder(), device="cpu")
    needed = sorted({document for documents in lists.values() for document in documents})
    vectors = model.encode([shown[d] for d in needed], batch_size=16, normalize_embeddings=True)
    of = dict(zip(needed, vectors, strict=True))
    asked = model.encode([data.queries[query] for query in lists], normalize_embeddings=True)
    return {
        query: {document: float(vector @ of[document]) for document in documents}
        for vector, (query, documents) in zip(asked, lists.items(), strict=True)
    }


def main() -> None:
    data = SciFact()
    rankers = [by_bm25, by_encoder] if "--encoder" in sys.argv else [by_bm25]
    lists = {q: [document for document, _ in found] for q, found in data.dense(100).items()}
    print(f"{'characters':>10}{'cut':>7}{'tokens a call':>15}{'BM25':>8}{'encoder':>9}")
    for length in LENGTHS:
        cuts = {document: truncate(text, length) for document, text in data.texts.items()}
        shown = {document: text for document, (text, _) in cuts.items()}
        share = statistics.fmean(was_cut for _, was_cut in cuts.values())
        tokens = 10 * statistics.fmean(estimate_tokens(text) for text in shown.values())
        values = "".join(f"{ndcg_10(data.qrels, r(data, shown, lists)):8.3f}" for r in rankers)
        print(f"{length:10}{share:7.0%}{tokens:15.0f}{values}", flush=True)


if __name__ == "__main__":
    main()
