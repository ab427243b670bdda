"""A cascade against fixed depths: nDCG@10 for what is asked of the dear scorer.

Published reranking runs stand for the scorers: a run's order is its score, and what it costs is
counted in documents shown. On each collection, over the retriever's candidates:

- fixed depth: the dear scorer over the retriever's first so many;
- cascade: the cheap scorer over all of them, and the dear one over its best so many;
- the same with `unless`, learned by `rerank_core.evaluation.skipping` and measured on queries held
  out; where none is learned, the line is that of the cascade.

Wall time is by a model, not measured: the cheap scorer takes 5 ms a document, one at a time; the
dear one 0.4 s a document, eight at once. The anytime part has the dear scorer's documents come back
at random, and the rest missing: the cascade must not fall below its stage before by more than
0.005. The exit status is 1 where it does.

    python benchmarks/cascade.py [--draws 20]

The collections are found by RERANK_DATA (default: ../shared/data).
"""

from __future__ import annotations

import argparse
import math
import os
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from anytime import Qrels, discounted, read_qrels

from rerank_core import Candidate, Cascade, Ranking, Reranker, Stage
from rerank_core.combine.standing import margin
from rerank_core.evaluation.skipping import fit_unless

CHEAP_SECONDS, DEAR_SECONDS, AT_ONCE = 0.005, 0.4, 8
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
MOST_BELOW = 0.005

Score = Callable[[str, list[str]], list[float | None]]
Run = dict[str, list[tuple[str, float]]]


@dataclass(frozen=True)
class Collection:
    """A run that retrieved, and the runs that stand for a cheap scorer and a dear one."""

    folder: str
    retrieved: str
    cheap: str | None
    dear: str
    depths: tuple[int, ...]


COLLECTIONS = (
    Collection(
        "scifact",
        "runs/bm25-top20.trec",
        None,
        "runs/rerank-qwen2.5-3b-pointwise.trec",
        (5, 10, 15, 20),
    ),
    Collection(
        "scifact",
        "runs/bm25-top20.trec",
        "runs/rerank-qwen2.5-3b-gccp.trec",
        "runs/rerank-qwen2.5-3b-pointwise.trec",
        (5, 10, 15, 20),
    ),
    Collection(
        "trec-dl-2019",
        "bm25-top100.trec",
        "rerank-rankvicuna7b-bm25top100.trec",
        "rerank-gpt35turbo-rankgpt-bm25top100.trec",
        (5, 10, 20, 50, 100),
    ),
)


def read_run(path: Path) -> Run:
    """By query: documents with their scores, in the order of their ranks."""
    ranked: dict[str, list[tuple[int, str, float]]] = {}
    for line in path.read_text().splitlines():
        query, _, document, rank, score, *_ = line.split()
        ranked.setdefault(query, []).append((int(rank), document, float(score)))
    return {
        query: [(document, score) for _, document, score in sorted(rows)]
        for query, rows in ranked.items()
    }


def standing_for(run: Run, left_out: Callable[[str], bool] = lambda document: False) -> Score:
    """A scorer that says what a run says: 1 for its first, less with every place."""
    places = {
        query: {document: place for place, (document, _) in enumerate(rows)}
        for query, rows in run.items()
    }

    def score(query: str, texts: list[str]) -> list[float | None]:
        place = places[query]
        return [None if left_out(text) else 1 - place[text] / len(place) for text in texts]

    return score


def ndcg(ranking: Ranking, grades: Mapping[str, int]) -> float:
    found = discounted([max(0, grades.get(hit.text, 0)) for hit in ranking.all])
    return found / discounted(sorted(grades.values(), reverse=True))


class Measured:
    """The queries of a collection, to be ranked by a cascade again and again."""

    def __init__(self, retrieved: Run, qrels: Qrels) -> None:
        self.qrels = qrels
        self.candidates = {
            query: [Candidate(document, score=score) for document, score in retrieved[query]]
            for query in sorted(qrels.keys() & retrieved.keys())
            if max(qrels[query].values(), default=0) > 0
        }

    def rank(self, *stages: Stage) -> list[Ranking]:
        """Every query's ranking; without a stage, the retriever's order."""
        cascade = Cascade(*stages) if stages else "bm25"
        with Reranker(cascade, top_n=None, timeout=None, depth=None if stages else 0) as reranker:
            return [reranker.rank(query, found) for query, found in self.candidates.items()]

    def values(self, rankings: Sequence[Ranking]) -> list[float]:
        return [ndcg(ranking, self.qrels[ranking.query]) for ranking in rankings]


def seconds(cheap: float, dear: float) -> float:
    """By the model: documents shown to either, a query."""
    return cheap * CHEAP_SECONDS + math.ceil(dear / AT_ONCE) * DEAR_SECONDS


def row(name: str, value: float, cheap: float, dear: float, wall: float) -> None:
    print(f"| {name} | {value:.4f} | {cheap:.0f} | {dear:.1f} | {wall:.2f} |")


def curve(collection: Collection, measured: Measured, cheap: Run | None, dear: Run) -> None:
    """Fixed depths, the cascade, and the cascade with a learned `unless`."""
    first = [] if cheap is None else [Stage({"cheap": standing_for(cheap)})]
    shown = 0 if cheap is None else max(map(len, measured.candidates.values()))
    before = measured.rank(*first)
    print(f"\n{collection.folder}: {short(collection.dear)} over {short(collection.retrieved)}")
    if cheap is not None:
        print(f"the cheap stage is {short(collection.cheap)}")
    print("\n| asked | nDCG@10 | cheap documents | dear documents | seconds, by the model |")
    print("|---|---|---|---|---|")
    row("the stage before alone", fmean(measured.values(before)), shown, 0, seconds(shown, 0))
    for depth in collection.depths:
        last = Stage({"dear": standing_for(dear)}, depth)
        if first:
            fixed = fmean(measured.values(measured.rank(last)))
            row(f"fixed depth {depth}", fixed, 0, depth, seconds(0, depth))
        after = measured.rank(*first, last)
        values = measured.values(after)
        kind = "cascade" if first else "fixed depth"
        row(f"{kind} {depth}", fmean(values), shown, depth, seconds(shown, depth))
        found, told = fit_unless(margins(measured, before, depth), measured.values(before), values)
        if found is None:
            print(f"| {kind} {depth}, unless | — | | | | {told}")
            continue
        asked = 1 - found.skipped
        wall = seconds(shown, 0) + asked * seconds(0, depth)
        row(f"{kind} {depth}, unless", found.held_out, shown, depth * asked, wall)


def margins(measured: Measured, before: Sequence[Ranking], depth: int) -> list[float | None]:
    """How far the best stands ahead, by the stage before or else the retriever."""
    found = []
    for ranking in before:
        scores = [hit.score for hit in ranking.all[:depth]]
        if not any(hit.scored for hit in ranking.all):
            scores = [one.score for one in measured.candidates[ranking.query][:depth]]
        found.append(margin(scores))
    return found


def anytime(collection: Collection, measured: Measured, cheap: Run, dear: Run, draws: int) -> float:
    """nDCG@10 by the share of the dear scorer's documents that are back; how far below at worst."""
    first = Stage({"cheap": standing_for(cheap)})
    chance = random.Random(0)
    depth = collection.depths[-1]
    values = []
    for share in SHARES:
        found = []
        for _ in range(1 if share in (0.0, 1.0) else draws):
            late = standing_for(dear, lambda _, share=share: chance.random() >= share)  # type: ignore[misc]
            found += measured.values(measured.rank(first, Stage({"dear": late}, depth)))
        values.append(fmean(found))
    print(f"\n{collection.folder}, the dear scorer over {depth}, so much of it back at random:")
    print(
        "  ".join(f"{share:.0%} {value:.4f}" for share, value in zip(SHARES, values, strict=True))
    )
    return values[0] - min(values)


def short(name: str | None) -> str:
    return Path(name or "").stem.removeprefix("rerank-")


def main() -> None:
    parser = argparse.ArgumentParser(description="a cascade against fixed depths")
    parser.add_argument("--draws", type=int, default=10, help="random orders for each query")
    draws = parser.parse_args().draws
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    data = Path(os.environ.get("RERANK_DATA", default))
    if not data.is_dir():
        raise SystemExit(f"no collections at {data}: set RERANK_DATA to where they are")
    worst = 0.0
    for collection in COLLECTIONS:
        folder = data / collection.folder
        measured = Measured(
            read_run(folder / collection.retrieved), read_qrels(folder / "qrels.txt")
        )
        cheap = None if collection.cheap is None else read_run(folder / collection.cheap)
        dear = read_run(folder / collection.dear)
        curve(collection, measured, cheap, dear)
        if cheap is not None:
            worst = max(worst, anytime(collection, measured, cheap, dear, draws))
    print(f"\nat worst {worst:.4f} below the stage before; {MOST_BELOW} is allowed")
    raise SystemExit(worst > MOST_BELOW)


if __name__ == "__main__":
    main()
