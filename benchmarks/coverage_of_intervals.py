"""How often a 95% interval of the mean difference holds the true one, on few queries.

    python benchmarks/coverage_of_intervals.py [samples]

The differences in nDCG@10 between a retriever and a reranker on each of six published pairs are
taken for the truth; samples of 5 to 100 queries are drawn from them with replacement. Of each the
t interval, the percentile bootstrap's and BCa's (SciPy), and the share that holds the true mean;
samples whose differences are all alike are left out.
"""

from __future__ import annotations

import sys
import warnings

import numpy as np
from evaluation import PAIRS
from scifact_data import DATA
from scipy import stats

from rerank_core.evaluation import load, read_run
from rerank_core.evaluation.measures import parse, per_query
from rerank_core.evaluation.significance import paired

SIZES, SAMPLES, DRAWS = (5, 10, 15, 20, 50, 100), 300, 999


def differences(qrels: str, base: str, reranked: str) -> np.ndarray:
    collection = load(base=DATA / base, qrels=DATA / qrels)
    (measure,) = parse(["nDCG@10"])
    before, after = (
        per_query([measure], collection.qrels, run.to_measure())["nDCG@10"]
        for run in (collection.base, read_run(DATA / reranked))
    )
    return np.array([after[query] - before[query] for query in before])


def covers(drawn: np.ndarray, truth: float, seed: int) -> tuple[bool, bool, bool]:
    found = paired([0.0] * len(drawn), drawn.tolist())
    ends = [(found.low, found.high)]
    for method in ("percentile", "BCa"):
        interval = stats.bootstrap(
            (drawn,), np.mean, n_resamples=DRAWS, method=method, rng=np.random.default_rng(seed)
        ).confidence_interval
        ends.append((interval.low, interval.high))
    t, percentile, bca = (bool(low <= truth <= high) for low, high in ends)
    return t, percentile, bca


def main(samples: int) -> None:
    whole = [differences(*pair) for pair in PAIRS]
    print(f"{'queries':>7} {'t':>7} {'bootstrap':>10} {'BCa':>7}   the worst pair of each")
    for size in SIZES:
        by_pair = []
        for values in whole:
            draw = np.random.default_rng(0)
            drawn = [draw.choice(values, size) for _ in range(samples)]
            by_pair.append(
                np.mean(
                    [
                        covers(one, float(values.mean()), seed)
                        for seed, one in enumerate(drawn)
                        if np.ptp(one) > 0
                    ],
                    axis=0,
                )
            )
        mean, worst = np.mean(by_pair, axis=0), np.min(by_pair, axis=0)
        print(
            f"{size:7} {mean[0]:7.1%} {mean[1]:10.1%} {mean[2]:7.1%}   "
            + "  ".join(f"{share:.0%}" for share in worst),
            flush=True,
        )


if __name__ == "__main__":
    if not (DATA / "scifact").is_dir():
        sys.exit(f"no test collections at {DATA}: set RERANK_DATA")
    warnings.filterwarnings("ignore", category=stats.DegenerateDataWarning)
    main(int(sys.argv[1]) if len(sys.argv) > 1 else SAMPLES)
