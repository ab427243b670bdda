"""What a language model's judgements are worth: do they rank systems as people's do?

    python benchmarks/judge.py [--draws 200] [--collections trec-dl-2019 scifact]

No language model is at hand, so the judge is a simulated one whose noise is stated: it knows the
people's grade, and errs. A share of the pairs is hard, and there it gives the same wrong grade
whenever it is asked; of the others it mistakes some anew each time. Wrong grades are those next to
the right one, as most of a real judge's are. Every answer goes through
`rerank_core.evaluation.judge` once (replies as text, tokens and cost counted); the other draws are
of the grades alone.

TREC DL 2019: ids, NIST's grades 0 to 3, BM25 and three published rerankers. SciFact: texts, grades
0 and 1 (people's 1 is 3 for the judge, whose 2 and 3 count as 1), BM25, three published rerankers
and two scorers of ours. To have more than these to rank, each reranker is also mixed with BM25 by
reciprocal rank fusion and cut to the first 10 and 20. Kendall's tau is of the systems' nDCG@10 by
judged against human qrels; its interval holds 95% of bootstrap draws of queries, each with another
draw of the noise.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from statistics import fmean

from scifact_data import DATA

from rerank_core import Reranker
from rerank_core.evaluation import Collection, Run, judge, load, read_run, run_reranker
from rerank_core.evaluation.judging.agreement import agreement
from rerank_core.evaluation.judging.rubric import MAX_CHARS
from rerank_core.evaluation.measures import parse, per_query
from rerank_core.evaluation.run import Ranked
from rerank_core.protocols import ChatRequest, Reply
from rerank_core.ranking.candidate import Candidate
from rerank_core.text.truncation import truncate

MEASURE = "nDCG@10"
POOL = 10
#: Dollars a million tokens, as of gpt-4o-mini in 2026: what the calls would cost there.
PRICE = (0.15, 0.60)


@dataclass(frozen=True)
class Noise:
    """The share of pairs that are hard, and of mistakes anew in each answer to the others."""

    name: str
    hard: float
    anew: float


NOISES = (
    Noise("careful", 0.10, 0.10),
    Noise("usual", 0.20, 0.25),
    Noise("poor", 0.35, 0.40),
)


def grade(true: int, noise: Noise, draw: random.Random, hard: random.Random, most: int = 3) -> int:
    """What the judge says: the true grade, or one next to it."""
    wrong = _next_to(true, hard, most)
    if hard.random() < noise.hard:
        return wrong
    return _next_to(true, draw, most) if draw.random() < noise.anew else true


def _next_to(true: int, draw: random.Random, most: int) -> int:
    return draw.choice([g for g in (true - 1, true + 1) if 0 <= g <= most])


class SimulatedJudge:
    """A chat model that reads which pair it is asked about, and errs as stated."""

    def __init__(self, true: Mapping[tuple[str, str], int], noise: Noise, seed: int) -> None:
        self.model = f"simulated-{noise.name}"
        self._true, self._noise, self._seed = true, noise, seed

    async def complete(self, request: ChatRequest) -> Reply:
        said = request.user
        query = re.findall(r"^(?:Query|Somebody searched for): (.*)$", said, re.MULTILINE)[-1]
        passage = re.search(r"^<<<(\w+)\n(.*?)\n\1>>>$", said, re.DOTALL | re.MULTILINE)
        assert passage is not None
        pair = (query, passage[2])
        form = said.startswith("Given")
        found = grade(
            self._true[pair],
            self._noise,
            random.Random(f"{self._seed} {pair} {form}"),
            random.Random(f"{self._seed} {pair}"),
        )
        tokens = (len(request.system) + len(said)) // 4
        return Reply(f"##final score: {found}", tokens, 8)


def fused(name: str, one: Run, other: Run, weight: float) -> Run:
    """Reciprocal rank fusion, k = 60."""
    rankings = {}
    for query, ranked in one.rankings.items():
        place = {doc: rank for rank, doc in enumerate(other.rankings[query].ids, 1)}
        total = {
            doc: (1 - weight) / (60 + place.get(doc, 1000)) + weight / (60 + rank)
            for rank, doc in enumerate(ranked.ids, 1)
        }
        ids = sorted(total, key=lambda doc: -total[doc])
        rankings[query] = Ranked(ids, [total[doc] for doc in ids])
    return Run(name, rankings)


def cut(name: str, base: Run, run: Run, depth: int) -> Run:
    """The run over the base's first few alone, the others as they were."""
    rankings = {}
    for query, ranked in base.rankings.items():
        first = set(ranked.ids[:depth])
        ids = [doc for doc in run.rankings[query].ids if doc in first]
        ids += [doc for doc in ranked.ids if doc not in set(ids)]
        rankings[query] = Ranked(ids, [float(-at) for at in range(len(ids))])
    return Run(name, rankings)


def variants(base: Run, runs: Sequence[Run]) -> list[Run]:
    """The base, the runs, and what is made of them."""
    found = [base, *runs]
    for run in runs:
        found += [fused(f"{run.name}+{w}", run, base, w) for w in (0.3, 0.7)]
        found += [cut(f"{run.name}@{depth}", base, run, depth) for depth in (10, 20)]
    return found


def tau(first: Sequence[float], second: Sequence[float]) -> float:
    """Kendall's tau-b, by hand: SciPy's takes longer than all the rest."""
    agree = differ = ties_a = ties_b = 0
    for i, j in combinations(range(len(first)), 2):
        a, b = first[i] - first[j], second[i] - second[j]
        ties_a += not a
        ties_b += not b
        agree += a * b > 0
        differ += a * b < 0
    pairs = len(first) * (len(first) - 1) / 2
    return (agree - differ) / ((pairs - ties_a) * (pairs - ties_b)) ** 0.5


def trec_dl() -> tuple[Collection, list[Run], int]:
    folder = DATA / "trec-dl-2019"
    collection = load(base=folder / "bm25-top100.trec", qrels=folder / "qrels.txt")
    names = ("gpt35turbo-rankgpt", "rankvicuna7b", "vicuna13b-v1.5-zeroshot")
    runs = [read_run(folder / f"rerank-{name}-bm25top100.trec", name) for name in names]
    # nobody has these texts here: the judge knows a pair by its ids
    named = replace(
        collection,
        queries={query: f"query {query}" for query in collection.queries},
        candidates={
            query: [Candidate(f"document {c.id}", c.id, c.score) for c in found]
            for query, found in collection.candidates.items()
        },
    )
    return named, variants(collection.base, runs), 1


def scifact() -> tuple[Collection, list[Run], int]:
    folder = DATA / "scifact"
    collection = load(folder, base=folder / "runs" / "bm25-top20.trec")
    names = ("qwen2.5-1.5b-pointwise", "qwen2.5-3b-gccp", "qwen2.5-3b-pointwise")
    runs = [read_run(folder / "runs" / f"rerank-{name}.trec", name) for name in names]
    for name in ("bm25", "hybrid"):
        with Reranker(name, top_n=None) as reranker:
            runs.append(run_reranker(name, reranker, collection))
    return collection, variants(collection.base, runs), 2


def measured(runs: Sequence[Run], qrels: Mapping[str, Mapping[str, int]]) -> list[dict[str, float]]:
    """nDCG@10 of each run by query."""
    (measure,) = parse([MEASURE])
    return [per_query([measure], qrels, run.to_measure())[str(measure)] for run in runs]


def means(values: Sequence[Mapping[str, float]], queries: Sequence[str]) -> list[float]:
    return [fmean(of.get(query, 0.0) for query in queries) for of in values]


def report(name: str, collection: Collection, runs: list[Run], scale: int, draws: int) -> None:
    human = collection.qrels
    pools = {
        query: dict.fromkeys(
            doc for run in runs if query in run.rankings for doc in run.rankings[query].ids[:POOL]
        )
        for query in collection.candidates
        if query in human
    }
    # SciFact's grades are yes and no: the judge's 0 and 3 there
    true = {
        (query, doc): human[query].get(doc, 0) * (3 if scale == 2 else 1)
        for query, pool in pools.items()
        for doc in pool
    }
    by_people = measured(runs, human)
    queries = [query for query in human if query in pools]
    all_human = means(by_people, queries)
    print(f"\n{name}: {len(runs)} systems, {len(queries)} queries, {len(true)} pairs")
    texts = {(q, str(c.id)): c.text for q in pools for c in collection.candidates[q]}
    asked = {
        (" ".join(collection.queries[q].split()), truncate(texts[q, doc], MAX_CHARS)[0]): grade
        for (q, doc), grade in true.items()
    }
    head = f"{'judge':9}{'passes':>7}{'calls':>7}{'$':>7}{'exact':>7}{'kappa':>7}{'yes/no':>8}"
    print(head + f"{'passes agree':>14}{'tau':>7}  95% interval")
    for noise in NOISES:
        for passes in (1, 2):
            found = judge(
                collection.only(set(queries)),
                SimulatedJudge(asked, noise, 0),
                runs=[r for r in runs if r.name != collection.base.name],
                pool=POOL,
                passes=passes,
                price=PRICE,
                max_cost=20.0,
                at_once=16,
            )
            assert found.stopped is None, found.stopped
            pairs = [(one.pair.query, one.pair.document) for one in found.judged]
            with_people = agreement([one.grade for one in found.judged], [true[p] for p in pairs])
            assert with_people is not None
            taus = [
                _draw(true, noise, passes, seed, scale, queries, runs, by_people)
                for seed in range(1, draws + 1)
            ]
            taus.sort()
            low, high = taus[int(0.025 * draws)], taus[int(0.975 * draws) - 1]
            judged_by = measured(runs, _qrels(found.qrels, scale))
            here = tau(all_human, means(judged_by, queries))
            between = found.of_passes
            told = "" if between is None or between.kappa is None else f"{between.kappa:.2f}"
            print(
                f"{noise.name:9}{passes:7d}{found.calls:7d}{found.cost or 0:7.2f}"
                f"{with_people.exact:7.2f}{with_people.kappa or 0:7.2f}"
                f"{with_people.relevant_kappa or 0:8.2f}{told:>14}{here:7.2f}"
                f"  {low:.2f} to {high:.2f}, mean {fmean(taus):.3f}"
            )


def _qrels(qrels: Mapping[str, Mapping[str, int]], scale: int) -> dict[str, dict[str, int]]:
    if scale == 1:
        return {query: dict(of) for query, of in qrels.items()}
    return {q: {doc: int(grade >= 2) for doc, grade in of.items()} for q, of in qrels.items()}


def _draw(
    true: Mapping[tuple[str, str], int],
    noise: Noise,
    passes: int,
    seed: int,
    scale: int,
    queries: Sequence[str],
    runs: Sequence[Run],
    by_people: Sequence[Mapping[str, float]],
) -> float:
    """Tau with other noise, over other queries."""
    draw = random.Random(seed)
    qrels: dict[str, dict[str, int]] = {}
    for (query, doc), grade_ in true.items():
        hard = draw.random()
        said = [grade(grade_, noise, draw, random.Random(hard)) for _ in range(passes)]
        qrels.setdefault(query, {})[doc] = sum(said) // passes
    drawn = draw.choices(queries, k=len(queries))
    judged_by = measured(runs, _qrels(qrels, scale))
    return tau(means(by_people, drawn), means(judged_by, drawn))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--draws", type=int, default=200)
    made = {"trec-dl-2019": ("TREC DL 2019", trec_dl), "scifact": ("SciFact", scifact)}
    parser.add_argument("--collections", nargs="+", choices=made, default=list(made))
    options = parser.parse_args()
    draws = options.draws
    if not DATA.is_dir():
        sys.exit(f"no test collections at {DATA}: set RERANK_DATA")
    started = time.perf_counter()
    for name, make in (made[one] for one in options.collections):
        report(name, *make(), draws)
    print(f"\n{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
