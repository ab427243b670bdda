"""What a half-done reranking is worth: nDCG@10 against the share of candidates that are scored.

A published reranking run stands for the scorer: its order is the score. Batches of ten (SciFact:
five) candidates come back at random (mean of many draws) or top first, and the rest is placed by
`rerank_core.combine.estimate` or by one of six simple ways. Then the same with every published run
in the retriever's place: a strong retriever and a scorer hardly better, or worse.

    python benchmarks/anytime.py [--draws 50] [--plot anytime.png]

The last lines say by how much ours keeps each of its promises at worst, and the exit status is 1
where one is broken over the first-stage retrievers. Between two rerankers none is made: which of
them is right cannot be told from their orders, and the middle of the curve may dip.

The collections are found by RERANK_DATA (default: ../shared/data).
"""

from __future__ import annotations

import argparse
import math
import os
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from statistics import fmean

import ir_measures
from ir_measures import Qrel, ScoredDoc, nDCG

from rerank_core.combine import estimate

Scores = list[float | None]
Way = Callable[[Scores], list[int]]
Run = dict[str, list[str]]
Qrels = dict[str, dict[str, int]]

OURS = "ours"
MEASURE = nDCG @ 10

BEST = "below the best of the six by"
BELOW = "below the retriever by"
DROP = "drop from one share to the next by"
WORSE = "a judge worse than the retriever: below it by"
# What each may be, in nDCG@10; 1e-9 is for rounding.
LIMITS = {BEST: 0.01, BELOW: 1e-9, DROP: 0.005, WORSE: 1e-9}


@dataclass(frozen=True)
class Collection:
    """A run that retrieved, with the judgements, and the runs that order the same candidates."""

    folder: str
    retrieved: str
    judges: tuple[str, ...]
    group: int
    shares: tuple[float, ...]


@dataclass(frozen=True)
class Query:
    """What is needed of one query: candidates in retrieval order, with gain and judge's score."""

    gains: list[int]
    scores: list[float]
    ideal: float


TREC_DL = Collection(
    "trec-dl-2019",
    "bm25-top100.trec",
    (
        "rerank-gpt35turbo-rankgpt-bm25top100.trec",
        "rerank-rankvicuna7b-bm25top100.trec",
        "rerank-vicuna13b-v1.5-zeroshot-bm25top100.trec",
    ),
    group=10,
    shares=(0, 0.1, 0.25, 0.5, 0.75, 0.9, 1),
)
SCIFACT = Collection(
    "scifact",
    "runs/bm25-top20.trec",
    (
        "runs/rerank-qwen2.5-3b-pointwise.trec",
        "runs/rerank-qwen2.5-3b-gccp.trec",
        "runs/rerank-qwen2.5-1.5b-pointwise.trec",
    ),
    group=5,
    shares=(0, 0.25, 0.5, 0.75, 1),
)
FIRST_STAGE = (TREC_DL, SCIFACT)


def between(collection: Collection) -> list[Collection]:
    """Each reranking run as the retriever, the others and the real retriever as judges."""
    runs = (collection.retrieved, *collection.judges)
    return [
        replace(collection, retrieved=run, judges=tuple(other for other in runs if other != run))
        for run in collection.judges
    ]


# -- the six simple ways, each over scores 0..1 in retrieval order ------------------------------


def all_or_nothing(scores: Scores) -> list[int]:
    return filled(scores, [0.0] * len(scores)) if None not in scores else list(range(len(scores)))


def filled_with(value: float) -> Way:
    return lambda scores: filled(scores, [value] * len(scores))


def permuted(scores: Scores) -> list[int]:
    held = [place for place, score in enumerate(scores) if score is not None]
    ranked = iter(sorted(held, key=lambda place: -(scores[place] or 0.0)))
    return [place if score is None else next(ranked) for place, score in enumerate(scores)]


def by_quantile(scores: Scores) -> list[int]:
    ascending = sorted(score for score in scores if score is not None)

    def quantile(share: float) -> float:
        at = share * (len(ascending) - 1)
        low = math.floor(at)
        high = min(low + 1, len(ascending) - 1)
        return ascending[low] + (at - low) * (ascending[high] - ascending[low])

    return filled(scores, [quantile(1 - (i + 0.5) / len(scores)) for i in range(len(scores))])


def by_line(scores: Scores) -> list[int]:
    known = [(place, score) for place, score in enumerate(scores) if score is not None]
    middle, mean = fmean(place for place, _ in known), fmean(score for _, score in known)
    spread = math.fsum((place - middle) ** 2 for place, _ in known)
    slope = math.fsum((place - middle) * (score - mean) for place, score in known) / spread
    slope = min(slope, 0.0)  # or the whole rest would stand on its head
    return filled(scores, [mean + slope * (place - middle) for place in range(len(scores))])


def filled(scores: Scores, values: Sequence[float]) -> list[int]:
    full = [v if s is None else s for s, v in zip(scores, values, strict=True)]
    return sorted(range(len(full)), key=lambda place: -full[place])


WAYS: Mapping[str, Way] = {
    "all or nothing": all_or_nothing,
    "filled with 0": filled_with(0.0),
    "filled with 0.5": filled_with(0.5),
    "permuted in place": permuted,
    "by quantile": by_quantile,
    "by a fitted line": by_line,
    OURS: estimate.order,
}


# -- files and measure -------------------------------------------------------------------------


def read_run(path: Path) -> Run:
    ranked: dict[str, list[tuple[int, str]]] = {}
    for line in path.read_text().splitlines():
        query, _, document, rank, *_ = line.split()
        ranked.setdefault(query, []).append((int(rank), document))
    return {query: [document for _, document in sorted(rows)] for query, rows in ranked.items()}


def read_qrels(path: Path) -> Qrels:
    qrels: Qrels = {}
    for line in path.read_text().splitlines():
        query, _, document, grade = line.split()
        qrels.setdefault(query, {})[document] = int(grade)
    return qrels


def discounted(gains: Sequence[int]) -> float:
    return math.fsum(gain / math.log2(place + 2) for place, gain in enumerate(gains[:10]))


def prepare(retrieved: Run, judged: Run, qrels: Qrels) -> list[Query]:
    queries = []
    for query in sorted(qrels.keys() & retrieved.keys()):
        documents, grades = retrieved[query], qrels[query]
        ideal = discounted(sorted(grades.values(), reverse=True))
        if ideal > 0:
            places = {document: place for place, document in enumerate(judged[query])}
            queries.append(
                Query(
                    [max(0, grades.get(document, 0)) for document in documents],
                    [1 - places[document] / len(documents) for document in documents],
                    ideal,
                )
            )
    return queries


def ndcg(query: Query, order: Sequence[int]) -> float:
    return discounted([query.gains[place] for place in order[:10]]) / query.ideal


def second_opinion(run: Run, qrels: Qrels) -> float:
    """The same measure by ir_measures."""
    return float(
        ir_measures.calc_aggregate(
            [MEASURE],
            [Qrel(q, d, grade) for q, grades in qrels.items() for d, grade in grades.items()],
            [ScoredDoc(q, d, -float(i)) for q, docs in run.items() for i, d in enumerate(docs)],
        )[MEASURE]
    )


# -- the curve ---------------------------------------------------------------------------------


def curves(
    queries: Sequence[Query], collection: Collection, top_first: bool, draws: int
) -> dict[str, list[float]]:
    """Mean nDCG@10 by way, at each share; every way sees the same draws."""
    chance = random.Random(0)
    totals = {way: [0.0] * len(collection.shares) for way in WAYS}
    draws = 1 if top_first else draws
    for query in queries:
        count = len(query.scores)
        groups = [
            range(first, min(first + collection.group, count))
            for first in range(0, count, collection.group)
        ]
        for _ in range(draws):
            if not top_first:
                chance.shuffle(groups)
            for at, share in enumerate(collection.shares):
                back = {i for group in groups[: round(share * len(groups))] for i in group}
                scores = [s if i in back else None for i, s in enumerate(query.scores)]
                for way, place in WAYS.items():
                    order = place(scores) if back else range(count)
                    totals[way][at] += ndcg(query, order)
    return {way: [x / draws / len(queries) for x in sums] for way, sums in totals.items()}


def margins(by_way: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """How far ours is on the wrong side of each promise that holds for this judge, by its name."""
    ours = by_way[OURS]
    retriever, judge = ours[0], ours[-1]
    partial = ours[1:-1]
    if judge <= retriever:
        return {WORSE: judge - min(partial)}
    best = [max(by_way[way][i] for way in WAYS if way != OURS) for i in range(len(ours))]
    return {
        BEST: max(b - o for b, o in zip(best, ours, strict=True)),
        BELOW: retriever - min(partial),
        DROP: max(before - after for before, after in pairwise(ours)),
    }


def verdict(by_way: Mapping[str, Sequence[float]]) -> str:
    return ", ".join(f"{promise} {margin:+.4f}" for promise, margin in margins(by_way).items())


def worst(results: Sequence[Mapping[str, Sequence[float]]]) -> dict[str, float]:
    """The worst margin of each promise."""
    found: dict[str, float] = {}
    for by_way in results:
        for promise, margin in margins(by_way).items():
            found[promise] = max(margin, found.get(promise, -math.inf))
    return found


Results = dict[tuple[str, str], dict[str, list[float]]]


def measure(data: Path, collection: Collection, draws: int) -> Results:
    folder = data / collection.folder
    retrieved, qrels = read_run(folder / collection.retrieved), read_qrels(folder / "qrels.txt")
    results: Results = {}
    for name in collection.judges:
        judged = read_run(folder / name)
        queries = prepare(retrieved, judged, qrels)
        for top_first in (False, True):
            by_way = curves(queries, collection, top_first, draws)
            for run, share in ((retrieved, 0), (judged, -1)):
                difference = abs(second_opinion(run, qrels) - by_way[OURS][share])
                if difference > 1e-6:
                    raise SystemExit(f"{name}: ir_measures differs by {difference}")
            order = "top first" if top_first else "at random"
            results[short(name), order] = by_way
    return results


def short(name: str) -> str:
    return Path(name).stem.removeprefix("rerank-")


def show(collection: Collection, results: Results) -> None:
    for (judge, order), by_way in results.items():
        print(
            f"\n{collection.folder}, {judge} over {short(collection.retrieved)}, "
            f"groups of {collection.group} come back {order}"
        )
        print(" " * 18 + "".join(f"{share:>7.0%}" for share in collection.shares))
        for way, values in by_way.items():
            print(f"{way:18}" + "".join(f"{value:7.3f}" for value in values))
        print(f"ours: {verdict(by_way)}")


def plot(file: str, collection: Collection, results: Results) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    judges = list(dict.fromkeys(judge for judge, _ in results))
    figure, axes = pyplot.subplots(
        len(judges), 2, figsize=(10, 3.4 * len(judges)), sharex=True, sharey="row", squeeze=False
    )
    for row, judge in zip(axes, judges, strict=True):
        for axis, order in zip(row, ("at random", "top first"), strict=True):
            for way, values in results[judge, order].items():
                ours = way == OURS
                axis.plot(
                    [100 * share for share in collection.shares],
                    values,
                    label=way,
                    color="black" if ours else None,
                    linewidth=2.5 if ours else 1.1,
                    marker="o" if ours else None,
                    markersize=4,
                    zorder=3 if ours else 2,
                )
            axis.set_title(f"{judge}, groups come back {order}", fontsize=9)
            axis.grid(alpha=0.3)
        row[0].set_ylabel("nDCG@10")
    for axis in axes[-1]:
        axis.set_xlabel("% of candidates scored")
    axes[0][0].legend(fontsize=7, loc="lower right")
    figure.tight_layout()
    figure.savefig(file, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description="nDCG@10 against the share that is scored")
    parser.add_argument("--draws", type=int, default=50, help="random orders for each query")
    parser.add_argument("--plot", metavar="FILE.png", help="draw the TREC DL curves here")
    options = parser.parse_args()
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    data = Path(os.environ.get("RERANK_DATA", default))
    if not data.is_dir():
        raise SystemExit(f"no collections at {data}: set RERANK_DATA to where they are")
    promised, open_ended = [], []
    for collection in FIRST_STAGE:
        results = measure(data, collection, options.draws)
        show(collection, results)
        promised += results.values()
        if options.plot and collection is TREC_DL:
            plot(options.plot, collection, results)
    for collection in between(TREC_DL) + between(SCIFACT):
        results = measure(data, collection, options.draws)
        show(collection, results)
        open_ended += results.values()
    if not kept(worst(promised), worst(open_ended)):
        raise SystemExit(1)


def kept(promised: Mapping[str, float], elsewhere: Mapping[str, float]) -> bool:
    """Print the worst margins; whether none that is promised is over its limit."""
    print("\nworst margins" + " " * 33 + "   limit  over BM25  between rerankers")
    for promise, limit in LIMITS.items():
        over = "  <- broken" if promised[promise] > limit else ""
        print(
            f"{promise:46}{limit:8.4f}{promised[promise]:+11.4f}{elsewhere[promise]:+19.4f}{over}"
        )
    return all(margin <= LIMITS[promise] for promise, margin in promised.items())


if __name__ == "__main__":
    main()
