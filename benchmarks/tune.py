"""What `rerank tune` writes on few judged queries, before and after, on published runs.

    python benchmarks/tune.py [draws]

Six pairs of a retriever and a reranker. Of each collection 10, 25 and 50 queries are drawn at
random to tune on; what is then written is measured on all the others, and compared with the better
of retriever alone and reranker alone on those. Before: the best of a hundred settings by a lower
confidence bound, written only where its gain, held out, is significant at 5%. Printed by pair and
size: the mean difference in nDCG@10, the worst, and the share of draws more than 0.003 below.
`evaluation.py` has the pairs; `RERANK_DATA` names the folder of the collections.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from evaluation import PAIRS
from scifact_data import DATA

from rerank_core.combine import ReciprocalRankFusion
from rerank_core.combine.normalize import normalize
from rerank_core.evaluation import load, read_run
from rerank_core.evaluation.measures import parse
from rerank_core.evaluation.selection import Columns, choose
from rerank_core.evaluation.settings import DEPTHS, WEIGHTS, settings
from rerank_core.evaluation.signals import Signals, signals_of
from rerank_core.evaluation.significance import paired
from rerank_core.evaluation.tuning import measured

SIZES, DRAWS, BELOW = (10, 25, 50), 200, 0.003
#: The rule of before is slow: so many draws, splits and folds.
OLD_DRAWS, OLD_SPLITS, OLD_FOLDS = 40, 4, 10
#: At least so many queries are left to measure on.
LEFT = 15

Table = Any


def tables(qrels: str, base: str, reranked: str) -> tuple[Table, Columns, Table]:
    """nDCG@10 by query and setting: of now, and of before."""
    collection = load(base=DATA / base, qrels=DATA / qrels)
    signals = signals_of(collection, {"reranker": read_run(DATA / reranked)})
    (measure,) = parse(["nDCG@10"])
    tried = list(settings(["reranker"], signals.depth))
    now = np.stack([measured(s, signals, measure, collection.qrels) for s in tried], axis=1)
    before = [_ndcg(signals, collection.qrels, order) for order in _old_orders(signals)]
    return now, Columns(tried), np.stack(before, axis=1)


def _old_orders(signals: Signals) -> Iterator[list[list[int]]]:
    """What was tried before, by query: the ends first, then depths, weights, scales and fusion."""
    scorer = signals.scorer("reranker", signals.depth)
    rows = [
        (
            signals.retrieval[row, : len(ids)].tolist(),
            scorer.scores[row, : len(ids)].tolist(),
            np.argsort(scorer.positions[row, : len(ids)], kind="stable").tolist(),
        )
        for row, ids in enumerate(signals.ids)
    ]
    yield [list(range(len(ids))) for ids in signals.ids]
    yield [alone for _, _, alone in rows]
    for depth in [signals.depth, *(d for d in DEPTHS if d < signals.depth)]:
        if depth != signals.depth:
            yield [
                [at for at in alone if at < depth] + list(range(depth, len(alone)))
                for _, _, alone in rows
            ]
        for how in ("min-max", "z-score", "rank", "sigmoid", "none"):
            scaled = [
                (normalize(a[:depth], how), normalize(b[:depth], how))  # type: ignore[arg-type]
                for a, b, _ in rows
            ]
            for share in WEIGHTS:
                yield [
                    _by([(1 - share) * x + share * y for x, y in zip(a, b, strict=True)], row)
                    for (a, b), row in zip(scaled, rows, strict=True)
                ]
        for k in (10, 60):
            for share in (0.3, 0.5, 0.7):
                fused = ReciprocalRankFusion(k, {"a": 1 - share, "b": share})
                yield [
                    _by(fused.combine({"a": a[:depth], "b": b[:depth]}), (a, b, _))
                    for a, b, _ in rows
                ]


def _by(total: Any, row: Any) -> list[int]:
    head = sorted(range(len(total)), key=lambda at: -total[at])
    return head + list(range(len(total), len(row[0])))


def _ndcg(signals: Signals, qrels: Any, order: list[list[int]]) -> Table:
    discount = 1 / np.log2(np.arange(2, 12))
    found = []
    for query, ids, places in zip(signals.queries, signals.ids, order, strict=True):
        grades = qrels[query]
        ideal = np.array(sorted((max(g, 0) for g in grades.values()), reverse=True)[:10], float)
        gains = np.array([max(0, grades.get(ids[at], 0)) for at in places[:10]], float)
        best = float((ideal * discount[: len(ideal)]).sum())
        found.append(float((gains * discount[: len(gains)]).sum()) / best if best else 0.0)
    return np.array(found)


def old_choose(values: Table) -> int:
    """The best difference less two errors, to the better end or the mean of ends alike."""
    end = int(np.argmax(values[:, :2].mean(0)))

    def differences(of: Table, to: Table) -> tuple[Table, Table]:
        apart = of - to[:, None]
        return apart.mean(0), apart.std(0, ddof=1) / np.sqrt(len(apart))

    behind, error = differences(values[:, :2], values[:, end])
    equals = behind >= -2 * error
    gains, error = differences(values[:, 2:], values[:, :2][:, equals].mean(1))
    best = int(np.argmax(gains - 2 * error))
    if equals.sum() > 1 or gains[best] >= max(0.001, 2 * error[best]):
        return 2 + best
    return end


def old(values: Table, seed: int) -> int:
    """What was written before: that, if its held-out gain over the better end has p < 0.05."""
    draw, count = np.random.default_rng(seed), len(values)
    held_out = np.empty((OLD_SPLITS, count))
    for split in range(OLD_SPLITS):
        shuffled = draw.permutation(count)
        for fold in range(folds := min(OLD_FOLDS, count)):
            test = shuffled[fold::folds]
            held_out[split, test] = values[test, old_choose(np.delete(values, test, axis=0))]
    end = int(np.argmax(values[:, :2].mean(0)))
    mean = held_out.mean(0)
    better = mean.mean() > values[:, end].mean()
    if better and paired(values[:, end].tolist(), mean.tolist()).p < 0.05:
        return old_choose(values)
    return end


def compared(
    values: Table, ends: list[int], rule: Callable[[Table, int], int], size: int, draws: int
) -> Table:
    """By draw: the measure of what is written less that of the better end, on the other queries."""
    draw, found = np.random.default_rng(1), []
    for seed in range(draws):
        shuffled = draw.permutation(len(values))
        train, test = values[shuffled[:size]], values[shuffled[size:]]
        means = test.mean(0)
        found.append(means[rule(train, seed)] - means[ends].max())
    return np.array(found)


def main(draws: int) -> None:
    print(f"{'':34} {'':>7} {'before':^22}   {'now':^22}")
    print(
        f"{'reranker over BM25':34} {'queries':>7} "
        + 2 * f"{'mean':>7} {'worst':>7} {'below':>6}   "
    )
    whole: dict[int, list[tuple[Table, Table]]] = {}
    for qrels, base, reranked in PAIRS:
        now, columns, before = tables(qrels, base, reranked)
        name = Path(reranked).stem.removeprefix("rerank-")[:34]
        for size in SIZES:
            if len(now) - size < LEFT:
                continue
            found = (
                compared(before, [0, 1], old, size, min(draws, OLD_DRAWS)),
                compared(now, columns.ends, lambda v, _, c=columns: choose(v, c), size, draws),
            )
            whole.setdefault(size, []).append(found)
            print(f"{name:34} {size:7} " + "   ".join(map(_line, found)), flush=True)
    for size, pairs in whole.items():
        told = [np.concatenate(side) for side in zip(*pairs, strict=True)]
        print(f"{f'all {len(pairs)}':34} {size:7} " + "   ".join(map(_line, told)))


def _line(found: Table) -> str:
    return f"{found.mean():+7.4f} {found.min():+7.4f} {(found < -BELOW).mean():6.1%}"


if __name__ == "__main__":
    if not (DATA / "scifact").is_dir():
        sys.exit(f"no test collections at {DATA}: set RERANK_DATA")
    main(int(sys.argv[1]) if len(sys.argv) > 1 else DRAWS)
