"""Does the doctor name what is wrong, and keep silent where nothing is?

    python benchmarks/doctor.py [--quick]

One pipeline for each cause and healthy ones, of several sizes, severities and seeds, with and
without judgements; and real runs over SciFact and TREC DL 2019 where they are at hand (see
scifact_data.py for where). A fault is found where its cause is among the first two named. A name
given to a healthy pipeline is a false alarm, but for `too_few_judgements` below 25 queries, which
is true.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "core"), str(ROOT / "tests" / "doctor")]

from planted import of_size  # noqa: E402
from planted_otherwise import FAULTS, HEALTHY  # noqa: E402

from rerank_core import Candidate, Reranker  # noqa: E402
from rerank_core.combine import ReciprocalRankFusion  # noqa: E402
from rerank_core.doctor import Cause, Diagnosis, diagnose  # noqa: E402
from rerank_core.evaluation import load, read_run  # noqa: E402
from rerank_core.evaluation.advice import FEW  # noqa: E402

#: Queries and candidates.
SIZES = ((5, 40), (12, 30), (30, 20), (60, 50), (150, 30), (300, 100))
SEVERITIES = (0.3, 0.6, 1.0)

Sized = tuple[int, int]
Outcome = tuple[str, str, Sized, list[str]]


def fault(job: tuple[str, Sized, int]) -> list[Outcome]:
    name, size, seed = job
    logging.disable(logging.CRITICAL)
    pipeline, _, needs_judgements = FAULTS[name]
    found = []
    for how_bad in SEVERITIES:
        for judged in (True,) if needs_judgements else (True, False):
            named = pipeline(of_size(name, *size, seed), how_bad, judged)
            found.append((name, f"{how_bad} {'judged' if judged else ''}", size, _causes(named)))
    return found


def healthy(job: tuple[str, Sized, int]) -> list[Outcome]:
    name, size, seed = job
    logging.disable(logging.CRITICAL)
    found = []
    for judged in (True, False):
        named = _causes(HEALTHY[name](of_size(name, *size, seed), judged))
        if size[0] < FEW:
            named = [cause for cause in named if cause != Cause.TOO_FEW]
        found.append((name, "judged" if judged else "", size, named))
    return found


def _causes(diagnosis: Diagnosis) -> list[str]:
    return [str(finding.cause) for finding in diagnosis]


def real_runs() -> Iterator[tuple[str, Diagnosis, bool]]:
    """Name, diagnosis, and whether it is healthy: whether it helps."""
    from scifact_data import DATA, SciFact

    if not (DATA / "scifact").is_dir():
        print("no real runs: set RERANK_DATA", file=sys.stderr)
        return
    scifact = load(DATA / "scifact", base=DATA / "scifact/runs/bm25-top20.trec")
    dl19 = load(base=DATA / "trec-dl-2019/bm25-top100.trec", qrels=DATA / "trec-dl-2019/qrels.txt")
    for collection, folder in ((scifact, "scifact/runs"), (dl19, "trec-dl-2019")):
        for file in sorted((DATA / folder).glob("rerank*.trec")):
            diagnosis = diagnose(read_run(file, file.stem), collection)
            yield file.stem, diagnosis, (diagnosis.after or 0) > (diagnosis.before or 0)
    data = SciFact()
    queries = {
        data.queries[query]: [Candidate(data.texts[doc], doc, score) for doc, score in found]
        for query, found in data.dense(100).items()
    }
    qrels: dict[str, dict[str, int]] = {}
    for judgement in data.qrels:
        text = data.queries[judgement.query_id]
        qrels.setdefault(text, {})[judgement.doc_id] = judgement.relevance
    for name, reranker in (
        ("dense, hybrid", Reranker()),
        ("dense, rank fusion with BM25", Reranker("bm25", combine=ReciprocalRankFusion())),
    ):
        yield name, diagnose(reranker, queries, qrels), True
        few = dict(list(queries.items())[:40])
        yield f"{name}, 40 queries", diagnose(reranker, few, qrels), True
        yield f"{name}, not judged", diagnose(reranker, few), True


def table(title: str, outcomes: Sequence[Outcome], names: Sequence[str], good: str) -> None:
    sizes = sorted({size for _, _, size, _ in outcomes})
    head = "".join(f"{f'{q}×{c}':>10}" for q, c in sizes)
    print(f"\n{title:32}{head}{'all':>12}   {good}")
    for name in [*names, "all"]:
        mine = [outcome for outcome in outcomes if name in (outcome[0], "all")]
        cells = "".join(f"{_share(name, [o for o in mine if o[2] == size]):>10}" for size in sizes)
        others = Counter(cause for o in mine for cause in o[3] if not _is_right(o, cause))
        told = ", ".join(f"{cause} {many}" for cause, many in others.most_common(3))
        print(f"{name:32}{cells}{_share(name, mine):>12}   {told}")


def _is_right(outcome: Outcome, cause: str) -> bool:
    return outcome[0] in FAULTS and cause == FAULTS[outcome[0]][1]


def _share(name: str, outcomes: Sequence[Outcome]) -> str:
    right = sum(FAULTS[o[0]][1] in o[3][:2] if o[0] in FAULTS else not o[3] for o in outcomes)
    return f"{right}/{len(outcomes)}"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--quick", action="store_true", help="two sizes, one seed")
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--first", type=int, default=100, help="the first seed")
    chosen = options.parse_args()
    sizes = SIZES[2:4] if chosen.quick else SIZES
    seeds = range(chosen.first, chosen.first + (1 if chosen.quick else chosen.seeds))
    with ProcessPoolExecutor(2) as pool:
        faults = pool.map(
            fault, [(name, size, seed) for seed in seeds for size in sizes for name in FAULTS]
        )
        well = pool.map(
            healthy, [(name, size, seed) for seed in seeds for size in sizes for name in HEALTHY]
        )
        table(
            "planted fault, found",
            [o for several in faults for o in several],
            list(FAULTS),
            "also named",
        )
        table(
            "healthy, nothing named",
            [o for several in well for o in several],
            list(HEALTHY),
            "named",
        )
    print(f"\n{'real runs':44}{'before':>8}{'after':>8}   named")
    for name, diagnosis, helps in real_runs():
        figures = "".join(
            f"{'' if v is None else f'{v:.3f}':>8}" for v in (diagnosis.before, diagnosis.after)
        )
        told = ", ".join(_causes(diagnosis)) or "nothing"
        print(f"{name:44}{figures}   {told}{'' if helps else '   (it does not help)'}")


if __name__ == "__main__":
    main()
